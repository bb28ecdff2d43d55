"""Reads of the log: pages of events, one event, all about one subject, and who has looked at a record.

Row security shows an organisation the events of its own people, about its own records, or that disclosed something to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.audit.catalogue import Category
from hub.audit.models import Event
from hub.audit.policy import LogPurpose
from hub.audit.reading import Shown, listed, opened
from hub.core.errors import NotVisible
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.extensions import db

TRAIL_SIZE = 200


@dataclass(frozen=True)
class EventFilter:
    """What the auditor asks for; None asks nothing. `subject` is the id of a record or a person."""

    user_id: UUID | None = None
    organisation_id: UUID | None = None
    subject: UUID | None = None
    act: str | None = None
    category: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True)
class EventRow:
    """One event as it was written. `told` is its body."""

    id: UUID
    at: datetime
    category: str
    act: str
    outcome: str
    source: str
    user_id: UUID | None
    organisation_id: UUID | None
    team_id: UUID | None
    object_type: str | None
    object_id: UUID | None
    object_version: int | None
    record_ids: list[UUID]
    person_ids: list[UUID]
    organisation_ids: list[UUID]
    body: bytes
    hash: bytes

    @cached_property
    def told(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = json.loads(self.body)
        return found

    @property
    def recipients(self) -> list[UUID]:
        return [UUID(one["organisation"]) for one in self.told["recipients"]]


@dataclass(frozen=True)
class Subject:
    """What a reference stands for: a case, an incident or a person."""

    id: UUID
    kind: str
    reference: str


@dataclass(frozen=True)
class Looks:
    """How often a record was opened by one organisation, or by one person of the reader's own."""

    organisation_id: UUID
    user_id: UUID | None
    opened: int
    listed: int
    changed: int
    refused: int
    last_at: datetime


def list_events(
    actor: Actor, asked: EventFilter, *, purpose: LogPurpose, cursor: Cursor | None = None
) -> Page[EventRow]:
    """A page of the log, newest first. The look itself is an event with its purpose."""
    actor.check_may(Permission.AUDIT_READ)
    ids = _page_of_ids(asked, cursor, PAGE_SIZE + 1, newest_first=True)
    listed(actor, "log.viewed", Shown(), facts={"purpose": purpose.value})
    return _page(ids, PAGE_SIZE, newest_first=True)


def list_trail(
    actor: Actor, subject: Subject, *, purpose: LogPurpose, cursor: Cursor | None = None
) -> Page[EventRow]:
    """All that happened to one record or person, in order. The look is an event about it."""
    actor.check_may(Permission.AUDIT_READ)
    ids = _page_of_ids(EventFilter(subject=subject.id), cursor, TRAIL_SIZE + 1, newest_first=False)
    act, shown = "log.record_viewed", Shown(records=[subject.id])
    if subject.kind == "person":
        act, shown = "log.person_viewed", Shown(people=[subject.id])
    opened(actor, act, subject.id, shown, facts={"purpose": purpose.value})
    return _page(ids, TRAIL_SIZE, newest_first=False)


def list_events_of_user(
    actor: Actor, user_id: UUID, *, purpose: LogPurpose, cursor: Cursor | None = None
) -> Page[EventRow]:
    """What one user did, newest first. The look is an event about the user; nothing to see is `NotVisible`."""
    actor.check_may(Permission.AUDIT_READ)
    ids = _page_of_ids(EventFilter(user_id=user_id), cursor, PAGE_SIZE + 1, newest_first=True)
    opened(actor, "log.user_viewed", user_id, Shown() if ids else None, facts={"purpose": purpose.value})
    return _page(ids, PAGE_SIZE, newest_first=True)


def open_event(actor: Actor, event_id: UUID, *, purpose: LogPurpose) -> EventRow:
    """One event whole. `NotVisible` where it is not the organisation's to read."""
    actor.check_may(Permission.AUDIT_READ)
    found = db.session.execute(sa.select(Event.id, Event.at).where(Event.id == event_id)).one_or_none()
    opened(actor, "log.opened", event_id, Shown() if found else None, facts={"purpose": purpose.value})
    if found is None:
        raise NotVisible
    return _rows([(found.id, found.at)])[0]


def find_subject(actor: Actor, reference: str) -> Subject | None:
    """The record or person of a reference, as far as the organisation's log tells of it. Logged by the page that asks."""
    actor.check_may(Permission.AUDIT_READ)
    reference = reference.strip().upper()
    row = db.session.execute(
        sa.text("SELECT id, kind FROM audit.find_subject(:reference)"), {"reference": reference}
    ).first()
    return Subject(row.id, row.kind, reference) if row else None


