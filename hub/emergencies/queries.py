"""Reads of emergency access: what the actor has open, the list for review, and the reason of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from hub.access.actions import REFERENCE_KIND
from hub.access.actor import Actor
from hub.access.models import Emergency
from hub.access.permissions import Permission
from hub.access.vocabulary import RecordKind
from hub.accounts.queries import organisation_names, user_names
from hub.audit.looking import acts_on
from hub.audit.reading import Shown, listed, opened, withheld
from hub.core import clock
from hub.core.errors import NotVisible
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.crypto import keyring, wrapping
from hub.crypto.errors import KeyDestroyed
from hub.extensions import db

# the badge says 99+ beyond this
COUNT_CAP = 100
OWN_SHOWN = 10
SEAL = "emergency"


@dataclass(frozen=True)
class EmergencyRow:
    """One emergency access as its reviewers and its opener see it: who, which reference, when. Never the reason."""

    emergency: Emergency
    opened_by: str
    organisation: str
    owner: str
    reviewed_by: str

    @property
    def href(self) -> str:
        return f"/emergencies/{self.emergency.id}"

    @property
    def reference(self) -> str:
        return self.emergency.record_reference

    @property
    def record_href(self) -> str:
        return record_address(self.emergency)

    @property
    def ended_at(self) -> datetime:
        """By the clock, or when it was given back."""
        closed = self.emergency.closed_at
        return min(self.emergency.expires_at, closed) if closed else self.emergency.expires_at

    @property
    def is_open(self) -> bool:
        return self.ended_at > clock.now()

    @property
    def lasted(self) -> timedelta:
        return min(self.ended_at, clock.now()) - self.emergency.granted_at


@dataclass(frozen=True)
class OpenedEmergency:
    """One for review: with its reason, and what was done with the record meanwhile, act by act."""

    row: EmergencyRow
    reason: str
    acts: Mapping[str, int]

    @property
    def emergency(self) -> Emergency:
        return self.row.emergency


def record_address(emergency: Emergency) -> str:
    """The page of the record: references tell its kind."""
    is_case = f"-{REFERENCE_KIND[RecordKind.CASE]}-" in emergency.record_reference
    return f"/cases/{emergency.record_id}" if is_case else f"/incidents/{emergency.record_id}"


def find_open(actor: Actor) -> list[Emergency]:
    """What the actor has open now, the first to end first: every page says so."""
    now = clock.now()
    found = sa.select(Emergency).where(
        Emergency.user_id == actor.user_id,
        Emergency.expires_at > now,
        sa.or_(Emergency.closed_at.is_(None), Emergency.closed_at > now),
    )
    return list(db.session.scalars(found.order_by(Emergency.expires_at)))


def find_own(actor: Actor) -> list[EmergencyRow]:
    """The actor's own, newest first, with how their reviews ended."""
    found = sa.select(Emergency.id).where(Emergency.user_id == actor.user_id)
    ids = list(db.session.scalars(found.order_by(Emergency.granted_at.desc()).limit(OWN_SHOWN)))
    return _rows(actor, ids)


def count_unreviewed(actor: Actor) -> int:
    """How many wait for the actor's sign-off, counted to one hundred at most; none for who may not review."""
    if not actor.may(Permission.EMERGENCY_REVIEW):
        return 0
    waiting = sa.select(Emergency.id).where(
        _of_organisation(actor), Emergency.reviewed_at.is_(None), Emergency.user_id != actor.user_id
    )
    return db.session.scalar(sa.select(sa.func.count()).select_from(waiting.limit(COUNT_CAP).subquery())) or 0


def _of_organisation(actor: Actor) -> sa.ColumnElement[bool]:
    """Of one's own organisation's people, and of its records."""
    ours = actor.organisation_id
    return sa.or_(Emergency.organisation_id == ours, Emergency.owner_organisation_id == ours)


def list_emergencies(
    actor: Actor, *, reviewed: bool | None = None, cursor: Cursor | None = None
) -> Page[EmergencyRow]:
    """A page of those that the actor's organisation reviews, newest first."""
    actor.check_may(Permission.EMERGENCY_REVIEW)
    wanted = sa.select(Emergency.id).where(_of_organisation(actor))
    if reviewed is not None:
        wanted = wanted.where(
            Emergency.reviewed_at.is_not(None) if reviewed else Emergency.reviewed_at.is_(None)
        )
    if cursor is not None:
        last = sa.tuple_(sa.literal(cursor.at, Emergency.granted_at.type), sa.literal(cursor.id, sa.Uuid()))
        wanted = wanted.where(sa.tuple_(Emergency.granted_at, Emergency.id) < last)
    wanted = wanted.order_by(Emergency.granted_at.desc(), Emergency.id.desc()).limit(PAGE_SIZE + 1)
    ids = list(db.session.scalars(wanted))
    listed(actor, "emergency.listed", Shown())
    rows = _rows(actor, ids[:PAGE_SIZE])
    after = rows[-1].emergency if rows and len(ids) > PAGE_SIZE else None
    return Page(rows, str(Cursor(after.granted_at, after.id)) if after else None)


def _rows(actor: Actor, ids: Iterable[UUID]) -> list[EmergencyRow]:
    """In the order of the ids. For lists that have been logged, and for one's own."""
    order = {key: position for position, key in enumerate(ids)}
    found = db.session.scalars(
        sa.select(Emergency).where(Emergency.id.in_(order)).execution_options(populate_existing=True)
    ).all()
    users = user_names(key for one in found for key in (one.user_id, one.reviewed_by) if key)
    organisations = organisation_names(
        key for one in found for key in (one.organisation_id, one.owner_organisation_id)
    )
    rows = [
        EmergencyRow(
            emergency=one,
            opened_by=users.get(one.user_id, ""),
            organisation=organisations.get(one.organisation_id, ""),
            owner=organisations.get(one.owner_organisation_id, ""),
            reviewed_by=users.get(one.reviewed_by, "") if one.reviewed_by else "",
        )
        for one in found
    ]
    return sorted(rows, key=lambda row: order[row.emergency.id])


def open_emergency_for_review(actor: Actor, emergency_id: UUID) -> OpenedEmergency:
    """One with its reason, which may name people: each look is written down. `NotVisible` where hidden or absent."""
    actor.check_may(Permission.EMERGENCY_REVIEW)
    record_id = db.session.scalar(
        sa.select(Emergency.record_id).where(Emergency.id == emergency_id, _of_organisation(actor))
    )
    # a declared interest in the record withholds the reason too
    if record_id is not None and db.session.scalar(sa.select(sa.func.is_excluded(record_id))):
        record_id = None
    shown = Shown(records=[record_id]) if record_id is not None else None
    opened(actor, "emergency.viewed", emergency_id, shown)
    rows = _rows(actor, [emergency_id])
    if not rows:
        withheld(actor, "emergency.viewed", [emergency_id], [])
        raise NotVisible
    one = rows[0].emergency
    acts = acts_on(actor, one.record_id, by=one.user_id, since=one.granted_at, until=rows[0].ended_at)
    return OpenedEmergency(rows[0], _unsealed(one), acts)


def _unsealed(emergency: Emergency) -> str:
    try:
        held = keyring.key_by_id(db.session(), emergency.data_key_id)
    except KeyDestroyed as erased:
        return erased.message
    return wrapping.open_text(held.key, emergency.sealed_reason, purpose=SEAL, ids=(held.id, emergency.id))
