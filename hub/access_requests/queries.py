"""Reads of requests: who may be asked about somebody, the requests asked by us and of us, and one of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Grant, Record
from hub.access.permissions import Permission
from hub.access.vocabulary import RecordKind
from hub.access_requests.models import AccessRequest, SoughtRecord
from hub.access_requests.vocabulary import RequestState
from hub.accounts.queries import organisation_names, team_names, user_names
from hub.agreements.policy import Terms, refusal_of
from hub.agreements.queries import find_between
from hub.audit.reading import Shown, listed, opened, withheld
from hub.core import clock
from hub.core.errors import NotVisible
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.core.text import folded
from hub.extensions import db


@dataclass(frozen=True)
class BlindHit:
    """An organisation that holds a record which it lets be known. Which one it is stays with it."""

    organisation_id: UUID
    name: str


@dataclass(frozen=True)
class RequestRow:
    """A request with its names, as either side sees it."""

    request: AccessRequest
    from_organisation: str
    from_team: str
    to_organisation: str
    asked_by: str
    answered_by: str
    ours: bool

    @property
    def href(self) -> str:
        return f"/requests/{self.request.id}"

    @property
    def reference(self) -> str:
        return self.request.reference

    @property
    def waiting(self) -> bool:
        return self.request.state == RequestState.WAITING

    @property
    def late(self) -> bool:
        """Beyond its time without an answer; or answered after it."""
        ended = self.request.answered_at or clock.now()
        return ended > self.request.due_at


@dataclass(frozen=True)
class SoughtRow:
    """A record that a request is about, as those who lead it see it."""

    id: UUID
    kind: str
    reference: str
    marking: int

    @property
    def href(self) -> str:
        return f"/cases/{self.id}" if self.kind == RecordKind.CASE else f"/incidents/{self.id}"


@dataclass(frozen=True)
class OpenedRequest:
    """One request: for its owner with the records that it is about, for both with what was shared on it."""

    row: RequestRow
    sought: Sequence[SoughtRow]
    grants: Sequence[Grant]

    @property
    def request(self) -> AccessRequest:
        return self.row.request


def find_blind_hits(actor: Actor, terms: str) -> list[BlindHit]:
    """Partners that hold a record of somebody of this name, under an agreement in force for the purpose in hand.

    Two words at least. The page that shows them writes it down.
    """
    if not actor.may(Permission.REQUEST_MAKE):
        return []
    holder = sa.func.find_blind_hits(folded(terms)).column_valued("holder")
    found = list(db.session.scalars(sa.select(holder)))
    names = organisation_names(found)
    return sorted((BlindHit(key, name) for key, name in names.items()), key=lambda one: one.name)


def find_terms_for(actor: Actor, organisation_id: UUID, purpose: str) -> list[Terms]:
    """The agreements in force between the actor's organisation and another that permit this purpose."""
    if organisation_id == actor.organisation_id:
        return []
    now = clock.now()
    both = (actor.organisation_id, organisation_id)
    return [
        one
        for one in find_between(actor, organisation_id)
        if one.permission_for(purpose) is not None and refusal_of(one, both, now) is None
    ]


def list_requests(
    actor: Actor, *, ours: bool, state: RequestState | None = None, cursor: Cursor | None = None
) -> Page[RequestRow]:
    """Asked by the team in hand, or of it. What waits for an answer: the soonest due first; else the newest first."""
    actor.check_may(Permission.REQUEST_ANSWER)
    wanted = sa.select(AccessRequest.id).where(_asked_by(actor) if ours else ~_asked_by(actor))
    if state is not None:
        wanted = wanted.where(AccessRequest.state == state.value)
    by_due = state is RequestState.WAITING
    column = AccessRequest.due_at if by_due else AccessRequest.created_at
    place = sa.tuple_(column, AccessRequest.id)
    if cursor is not None:
        last = sa.tuple_(sa.literal(cursor.at, column.type), sa.literal(cursor.id, sa.Uuid()))
        wanted = wanted.where(place > last if by_due else place < last)
    order = (column, AccessRequest.id) if by_due else (column.desc(), AccessRequest.id.desc())
    ids = list(db.session.scalars(wanted.order_by(*order).limit(PAGE_SIZE + 1)))
    listed(actor, "request.listed", Shown())
    rows = _rows(actor, ids[:PAGE_SIZE])
    last_one = rows[-1].request if rows and len(ids) > PAGE_SIZE else None
    if last_one is None:
        return Page(rows)
    return Page(rows, str(Cursor(last_one.due_at if by_due else last_one.created_at, last_one.id)))


