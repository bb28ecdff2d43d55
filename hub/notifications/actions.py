"""Tells users of what happened: a notice in the hub, and an e-mail in the outbox that holds a reference and a link only.

Both are rows of the transaction of the act that they tell of; the worker sends the e-mail afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.accounts.models import User
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import NotVisible
from hub.extensions import db
from hub.notifications.leaving import leave
from hub.notifications.models import Notification
from hub.notifications.vocabulary import NotificationKind

_REFERENCE = re.compile(r"[A-Za-z0-9._/-]{1,60}")
_ADDRESS = re.compile(r"/[A-Za-z0-9_./?=&-]{0,200}")


class WrongNotice(RuntimeError):
    """A notice of an unknown kind, or one that could carry more than a reference: a mistake of the programmer."""


def notify(
    actor: Actor,
    user_ids: Iterable[UUID],
    kind: NotificationKind | str,
    *,
    reference: str,
    address: str,
    own: bool = False,
) -> int:
    """Leaves a notice and an e-mail for each of the users but the actor; returns how many. Flushes, does not commit.

    `reference` is a record's or an agreement's own, `address` a path of this service. `WrongNotice` for anything else.
    `own` where it is about the actor's own account.
    """
    known = _checked(kind, reference, address)
    users = db.session.scalars(
        sa.select(User)
        .where(User.id.in_(set(user_ids) - (set() if own else {actor.user_id})), User.disabled_at.is_(None))
        .order_by(User.id)
    ).all()
    for user in users:
        leave(user, known, reference=reference, address=address)
    if users:
        db.session.flush()
        append(actor, "notification.left", counted=len(users), facts={"kind": known.value})
    return len(users)


def _checked(kind: NotificationKind | str, reference: str, address: str) -> NotificationKind:
    try:
        known = NotificationKind(kind)
    except ValueError:
        raise WrongNotice(f"{kind} is not a kind of notice: see hub/notifications/vocabulary.py") from None
    if not _REFERENCE.fullmatch(reference) or not _ADDRESS.fullmatch(address) or address.startswith("//"):
        raise WrongNotice("a notice holds a reference and a path of this service, and nothing else")
    return known


def mark_read(actor: Actor, notification_id: UUID) -> str:
    """The actor's own notice is read; returns the address that it leads to. `NotVisible` for another's or none."""
    actor.check_may(Permission.NOTIFICATION_READ)
    own = sa.and_(Notification.id == notification_id, Notification.user_id == actor.user_id)
    address = db.session.scalar(sa.select(Notification.address).where(own))
    if address is None:
        raise NotVisible
    db.session.execute(
        sa.update(Notification).where(own, Notification.read_at.is_(None)).values(read_at=clock.now())
    )
    append(actor, "notification.read", object_id=notification_id, counted=1)
    return address


def mark_all_read(actor: Actor, before: UUID) -> int:
    """All the actor's notices up to and with `before` (the newest that the page showed) are read; how many were not."""
    actor.check_may(Permission.NOTIFICATION_READ)
    changed = db.session.execute(
        sa.update(Notification)
        .where(
            Notification.user_id == actor.user_id, Notification.read_at.is_(None), Notification.id <= before
        )
        .values(read_at=clock.now())
    )
    count = int(changed.rowcount)  # type: ignore[attr-defined]
    append(actor, "notification.read", counted=count)
    return count
