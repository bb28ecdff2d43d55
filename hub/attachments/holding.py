"""Legal holds: placed by one supervisor, lifted by two. Flush, never commit."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.facts import facts_of
from hub.access.models import Record
from hub.access.permissions import Permission
from hub.access.queries import right_to
from hub.accounts.queries import user_names
from hub.attachments.models import Attachment, LegalHold
from hub.audit.changing import take_up
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Conflict, Denied, NotVisible
from hub.extensions import db


@dataclass(frozen=True)
class Hold:
    """A hold that stands, as a page shows it. The reasons are for those who lead the record."""

    id: UUID
    record_id: UUID
    attachment_id: UUID | None
    reason: str
    placed_at: datetime
    placed_by: str
    lift_asked_at: datetime | None
    lift_asked_by: str
    lift_reason: str
    # did the reader ask for it to be lifted? Then somebody else decides
    asked_by_reader: bool


def find_holds(actor: Actor, record_id: UUID) -> list[Hold]:
    """The holds that stand on a record or its files, the oldest first. The page that shows them logs the reading."""
    rows = db.session.scalars(
        sa.select(LegalHold)
        .where(LegalHold.record_id == record_id, LegalHold.lifted_at.is_(None))
        .order_by(LegalHold.placed_at, LegalHold.id)
    ).all()
    if not rows:
        return []
    right = right_to(actor, record_id, session=db.session())
    leads = right is not None and right.leads
    people = user_names({one for row in rows for one in (row.placed_by, row.lift_asked_by) if one})
    return [
        Hold(
            id=row.id,
            record_id=row.record_id,
            attachment_id=row.attachment_id,
            reason=row.reason if leads else "",
            placed_at=row.placed_at,
            placed_by=people.get(row.placed_by, ""),
            lift_asked_at=row.lift_asked_at,
            lift_asked_by=people.get(row.lift_asked_by, "") if row.lift_asked_by else "",
            lift_reason=row.lift_reason if leads else "",
            asked_by_reader=row.lift_asked_by == actor.user_id,
        )
        for row in rows
    ]


def holds_on(holds: Collection[Hold], attachment_id: UUID) -> list[Hold]:
    """Those that hold this file: its own, and those of the whole record."""
    return [hold for hold in holds if hold.attachment_id in (None, attachment_id)]


def place_hold(actor: Actor, record_id: UUID, *, reason: str, attachment_id: UUID | None = None) -> LegalHold:
    """Holds the record's files, or one. `Conflict` where it is held so already."""
    actor.check_may(Permission.FILE_HOLD)
    record = _led(actor, record_id)
    if attachment_id is not None and not db.session.scalar(
        sa.select(Attachment.id).where(Attachment.id == attachment_id, Attachment.record_id == record_id)
    ):
        raise NotVisible
    take_up(actor, [record_id])
    # of two who place the same hold at once, the second sees the first's
    db.session.scalar(sa.select(Record.id).where(Record.id == record_id).with_for_update())
    if db.session.scalar(
        sa.select(LegalHold.id)
        .where(
            LegalHold.record_id == record_id,
            LegalHold.lifted_at.is_(None),
            LegalHold.attachment_id.is_not_distinct_from(attachment_id),
        )
        .limit(1)
    ):
        raise Conflict("held_already", "There is a legal hold on this already.")
    hold = LegalHold(
        **facts_of(record),
        record_id=record_id,
        attachment_id=attachment_id,
        reason=reason,
        placed_at=clock.now(),
        placed_by=actor.user_id,
    )
    db.session.add(hold)
    db.session.flush()
    append(
        actor,
        "hold.placed",
        object_id=hold.id,
        version=hold.revision,
        records=[record_id],
        facts={"whole": attachment_id is None},
        texts={"reason": reason},
        key_of=record_id,
    )
    return hold


def ask_to_lift(actor: Actor, record_id: UUID, hold_id: UUID, *, reason: str) -> LegalHold:
    """The first of the two who lift a hold. It stands until somebody else agrees."""
    hold = _standing(actor, record_id, hold_id)
    if hold.lift_asked_at is not None:
        raise Conflict("asked_already", "Somebody has asked to lift this hold already.")
    hold.lift_asked_at, hold.lift_asked_by, hold.lift_reason = clock.now(), actor.user_id, reason
    db.session.flush()
    append(
        actor,
        "hold.lift_asked",
        object_id=hold.id,
        version=hold.revision,
        records=[record_id],
        texts={"reason": reason},
        key_of=record_id,
    )
    return hold


def lift_hold(actor: Actor, record_id: UUID, hold_id: UUID) -> LegalHold:
    """The second of the two. `Denied` for whoever asked for it."""
    hold = _standing(actor, record_id, hold_id)
    if hold.lift_asked_by is None:
        raise Conflict("not_asked", "Nobody has asked to lift this hold yet.")
    if hold.lift_asked_by == actor.user_id:
        raise Denied("own_lift", "You asked to lift this hold yourself, so somebody else must agree.")
    hold.lifted_at, hold.lifted_by = clock.now(), actor.user_id
    db.session.flush()
    append(actor, "hold.lifted", object_id=hold.id, version=hold.revision, records=[record_id])
    return hold


def _led(actor: Actor, record_id: UUID) -> Record:
    right = right_to(actor, record_id, session=db.session())
    record = db.session.scalar(sa.select(Record).where(Record.id == record_id))
    if right is None or record is None:
        raise NotVisible
    if not right.leads:
        raise Denied("not_lead", "Only those who lead the case place and lift legal holds.")
    return record


def _standing(actor: Actor, record_id: UUID, hold_id: UUID) -> LegalHold:
    actor.check_may(Permission.FILE_HOLD)
    _led(actor, record_id)
    take_up(actor, [record_id])
    hold = db.session.scalar(
        sa.select(LegalHold)
        .where(LegalHold.id == hold_id, LegalHold.record_id == record_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if hold is None:
        raise NotVisible
    if hold.lifted_at is not None:
        raise Conflict("lifted_already", "This hold has been lifted already.")
    return hold
