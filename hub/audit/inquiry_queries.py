"""Inquiries into the log: who looked at a person or a record, what a user or an organisation did, in lists and in numbers.

Each inquiry, export and print is an event with its purpose, committed before a row is read.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NoReturn
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.audit.policy import LogPurpose
from hub.audit.queries import EventFilter, EventRow, count_events, find_event_ids, find_event_rows, page_of
from hub.audit.reading import Shown, UncommittedWork, opened
from hub.audit.recording import append
from hub.core.errors import Invalid, NotVisible
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.extensions import db, live_session

TRAIL_SIZE = 200
MOST_COUNTED = 100_000
# of what is taken: ids are found so many at a time, and the events themselves are read in smaller parts
IDS_AT_ONCE = 5_000
ROWS_AT_ONCE = 1_000


class About(enum.StrEnum):
    """What an inquiry starts from."""

    PERSON = "person"
    RECORD = "record"
    USER = "user"
    ORGANISATION = "organisation"
    DESK = "desk"


ACTS = {
    About.PERSON: "log.person_viewed",
    About.RECORD: "log.record_viewed",
    About.USER: "log.user_viewed",
    About.ORGANISATION: "log.organisation_viewed",
}


@dataclass(frozen=True)
class Inquiry:
    """One question: what it starts from, what narrows it, and how its filters stand in the event of an export."""

    about: About
    id: UUID | None
    asked: EventFilter
    words: str = ""

    @property
    def shown(self) -> Shown:
        """The record or person that the answer tells of."""
        return Shown(
            records=[self.id] if self.about is About.RECORD and self.id else (),
            people=[self.id] if self.about is About.PERSON and self.id else (),
        )

    @property
    def newest_first(self) -> bool:
        """What happened to a record is read from its beginning, everything else from today backwards."""
        return self.about is not About.RECORD

    @property
    def page_size(self) -> int:
        return TRAIL_SIZE if self.about is About.RECORD else PAGE_SIZE


@dataclass(frozen=True)
class Summary:
    """An inquiry in numbers. `parts` is category, outcome, purpose, organisation and user → code or id → events."""

    total: int
    as_of: datetime
    parts: Mapping[str, Mapping[str, int]]
    days: Mapping[date, int]
    # (weekday from 1, hour) → events
    hours: Mapping[tuple[int, int], int]

    @property
    def too_many(self) -> bool:
        """More than are counted: no number is told then, because it would be wrong."""
        return self.total > MOST_COUNTED


@dataclass(frozen=True)
class Taken:
    """What leaves the service: the event that says so, how many events there were then, and the question as of then."""

    event_id: UUID
    events: int
    asked: EventFilter
    newest_first: bool


def open_inquiry(
    actor: Actor, inquiry: Inquiry, *, purpose: LogPurpose, cursor: Cursor | None = None
) -> tuple[Page[EventRow], Summary]:
    """A page of the answer, and the whole of it in numbers. `NotVisible` where the subject is not the organisation's."""
    actor.check_may(Permission.AUDIT_READ)
    size = inquiry.page_size
    ids = find_event_ids(
        actor, inquiry.asked, most=size + 1, cursor=cursor, newest_first=inquiry.newest_first
    )
    summary = find_summary(actor, inquiry.asked)
    known = inquiry.id is not None and _is_known(actor, inquiry, found=bool(ids))
    opened(
        actor,
        ACTS[inquiry.about],
        inquiry.id or UUID(int=0),
        inquiry.shown if known else None,
        facts={"purpose": purpose.value, **inquiry.asked.as_facts()},
    )
    rows = find_event_rows(actor, ids[:size], newest_first=inquiry.newest_first)
    return page_of(rows, more=len(ids) > size), summary


def list_events_to_take(
    actor: Actor, inquiry: Inquiry, *, act: str, purpose: LogPurpose, most: int, form: str = ""
) -> Taken:
    """An inquiry for an export in this form or a print: counted, and written down before a row is read.

    `read_taken` gives the rows. `Invalid` beyond `most`: half a list would look like the whole of it.
    """
    actor.check_may(Permission.AUDIT_READ)
    if live_session().holds_work:
        raise UncommittedWork("a logged read may not run with uncommitted work in the session")
    events, as_of = count_events(actor, inquiry.asked, most=most + 1)
    known = _is_known(actor, inquiry, found=bool(events))
    fits = known and events <= most
    shown = inquiry.shown if fits else Shown()
    event_id = append(
        actor,
        act,
        outcome="ok" if fits else "denied",
        records=shown.records,
        people=shown.people,
        facts={
            "purpose": purpose.value,
            "asked": inquiry.words,
            "events": events if fits else 0,
            **({"format": form} if form else {}),
        },
    )
    db.session.commit()
    if events > most:
        other = "" if form == "csv" else " A table (CSV) holds more: take that instead."
        raise Invalid(
            "too_many_events",
            f"This list has more than {most:,} events, the most of this form, and no part of it was given out.{other}"
            " Or go back and choose a shorter period or more filters.",
        )
    if not known:
        raise NotVisible
    return Taken(event_id, events, replace(inquiry.asked, as_of=as_of), inquiry.newest_first)


def read_taken(actor: Actor, taken: Taken) -> Iterator[list[EventRow]]:
    """The events of an export or a print that was written down, a part at a time: memory does not grow with their number."""
    cursor = None
    while ids := find_event_ids(
        actor, taken.asked, most=IDS_AT_ONCE, cursor=cursor, newest_first=taken.newest_first
    ):
        for start in range(0, len(ids), ROWS_AT_ONCE):
            yield find_event_rows(actor, ids[start : start + ROWS_AT_ONCE], newest_first=taken.newest_first)
        if len(ids) < IDS_AT_ONCE:
            return
        last_id, last_at = ids[-1]
        cursor = Cursor(last_at, last_id)


def find_summary(actor: Actor, asked: EventFilter) -> Summary:
    """What is asked for in numbers, as of now or of the moment asked for. Logged by the page that shows it."""
    actor.check_may(Permission.AUDIT_READ)
    rows = db.session.execute(
        sa.text("SELECT part, value, events FROM audit.count_asked(CAST(:asked AS jsonb), :most)"),
        {"asked": asked.as_json(), "most": MOST_COUNTED},
    ).all()
    counted: dict[str, dict[str, int]] = {}
    for row in rows:
        counted.setdefault(row.part, {})[row.value] = row.events
    (as_of,) = counted.pop("as_of")
    days, slots = counted.pop("day", {}), counted.pop("slot", {})
    return Summary(
        total=counted.pop("all")[""],
        as_of=datetime.fromisoformat(as_of),
        parts=counted,
        days={date.fromisoformat(day): events for day, events in sorted(days.items())},
        hours={(int(slot) // 100, int(slot) % 100): events for slot, events in slots.items()},
    )


def refuse_unknown(
    actor: Actor, about: About, *, purpose: LogPurpose, object_id: UUID | None = None
) -> NoReturn:
    """An inquiry about what the organisation's log does not tell of: hidden and absent alike, and written down."""
    actor.check_may(Permission.AUDIT_READ)
    append(actor, ACTS[about], outcome="denied", object_id=object_id, facts={"purpose": purpose.value})
    db.session.commit()
    raise NotVisible


def _is_known(actor: Actor, inquiry: Inquiry, *, found: bool) -> bool:
    """A record, person or organisation was looked up before; a user of another organisation must be in the log."""
    if found or inquiry.about is not About.USER:
        return True
    return bool(find_event_ids(actor, EventFilter(user=inquiry.id), most=1))
