"""Reads of a case's schedule and of the bundles that were asked for. Each opening is an event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.accounts.models import Organisation
from hub.accounts.queries import organisation_names, user_names
from hub.attachments.listing import find_newest_ids, read_files
from hub.attachments.queries import FileRow
from hub.audit.reading import Shown, opened
from hub.audit.recording import Basis
from hub.core.errors import Denied, NotVisible
from hub.disclosures.models import Disclosure, DisclosureLine
from hub.disclosures.policy import check_may_disclose, needs_another
from hub.disclosures.sealing import reason_of
from hub.disclosures.vocabulary import Relevance, Sensitivity
from hub.extensions import db


@dataclass(frozen=True)
class Line:
    """One file of the schedule, and what is thought of it."""

    number: int
    file: FileRow
    relevance: str
    sensitivity: str
    note: str
    # contributed by another organisation than the one that owns the record
    third_party: bool

    @property
    def goes_along(self) -> bool:
        """Does the file itself go into a bundle that takes originals?"""
        return (
            self.relevance == Relevance.RELEVANT
            and self.sensitivity == Sensitivity.NOT_SENSITIVE
            and self.file.releasable
        )


@dataclass(frozen=True)
class Schedule:
    record_id: UUID
    reference: str
    marking: int
    lines: Sequence[Line]
    # files of the record that the reader may not read: counted, and nothing else is told
    withheld: int


@dataclass(frozen=True)
class Bundle:
    """A bundle as its page and the list of bundles show it."""

    id: UUID
    to: str
    to_organisation_id: UUID
    reason: str
    file_ids: Sequence[UUID]
    original_ids: Sequence[UUID]
    asked_at: datetime
    asked_by: str
    approved_at: datetime | None
    approved_by: str
    released_at: datetime | None
    own: bool

    @property
    def waits(self) -> bool:
        """Must somebody else agree first?"""
        return needs_another(len(self.file_ids)) and self.approved_at is None


def open_schedule(actor: Actor, record_id: UUID) -> Schedule:
    """The schedule of a case, logged as disclosure.opened. `NotVisible`, or `Denied` where others lead it."""
    ids = _open(actor, record_id, record_id)
    return read_schedule(actor, record_id, ids)


def open_bundle(actor: Actor, record_id: UUID, disclosure_id: UUID) -> tuple[Schedule, Bundle]:
    """One bundle with the schedule as it stands, logged likewise."""
    ids = _open(actor, record_id, disclosure_id)
    row = db.session.scalar(
        sa.select(Disclosure).where(Disclosure.id == disclosure_id, Disclosure.record_id == record_id)
    )
    if row is None:
        raise NotVisible
    return read_schedule(actor, record_id, ids), _bundles(actor, [row])[0]


def _open(actor: Actor, record_id: UUID, object_id: UUID) -> list[UUID]:
    try:
        check_may_disclose(actor, record_id)
    except (Denied, NotVisible) as refused:
        if isinstance(refused, NotVisible):
            opened(actor, "disclosure.opened", object_id, None)
        raise
    ids = find_newest_ids(actor, record_id)
    opened(
        actor,
        "disclosure.opened",
        object_id,
        Shown(records=[record_id], basis=Basis("lead"), counted=len(ids)),
    )
    return ids


def read_schedule(actor: Actor, record_id: UUID, ids: Sequence[UUID]) -> Schedule:
    """The lines of these files. The event of whoever calls stands already."""
    record = check_may_disclose(actor, record_id)
    thought = {
        line.attachment_id: line
        for line in db.session.scalars(sa.select(DisclosureLine).where(DisclosureLine.record_id == record_id))
    }
    lines = []
    for number, file in enumerate(read_files(actor, record_id, ids), 1):
        line = thought.get(file.id)
        lines.append(
            Line(
                number,
                file,
                line.relevance if line else Relevance.NOT_ASSESSED,
                line.sensitivity if line else Sensitivity.NOT_ASSESSED,
                line.note if line else "",
                file.contributor_organisation_id != record.owner_organisation_id,
            )
        )
    total = db.session.scalar(sa.select(sa.func.count_files_of_led_record(record_id))) or 0
    marking = max([record.marking, *(line.file.marking for line in lines)])
    return Schedule(
        record_id, record.reference, marking, lines, max(0, total - len(find_newest_ids(actor, record_id)))
    )


def find_bundles(actor: Actor, record_id: UUID) -> list[Bundle]:
    """The bundles of a case, the latest first, for a page that logs its reading."""
    rows = db.session.scalars(
        sa.select(Disclosure)
        .where(Disclosure.record_id == record_id)
        .order_by(Disclosure.asked_at.desc(), Disclosure.id.desc())
        .limit(100)
    ).all()
    return _bundles(actor, rows)


def _bundles(actor: Actor, rows: Sequence[Disclosure]) -> list[Bundle]:
    names = organisation_names({row.to_organisation_id for row in rows})
    people = user_names({one for row in rows for one in (row.asked_by, row.approved_by) if one})
    return [
        Bundle(
            id=row.id,
            to=names.get(row.to_organisation_id, ""),
            to_organisation_id=row.to_organisation_id,
            reason=reason_of(row),
            file_ids=row.file_ids,
            original_ids=row.original_ids,
            asked_at=row.asked_at,
            asked_by=people.get(row.asked_by, ""),
            approved_at=row.approved_at,
            approved_by=people.get(row.approved_by, "") if row.approved_by else "",
            released_at=row.released_at,
            own=row.asked_by == actor.user_id,
        )
        for row in rows
    ]


def find_recipients(actor: Actor) -> list[tuple[UUID, str]]:
    """The organisations that the hub knows, besides the reader's own."""
    rows = db.session.execute(
        sa.select(Organisation.id, Organisation.name)
        .where(Organisation.id != actor.organisation_id)
        .order_by(Organisation.name)
    )
    return [(row.id, row.name) for row in rows]
