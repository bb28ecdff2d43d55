"""What *Shared with us* shows: what partners share under the purpose in hand, what waits, what we added elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Grant, Record
from hub.access.vocabulary import PURPOSE_LABELS, SECTION_LABELS, Purpose
from hub.accounts.queries import organisation_names, user_names
from hub.audit.looking import last_looks
from hub.audit.reading import Shown, opened
from hub.cases.models import Case
from hub.chronology.models import Entry
from hub.chronology.vocabulary import ENTRY_KIND_LABELS, EntryKind
from hub.core.errors import NotVisible
from hub.core.paging import Cursor
from hub.extensions import db
from hub.incidents.models import Incident
from hub.sharing.queries import GrantRow, list_shared, waiting_under_other_purposes

CONTRIBUTIONS = 50


@dataclass(frozen=True)
class SharedRow:
    """A live share with what it opens."""

    share: GrantRow
    title: str
    href: str
    sections: Sequence[str]
    marking: int
    is_new: bool

    @property
    def reference(self) -> str:
        return self.share.grant.record_reference


@dataclass(frozen=True)
class Contribution:
    """An entry that our organisation put on another's record, of which only the reference is told."""

    id: UUID
    reference: str
    owner: str
    kind: str
    occurred_on: str
    added_at: datetime
    author: str
    text: str


@dataclass(frozen=True)
class SharedPage:
    live: Sequence[SharedRow]
    waiting: Sequence[GrantRow]
    ended: Sequence[GrantRow]
    contributions: Sequence[Contribution]
    elsewhere: Sequence[tuple[str, str, int]]
    owners: Sequence[tuple[str, str]]
    next_cursor: str | None

    @property
    def marking(self) -> int:
        return max((row.marking for row in self.live), default=0)


def open_shared(actor: Actor, *, owner_id: UUID | None = None, after: Cursor | None = None) -> SharedPage:
    """One look, logged once (share.listed) with the records that the page shows anything of."""
    kept = _contributions_elsewhere(actor)
    shared = list_shared(actor, owner_id=owner_id, after=after, also=kept.values())
    return SharedPage(
        live=_live_rows(actor, shared.live),
        waiting=shared.waiting,
        ended=shared.ended,
        contributions=_contributions(actor, kept),
        elsewhere=[
            (f"{actor.team_id}:{purpose}", PURPOSE_LABELS[Purpose(purpose)], number)
            for purpose, number in waiting_under_other_purposes(actor).items()
        ],
        owners=sorted(((str(key), name) for key, name in shared.owners.items()), key=lambda one: one[1]),
        next_cursor=shared.next_cursor,
    )


def open_contribution(actor: Actor, entry_id: UUID) -> Contribution:
    """An entry of one's own organisation on another's record, whether or not that is still shared. `NotVisible` else."""
    found = db.session.execute(_own_elsewhere(actor).where(Entry.id == entry_id)).first()
    shown = Shown(records=[found.record_id]) if found is not None else None
    opened(actor, "contribution.opened", entry_id, shown)
    rows = _contributions(actor, {entry_id: found.record_id}) if found is not None else []
    if not rows:
        raise NotVisible
    return rows[0]


def _own_elsewhere(actor: Actor) -> sa.Select[Any, Any]:
    return sa.select(Entry.id, Entry.record_id).where(
        Entry.contributor_organisation_id == actor.organisation_id,
        Entry.owner_organisation_id != actor.organisation_id,
    )


def _contributions_elsewhere(actor: Actor) -> dict[UUID, UUID]:
    """Ids of the newest own entries on records that are not open to the actor now → the record's id."""
    statement = _own_elsewhere(actor).where(Entry.record_id.not_in(sa.select(Record.id)))
    return {
        row.id: row.record_id
        for row in db.session.execute(statement.order_by(Entry.id.desc()).limit(CONTRIBUTIONS))
    }


def _contributions(actor: Actor, entries: dict[UUID, UUID]) -> list[Contribution]:
    rows = db.session.scalars(sa.select(Entry).where(Entry.id.in_(entries)).order_by(Entry.id.desc())).all()
    told = db.session.execute(
        sa.select(Grant.record_id, Grant.record_reference).where(Grant.record_id.in_(set(entries.values())))
    )
    references = {row.record_id: row.record_reference for row in told}
    owners = organisation_names(row.owner_organisation_id for row in rows)
    authors = user_names(row.contributed_by for row in rows)
    return [
        Contribution(
            id=row.id,
            reference=references.get(row.record_id, "A record"),
            owner=owners.get(row.owner_organisation_id, ""),
            kind=ENTRY_KIND_LABELS[EntryKind(row.kind)],
            occurred_on=row.occurred_on,
            added_at=row.contributed_at,
            author=authors.get(row.contributed_by, ""),
            text=row.text,
        )
        for row in rows
    ]


def _live_rows(actor: Actor, shares: Sequence[GrantRow]) -> list[SharedRow]:
    ids = {row.grant.record_id for row in shares}
    titles = _titles(ids)
    looks = last_looks(actor, ids, acts=("case.opened", "incident.opened"))
    rows = []
    for share in shares:
        key = share.grant.record_id
        if key not in titles:
            continue
        title, href, changed_at, marking = titles[key]
        seen = looks.get(key)
        rows.append(
            SharedRow(
                share=share,
                title=title,
                href=href,
                sections=[SECTION_LABELS[one] for one in SECTION_LABELS if one.value in share.grant.sections],
                marking=marking,
                is_new=seen is None or seen < changed_at,
            )
        )
    return rows


def _titles(ids: Iterable[UUID]) -> dict[UUID, tuple[str, str, datetime, int]]:
    """Title, address, last change and marking by id."""
    wanted = list(ids)
    cases = db.session.execute(
        sa.select(Case.id, Case.title, Case.changed_at, Case.marking).where(Case.id.in_(wanted))
    )
    found = {key: (title, f"/cases/{key}", changed, marking) for key, title, changed, marking in cases}
    incidents = db.session.execute(
        sa.select(Incident.id, Incident.title, Incident.reported_at, Incident.marking).where(
            Incident.id.in_(wanted)
        )
    )
    found.update({key: (title, f"/incidents/{key}", at, marking) for key, title, at, marking in incidents})
    return found
