"""What accounts tells its users of: a new device, password or app, a reset. Who carries it is installed, as accounts imports no notices."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import Flask, current_app

from hub.access.actor import Actor

NEW_DEVICE, NEW_PASSWORD, CHANGED_PASSWORD = "session.started", "user.enrolled", "user.password_changed"
NEW_APP, RESET, NEW_EMAIL = "user.app_set", "user.reset", "user.changed"
ADDRESS = "/account/sessions"
Tell = Callable[[Actor, str, UUID], None]


def install(app: Flask, tell: Tell) -> None:
    app.extensions["hub_tell_user"] = tell


def tell(actor: Actor, kind: str, user_id: UUID | None = None) -> None:
    """Leaves the user (the actor, where none is named) a notice and an e-mail about their account. Flushes, does not commit."""
    carry: Tell = current_app.extensions["hub_tell_user"]
    carry(actor, kind, user_id or actor.user_id)