def _asked_by(actor: Actor) -> sa.ColumnElement[bool]:
    return sa.and_(
        AccessRequest.from_organisation_id == actor.organisation_id,
        AccessRequest.from_team_id == actor.team_id,
    )


def _rows(actor: Actor, ids: Iterable[UUID]) -> list[RequestRow]:
    """In the order of the ids."""
    order = {key: position for position, key in enumerate(ids)}
    found = db.session.scalars(
        sa.select(AccessRequest).where(AccessRequest.id.in_(order)).execution_options(populate_existing=True)
    ).all()
    organisations = organisation_names(
        key for one in found for key in (one.from_organisation_id, one.to_organisation_id)
    )
    teams = team_names(one.from_team_id for one in found)
    users = user_names(key for one in found for key in (one.requested_by, one.answered_by) if key)
    rows = [
        RequestRow(
            request=one,
            from_organisation=organisations.get(one.from_organisation_id, ""),
            from_team=teams.get(one.from_team_id, ""),
            to_organisation=organisations.get(one.to_organisation_id, ""),
            asked_by=users.get(one.requested_by, ""),
            answered_by=users.get(one.answered_by, "") if one.answered_by else "",
            ours=(one.from_organisation_id, one.from_team_id) == (actor.organisation_id, actor.team_id),
        )
        for one in found
    ]
    return sorted(rows, key=lambda row: order[row.request.id])


def open_request(actor: Actor, request_id: UUID) -> OpenedRequest:
    """One request, logged with the records that the reader leads. `NotVisible` where hidden or absent."""
    actor.check_may(Permission.REQUEST_ANSWER)
    revision = db.session.scalar(sa.select(AccessRequest.revision).where(AccessRequest.id == request_id))
    sought = find_sought_ids(actor, request_id) if revision is not None else []
    shown = Shown(records=sought, version=revision)
    opened(actor, "request.opened", request_id, shown if revision is not None else None)
    rows = _rows(actor, [request_id])
    if not rows:
        withheld(actor, "request.opened", [request_id], [])
        raise NotVisible
    grants = db.session.scalars(
        sa.select(Grant).where(Grant.access_request_id == request_id).order_by(Grant.record_reference)
    ).all()
    return OpenedRequest(rows[0], find_sought(actor, sought), grants)


def find_sought_ids(actor: Actor, request_id: UUID) -> list[UUID]:
    """Ids of the records that a request is about and that the actor leads: none for the asker."""
    found = sa.select(SoughtRecord.record_id).where(SoughtRecord.access_request_id == request_id)
    return list(db.session.scalars(found.order_by(SoughtRecord.record_id)))


def find_sought(actor: Actor, record_ids: Iterable[UUID]) -> list[SoughtRow]:
    """Those records by their references, for a page that has logged them."""
    rows = db.session.execute(
        sa.select(Record.id, Record.kind, Record.reference, Record.marking)
        .where(Record.id.in_(list(record_ids)))
        .order_by(Record.reference)
    )
    return [SoughtRow(row.id, row.kind, row.reference, row.marking) for row in rows]


def how_late(due: datetime, now: datetime) -> str:
    """`late by 2 days`, in whole days, hours or minutes; empty where it is not late."""
    minutes = int((now - due).total_seconds() // 60)
    if now <= due:
        return ""
    for size, word in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            number = minutes // size
            return f"late by {number} {word}{'' if number == 1 else 's'}"
    return "late"
