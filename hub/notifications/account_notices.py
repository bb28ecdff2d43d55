"""Notices to a user about their own account: the only ones that go to whoever acts, for it may be somebody else, or while
nobody does."""

from __future__ import annotations

from uuid import UUID

from hub.access.actor import Actor
from hub.accounts.models import User
from hub.accounts.telling import ADDRESS
from hub.extensions import db
from hub.notifications.actions import notify
from hub.notifications.leaving import leave
from hub.notifications.vocabulary import NotificationKind


def tell_user(actor: Actor, kind: str, user_id: UUID) -> None:
    """A notice and an e-mail to the user whose account it is. Flushes, does not commit."""
    notify(actor, [user_id], NotificationKind(kind), reference="your-account", address=ADDRESS, own=True)


def warn_user(user: User, kind: NotificationKind | str, address: str) -> None:
    """A notice and an e-mail to somebody for whom nobody is signed in: the refusal it tells of is the event. Flushes."""
    leave(user, NotificationKind(kind), reference="your-account", address=address)
    db.session.flush()
