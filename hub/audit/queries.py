"""Reads of the log: pages of events, one event, and who has looked at a record. Inquiries stand in `inquiry_queries`.

Row security shows an organisation the events of its own people, about its own records, or that disclosed something to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
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
from hub.core.clock import LONDON
from hub.core.errors import NotVisible
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.core.schema import TIMESTAMP, UUID_ARRAY
from hub.extensions import db

# a purpose to ask for: events that state none
NO_PURPOSE = "none"
_MOMENT = timedelta(microseconds=1)
_TIMES = sa.ARRAY(TIMESTAMP)


@dataclass(frozen=True)
class EventFilter:
    """What the auditor asks for; None asks nothing. `subject` is the id of a record or a person.

    `weekday` (1 is Monday) and `hour` are London's. `as_of` leaves out what was written after that moment.
    """

    user: UUID | None = None
    organisation: UUID | None = None
    subject: UUID | None = None
    act: str | None = None
    category: str | None = None
    outcome: str | None = None
    purpose: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    as_of: datetime | None = None
    weekday: int | None = None
    hour: int | None = None

    def as_json(self) -> str:
        """As the database's functions take it."""
        asked = ((one.name, getattr(self, one.name)) for one in fields(self))
        return json.dumps({name: str(value) for name, value in asked if value is not None})

    def as_facts(self) -> dict[str, str]:
        """As the event of a look holds it: ids, codes and days, and nothing where nothing was asked."""
        parts = {
            "from": self.since.astimezone(LONDON).date() if self.since else None,
            "until": (self.before - _MOMENT).astimezone(LONDON).date() if self.before else None,
            "user": self.user,
            "organisation": self.organisation,
            "subject": self.subject,
            "act": self.act,
            "category": self.category,
            "outcome": self.outcome,
            "purpose": self.purpose,
            "weekday": self.weekday,
            "hour": self.hour,
            "as_of": self.as_of.astimezone(UTC).isoformat() if self.as_of else None,
        }
        return {f"asked_{name}": "" if value is None else str(value) for name, value in parts.items()}


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
    ids = find_event_ids(actor, asked, most=PAGE_SIZE + 1, cursor=cursor)
    listed(actor, "log.viewed", Shown(), facts={"purpose": purpose.value, **asked.as_facts()})
    return page_of(find_event_rows(actor, ids[:PAGE_SIZE]), more=len(ids) > PAGE_SIZE)


def open_event(actor: Actor, event_id: UUID, *, purpose: LogPurpose) -> EventRow:
    """One event whole. `NotVisible` where it is not the organisation's to read."""
    actor.check_may(Permission.AUDIT_READ)
    found = db.session.execute(sa.select(Event.id, Event.at).where(Event.id == event_id)).one_or_none()
    opened(actor, "log.opened", event_id, Shown() if found else None, facts={"purpose": purpose.value})
    if found is None:
        raise NotVisible
    return find_event_rows(actor, [(found.id, found.at)])[0]


def find_subject(actor: Actor, reference: str) -> Subject | None:
    """The record or person of a reference, as far as the organisation's log tells of it. Logged by the page that asks."""
    actor.check_may(Permission.AUDIT_READ)
    reference = reference.strip().upper()
    row = db.session.execute(
        sa.text("SELECT id, kind FROM audit.find_subject(:reference)"), {"reference": reference}
    ).first()
    return Subject(row.id, row.kind, reference) if row else None


def find_references(
    actor: Actor, events: Iterable[UUID], *, times: Sequence[datetime] = ()
) -> dict[UUID, Subject]:
    """References of the records and people that the events name: never their content. Known `times` make it quick."""
    actor.check_may(Permission.AUDIT_READ)
    rows = db.session.execute(
        sa.text(
            "SELECT id, kind, reference FROM audit.find_references(CAST(:events AS uuid[]),"
            " CAST(:first AS timestamptz), CAST(:last AS timestamptz))"
        ),
        {
            "events": "{" + ",".join(str(one) for one in events) + "}",
            "first": min(times, default="-infinity"),
            "last": max(times, default="infinity"),
        },
    )
    return {row.id: Subject(row.id, row.kind, row.reference) for row in rows}


def find_looks(actor: Actor, record_id: UUID, *, object_id: UUID | None = None) -> list[Looks]:
    """Who has had to do with a record, or with one thing on it: organisations in numbers, own people one by one.

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
        .where(sa.true() if object_id is None else Event.object_id == object_id)
        .group_by(Event.organisation_id, own)
        .order_by(sa.func.max(Event.at).desc()),
        {"subject": record_id},
    )
    return [Looks(**row) for row in rows.mappings()]


def _count(*conditions: sa.ColumnElement[bool]) -> sa.Function[int]:
    return sa.func.count(sa.case((sa.and_(*conditions), 1)))


def find_event_ids(
    actor: Actor,
    asked: EventFilter,
    *,
    most: int,
    cursor: Cursor | None = None,
    newest_first: bool = True,
) -> list[tuple[UUID, datetime]]:
    """Ids and times of what is asked for, in order of time. For a read that logs its look before it reads the events."""
    actor.check_may(Permission.AUDIT_READ)
    rows = db.session.execute(
        sa.text(
            "SELECT id, at FROM audit.find_asked(CAST(:asked AS jsonb), CAST(:last_at AS timestamptz),"
            " CAST(:last_id AS uuid), :newest_first, :most)"
        ),
        {
            "asked": asked.as_json(),
            "last_at": cursor.at if cursor else None,
            "last_id": cursor.id if cursor else None,
            "newest_first": newest_first,
            "most": most,
        },
    )
    return [(row.id, row.at) for row in rows]


def count_events(actor: Actor, asked: EventFilter, *, most: int) -> tuple[int, datetime]:
    """How many events are asked for, at most so many, and as of when: now, or the moment asked for."""
    actor.check_may(Permission.AUDIT_READ)
    row = db.session.execute(
        sa.text(
            "SELECT count(*) AS events, statement_timestamp() AS moment"
            " FROM audit.find_asked(CAST(:asked AS jsonb), NULL, NULL, true, :most)"
        ),
        {"asked": asked.as_json(), "most": most},
    ).one()
    return row.events, min(row.moment, asked.as_of or row.moment)


def find_event_rows(
    actor: Actor, ids: Sequence[tuple[UUID, datetime]], *, newest_first: bool = True
) -> list[EventRow]:
    """The events of these ids and times, in order. Logged by the read that found them."""
    actor.check_may(Permission.AUDIT_READ)
    if not ids:
        return []
    names = list(EventRow.__dataclass_fields__)
    # two arrays, whatever their length: each event is looked for in its own month alone
    wanted = (
        sa.func.unnest(
            sa.literal([key for key, _ in ids], UUID_ARRAY), sa.literal([at for _, at in ids], _TIMES)
        )
        .table_valued(sa.column("id", sa.Uuid), sa.column("at", TIMESTAMP), name="wanted")
        .render_derived()
    )
    # one by one, by the key: joined otherwise, the whole log of the organisation would be read
    one = (
        sa.select(*(getattr(Event, name) for name in names))
        .where(Event.id == wanted.c.id, Event.at == wanted.c.at)
        .offset(0)
        .lateral()
    )
    rows = db.session.execute(sa.select(one).select_from(wanted.join(one, sa.true())))
    found = [EventRow(*row) for row in rows]
    return sorted(found, key=lambda row: (row.at, row.id), reverse=newest_first)


def page_of(rows: Sequence[EventRow], *, more: bool) -> Page[EventRow]:
    last = rows[-1] if rows else None
    return Page(rows, str(Cursor(last.at, last.id)) if last and more else None)
