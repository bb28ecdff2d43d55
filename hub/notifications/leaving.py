"""The two rows of a notice to one user: in the hub, and an e-mail that says no more than that there is something to read."""

from __future__ import annotations

from flask import current_app

from hub.accounts.models import User
from hub.extensions import db
from hub.notifications.models import Notification, OutboxMessage
from hub.notifications.vocabulary import NOTIFICATION_LABELS, NotificationKind


def leave(user: User, kind: NotificationKind, *, reference: str, address: str) -> None:
    """The two rows for one user. The event, and that they are flushed, is the caller's to see to."""
    db.session.add(Notification(user_id=user.id, kind=kind.value, reference=reference, address=address))
    db.session.add(_message(user, kind, reference, address))


def _message(user: User, kind: NotificationKind, reference: str, address: str) -> OutboxMessage:
    """Every line is the hub's own; what is told can only be read after signing in."""
    sentence = NOTIFICATION_LABELS[kind]
    link = f"{current_app.config['HUB_SETTINGS'].public_url}{address}"
    body = (
        f"{sentence}.\n\n"
        f"Reference: {reference}\n"
        f"Sign in to read it: {link}\n\n"
        "This email holds no details on purpose. Do not reply to it, and never send details of people by email.\n"
    )
    return OutboxMessage(
        user_id=user.id,
        to_address=user.email,
        kind=kind.value,
        subject=f"OFFICIAL: {sentence} ({reference})",
        body=body,
    )
