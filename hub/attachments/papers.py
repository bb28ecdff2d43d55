"""Papers: files that belong to no record, but to an agreement (the signed document) or to a partner's assurance (evidence).

Sealed and stored like any file; their keys are wrapped by the partnership's data key. An agreement's are read by its
parties, those of an assurance by the organisation that gave it and by the parties to an agreement with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import AgreementParty
from hub.access.permissions import Permission
from hub.accounts.queries import organisation_names, user_names
from hub.agreements.queries import find_terms, visible_agreements
from hub.assurances.models import Assurance
from hub.attachments.limits import room_for
from hub.attachments.models import Paper
from hub.attachments.ranges import WHOLE, Asked
from hub.attachments.releasing import OpenedAttachment, name_of, releasable, release
from hub.attachments.scan_words import ScanWords, scan_words, withheld_by_scan
from hub.attachments.storing import incoming, store
from hub.attachments.types import PAPERS
from hub.attachments.vocabulary import ScanState
from hub.audit.continuing import goes_on
from hub.audit.reading import Shown, opened
from hub.audit.recording import StoredFile, append
from hub.core import clock
from hub.core.errors import Conflict, Denied, NotVisible
from hub.extensions import db

MAX_PAPERS = 50


@dataclass(frozen=True)
class PaperRow:
    """One paper as a list shows it."""

    id: UUID
    name: str
    size: int
    sha256: str
    scan_state: ScanState
    scan_finding: str | None
    at: datetime
    by: str
    organisation: str
    releasable: bool

    @property
    def scan(self) -> ScanWords:
        return scan_words(self.scan_state, self.scan_finding)


def add_paper(
    actor: Actor,
    *,
    agreement_id: UUID | None = None,
    assurance_id: UUID | None = None,
    name: str,
    blocks: Iterable[bytes],
    announced: int = 1,
) -> Paper:
    """Seals, stores and writes down a paper of one of the two; the caller commits. An administrator's act.

    `NotVisible` or `Denied` by who asks, `Invalid` for a file that is not taken, `Conflict` where there are too many,
    `Unavailable` without the store. May only be called with nothing uncommitted in the session.
    """
    _check_may_add(actor, agreement_id, assurance_id)
    room_for(actor, actor.partnership_id).check(announced)
    file = incoming(actor.partnership_id, None, name, blocks, taken=PAPERS)
    return store(actor, file, partial(_keep, actor, agreement_id, assurance_id))


def refuse_paper(actor: Actor) -> None:
    """Writes down that a paper was not taken. The caller commits."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    append(actor, "paper.added", outcome="denied")


def find_papers(
    actor: Actor, *, agreement_id: UUID | None = None, assurance_id: UUID | None = None
) -> list[PaperRow]:
    """The papers of an agreement or an assurance, oldest first. The page that shows them has opened the one or the other."""
    rows = db.session.scalars(
        sa.select(Paper).where(_of(agreement_id, assurance_id), _readable(actor)).order_by(Paper.id)
    ).all()
    return _rows(rows)


def open_paper(
    actor: Actor,
    paper_id: UUID,
    asked: Asked = WHOLE,
    *,
    agreement_id: UUID | None = None,
    assurance_id: UUID | None = None,
) -> OpenedAttachment:
    """Opens one paper of one of the two, or goes on with one: its event is committed before a byte is fetched.

    `NotVisible` where it is hidden or belongs elsewhere, `Conflict` where the scan does not allow it, and `Unavailable`
    where the store does not answer or what it holds is not what was stored.
    """
    actor.check_may(Permission.AGREEMENT_READ)
    wanted = sa.and_(Paper.id == paper_id, _of(agreement_id, assurance_id), _readable(actor))
    found = db.session.execute(sa.select(Paper.scan_state, Paper.scan_finding).where(wanted)).one_or_none()
    if found is not None and not releasable(found.scan_state):
        append(actor, "paper.downloaded", outcome="denied", object_id=paper_id)
        db.session.commit()
        raise withheld_by_scan(found.scan_state, found.scan_finding)
    shown = Shown(version=1) if found is not None else None
    if not (shown and asked.goes_on and goes_on(actor, "paper.downloaded", paper_id, shown)):
        opened(actor, "paper.downloaded", paper_id, shown)
    row = db.session.scalar(sa.select(Paper).where(wanted))
    if row is None:  # taken away between the two steps
        raise NotVisible
    return release(actor, row, None, asked)


def _keep(
    actor: Actor, agreement_id: UUID | None, assurance_id: UUID | None, columns: dict[str, Any]
) -> Paper:
    """The paper's row, in the caller's transaction, after the right has been checked again."""
    _check_may_add(actor, agreement_id, assurance_id)
    paper = Paper(
        **columns,
        partnership_id=actor.partnership_id,
        organisation_id=actor.organisation_id,
        added_by=actor.user_id,
        agreement_id=agreement_id,
        assurance_id=assurance_id,
    )
    db.session.add(paper)
    db.session.flush()
    append(
        actor,
        "paper.added",
        object_id=paper.id,
        version=paper.version,
        file=StoredFile(paper.id, paper.stored_size, paper.stored_sha256),
    )
    return paper


def _check_may_add(actor: Actor, agreement_id: UUID | None, assurance_id: UUID | None) -> None:
    actor.check_may(Permission.ACCOUNT_MANAGE)
    if agreement_id is not None:
        terms = find_terms(actor, [agreement_id]).get(agreement_id)
        if terms is None:
            raise NotVisible
        if not terms.takes_part(actor.organisation_id, clock.now()):
            raise Denied("left", "Your organisation is no longer a party to this agreement.")
    else:
        own = sa.select(Assurance.id).where(
            Assurance.id == assurance_id, Assurance.organisation_id == actor.organisation_id
        )
        if db.session.scalar(own) is None:
            raise NotVisible
    held = sa.select(Paper.id).where(_of(agreement_id, assurance_id)).limit(MAX_PAPERS).subquery()
    if (db.session.scalar(sa.select(sa.func.count()).select_from(held)) or 0) >= MAX_PAPERS:
        raise Conflict(
            "too_many_files", f"There are {MAX_PAPERS} papers here, which is as many as there can be."
        )


def _of(agreement_id: UUID | None, assurance_id: UUID | None) -> sa.ColumnElement[bool]:
    if (agreement_id is None) == (assurance_id is None):
        raise ValueError("a paper belongs to an agreement or to an assurance")
    return Paper.agreement_id == agreement_id if agreement_id else Paper.assurance_id == assurance_id


def _readable(actor: Actor) -> sa.ColumnElement[bool]:
    mine = visible_agreements(actor)
    partners = sa.select(AgreementParty.organisation_id).where(AgreementParty.agreement_id.in_(mine))
    assurances = sa.select(Assurance.id).where(
        sa.or_(Assurance.organisation_id == actor.organisation_id, Assurance.organisation_id.in_(partners))
    )
    return sa.or_(Paper.agreement_id.in_(mine), Paper.assurance_id.in_(assurances))


def _rows(papers: Sequence[Paper]) -> list[PaperRow]:
    people = user_names(one.added_by for one in papers)
    organisations = organisation_names(one.organisation_id for one in papers)
    return [
        PaperRow(
            id=one.id,
            name=name_of(one, None),
            size=one.size,
            sha256=one.sha256,
            scan_state=ScanState(one.scan_state),
            scan_finding=one.scan_finding,
            at=one.created_at,
            by=people.get(one.added_by, ""),
            organisation=organisations.get(one.organisation_id, ""),
            releasable=releasable(one.scan_state),
        )
        for one in papers
    ]
