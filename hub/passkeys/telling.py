"""What users are told of their passkeys (SECURITY N15)."""

from __future__ import annotations

from hub.access.actor import Actor
from hub.accounts.models import User
from hub.notifications.account_notices import warn_user
from hub.notifications.actions import notify
from hub.notifications.vocabulary import NotificationKind

ADDRESS = "/account/passkeys"
REFERENCE = "your-account"


def tell(actor: Actor, kind: NotificationKind) -> None:
    """A notice and an e-mail to the actor, who may be somebody else in their name. Flushes, does not commit."""
    notify(actor, [actor.user_id], kind, reference=REFERENCE, address=ADDRESS, own=True)


def warn(user: User) -> None:
    """The same to somebody who is not signed in: one of their passkeys was taken away. Flushes, does not commit."""
    warn_user(user, NotificationKind.PASSKEY_SUSPENDED, ADDRESS)
