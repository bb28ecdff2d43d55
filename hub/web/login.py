"""Flask-Login, kept thin: `current_user` is whoever the gate recognised. It holds no session and no cookie of its own."""

from __future__ import annotations

from typing import Any

from flask import Flask, g
from flask_login import UserMixin

from hub.access.actor import Actor
from hub.extensions import login_manager


class SignedIn(UserMixin):  # type: ignore[misc]
    """The actor of this request, as Flask-Login knows one."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor

    def get_id(self) -> str:
        return str(self.actor.user_id)


def install(app: Flask) -> None:
    # sessions live on the server and are compared there: nothing for Flask-Login to protect or to remember
    login_manager.session_protection = None
    login_manager.request_loader(_recognised)
    login_manager.init_app(app)


def _recognised(_request: Any) -> SignedIn | None:
    actor = g.get("actor")
    return SignedIn(actor) if actor is not None else None
