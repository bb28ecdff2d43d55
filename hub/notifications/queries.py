"""A user's own notices and, in a demonstration, the e-mails that would have been sent to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.audit import reading
from hub.audit.reading import Shown
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.extensions import db
from hub.notifications.models import Notification, OutboxMessage
from hub.notifications.vocabulary import NOTIFICATION_LABELS, NotificationKind

# the badge says 99+ beyond this
COUNT_CAP = 100


@dataclass(frozen=True)
class NoticeRow:
    """One notice as a list shows it."""

    id: UUID
    sentence: str
    reference: str
    address: str
    at: datetime
    is_new: bool


def unread_count(actor: Actor) -> int:
    """How many notices the actor has not read, counted to one hundred at most: every page shows it."""
    unread = (
        sa.select(Notification.id)
        .where(Notification.user_id == actor.user_id, Notification.read_at.is_(None))
        .limit(COUNT_CAP)
        .subquery()
    )
    return db.session.scalar(sa.select(sa.func.count()).select_from(unread)) or 0


def list_notifications(
    actor: Actor, cursor: Cursor | None = None, *, unread_only: bool = False
) -> Page[NoticeRow]:
    """The actor's own notices, newest first. Commits the event."""
    actor.check_may(Permission.NOTIFICATION_READ)
    wanted = sa.select(Notification).where(Notification.user_id == actor.user_id)
    if unread_only:
        wanted = wanted.where(Notification.read_at.is_(None))
    if cursor is not None:
        wanted = wanted.where(
            sa.tuple_(Notification.created_at, Notification.id)
            < sa.tuple_(sa.literal(cursor.at), sa.literal(cursor.id))
        )
    reading.listed(actor, "notification.listed", Shown())
    wanted = wanted.order_by(Notification.created_at.desc(), Notification.id.desc()).limit(PAGE_SIZE + 1)
    found = db.session.scalars(wanted).all()
    rows = [
        NoticeRow(
            id=one.id,
            sentence=_sentence(one.kind),
            reference=one.reference,
            address=one.address,
            at=one.created_at,
            is_new=one.read_at is None,
        )
        for one in found[:PAGE_SIZE]
    ]
    following = str(Cursor(rows[-1].at, rows[-1].id)) if len(found) > PAGE_SIZE else None
    return Page(rows, following)


def list_own_mail(
    actor: Actor, cursor: Cursor | None = None, *, kind: NotificationKind | None = None
) -> Page[OutboxMessage]:
    """A page of the e-mails to the actor, newest first. Commits the event."""
    actor.check_may(Permission.NOTIFICATION_READ)
    wanted = sa.select(OutboxMessage).where(OutboxMessage.user_id == actor.user_id)
    if kind is not None:
        wanted = wanted.where(OutboxMessage.kind == kind.value)
    if cursor is not None:
        last = sa.tuple_(sa.literal(cursor.at), sa.literal(cursor.id))
        wanted = wanted.where(sa.tuple_(OutboxMessage.created_at, OutboxMessage.id) < last)
    reading.listed(actor, "notification.listed", Shown())
    wanted = wanted.order_by(OutboxMessage.created_at.desc(), OutboxMessage.id.desc()).limit(PAGE_SIZE + 1)
    found = db.session.scalars(wanted).all()
    rows = found[:PAGE_SIZE]
    return Page(rows, str(Cursor(rows[-1].created_at, rows[-1].id)) if len(found) > PAGE_SIZE else None)


def _sentence(kind: str) -> str:
    known = {member.value: label for member, label in NOTIFICATION_LABELS.items()}
    return known.get(kind, "Something has changed")
