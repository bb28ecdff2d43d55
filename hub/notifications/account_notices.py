"""Notices to a user about their own account: the only ones that go to whoever acts, for it may be somebody else."""

from __future__ import annotations

from uuid import UUID

from hub.access.actor import Actor
from hub.accounts.telling import ADDRESS
from hub.notifications.actions import notify
from hub.notifications.vocabulary import NotificationKind


def tell_user(actor: Actor, kind: str, user_id: UUID) -> None:
    """A notice and an e-mail to the user whose account it is. Flushes, does not commit."""
    notify(actor, [user_id], NotificationKind(kind), reference="your-account", address=ADDRESS, own=True)