def find_references(actor: Actor, events: Iterable[UUID]) -> dict[UUID, Subject]:
    """References of the records and people that the events name: never their content."""
    actor.check_may(Permission.AUDIT_READ)
    rows = db.session.execute(
        sa.text("SELECT id, kind, reference FROM audit.find_references(CAST(:events AS uuid[]))"),
        {"events": "{" + ",".join(str(one) for one in events) + "}"},
    )
    return {row.id: Subject(row.id, row.kind, row.reference) for row in rows}


def find_looks(actor: Actor, record_id: UUID) -> list[Looks]:
    """Who has had to do with a record: organisations in numbers, the reader's own people one by one.

    For a page that has logged its own look at the record. Partners' people are never told apart here.
    """
    about = (
        sa.text("SELECT id, at FROM audit.find_events_about(:subject)").columns(Event.id, Event.at).subquery()
    )
    own = sa.case((Event.organisation_id == actor.organisation_id, Event.user_id))
    seen = Event.category == Category.CONSULTATION.value
    done = Event.outcome == "ok"
    rows = db.session.execute(
        sa.select(
            Event.organisation_id,
            own.label("user_id"),
            _count(seen, done, Event.act.like("%.opened") | Event.act.like("%.downloaded")).label("opened"),
            _count(seen, done, ~(Event.act.like("%.opened") | Event.act.like("%.downloaded"))).label(
                "listed"
            ),
            _count(~seen, done).label("changed"),
            _count(~done).label("refused"),
            sa.func.max(Event.at).label("last_at"),
        )
        .join(about, sa.and_(about.c.id == Event.id, about.c.at == Event.at))
        # whoever is looked into learns nothing of it here
        .where(Event.organisation_id.is_not(None), Event.category != Category.AUDIT.value)
        .group_by(Event.organisation_id, own)
        .order_by(sa.func.max(Event.at).desc()),
        {"subject": record_id},
    )
    return [Looks(**row) for row in rows.mappings()]


def _count(*conditions: sa.ColumnElement[bool]) -> sa.Function[int]:
    return sa.func.count(sa.case((sa.and_(*conditions), 1)))


def _page_of_ids(
    asked: EventFilter, cursor: Cursor | None, most: int, *, newest_first: bool
) -> list[tuple[UUID, datetime]]:
    statement = sa.select(Event.id, Event.at).where(*_conditions(asked))
    values: dict[str, Any] = {}
    if asked.subject is not None:
        about = (
            sa.text("SELECT id, at FROM audit.find_events_about(:subject)")
            .columns(Event.id, Event.at)
            .subquery()
        )
        statement = statement.join(about, sa.and_(about.c.id == Event.id, about.c.at == Event.at))
        values["subject"] = asked.subject
    place = sa.tuple_(Event.at, Event.id)
    if cursor is not None:
        last = sa.tuple_(sa.literal(cursor.at, Event.at.type), sa.literal(cursor.id, sa.Uuid()))
        statement = statement.where(place < last if newest_first else place > last)
    order = (Event.at.desc(), Event.id.desc()) if newest_first else (Event.at, Event.id)
    rows = db.session.execute(statement.order_by(*order).limit(most), values)
    return [(row.id, row.at) for row in rows]


def _conditions(asked: EventFilter) -> list[sa.ColumnElement[bool]]:
    exact = (
        (Event.user_id, asked.user_id),
        (Event.organisation_id, asked.organisation_id),
        (Event.act, asked.act),
        (Event.category, asked.category),
        (Event.outcome, asked.outcome),
    )
    found: list[sa.ColumnElement[bool]] = [column == value for column, value in exact if value is not None]
    if asked.since is not None:
        found.append(Event.at >= asked.since)
    if asked.before is not None:
        found.append(Event.at < asked.before)
    return found


def _page(ids: list[tuple[UUID, datetime]], size: int, *, newest_first: bool) -> Page[EventRow]:
    rows = _rows(ids[:size])
    rows.sort(key=lambda row: (row.at, row.id), reverse=newest_first)
    last = rows[-1] if rows else None
    return Page(rows, str(Cursor(last.at, last.id)) if last and len(ids) > size else None)


def _rows(ids: list[tuple[UUID, datetime]]) -> list[EventRow]:
    if not ids:
        return []
    times = [at for _, at in ids]
    rows = db.session.scalars(
        # the times let the database leave out the other months
        sa.select(Event).where(
            Event.id.in_([key for key, _ in ids]), Event.at.between(min(times), max(times))
        )
    )
    names = list(EventRow.__dataclass_fields__)
    return [EventRow(**{name: getattr(row, name) for name in names}) for row in rows]
