"""What accounts tells its users of: a new device, a new password. Who carries it is installed, as accounts imports no notices."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, current_app

from hub.access.actor import Actor

NEW_DEVICE, NEW_PASSWORD = "session.started", "user.enrolled"
ADDRESS = "/account/sessions"
Tell = Callable[[Actor, str], None]


def install(app: Flask, tell: Tell) -> None:
    app.extensions["hub_tell_user"] = tell


def tell(actor: Actor, kind: str) -> None:
    """Leaves the user a notice and an e-mail about their own account. Flushes, does not commit."""
    carry: Tell = current_app.extensions["hub_tell_user"]
    carry(actor, kind)
