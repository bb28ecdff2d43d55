"""What the web layer asks of accounts: whose request this is. Accounts installs itself; web never imports upwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from flask import Flask, current_app, g

from hub.access.actor import Actor, RequestFacts
from hub.core import clock

COOKIE = "__Host-hub-session"
# what is weighty is done by who proved within this time who they are
FRESH = timedelta(minutes=5)


@dataclass(frozen=True)
class Hat:
    """A team and purpose that the user may put on."""

    value: str
    label: str


@dataclass(frozen=True)
class Visit:
    """A request's session. `actor` is None where it has run out; `user_id` is still known then."""

    session_id: UUID
    user_id: UUID
    partnership_id: UUID
    actor: Actor | None
    expires_at: datetime
    authenticated_at: datetime
    hats: tuple[Hat, ...] = ()
    # the identity provider that vouched for the user, if one did
    provider_id: UUID | None = None
    # the terms of use that the user accepted last
    terms_version: str | None = None

    @property
    def is_fresh(self) -> bool:
        """Has the user proved within the last five minutes who they are?"""
        return clock.now() - self.authenticated_at <= FRESH


@dataclass(frozen=True)
class Duty:
    """What a user must do before anything else: the page of it, and what a script is told that asks for something else."""

    endpoint: str
    code: str
    message: str


Count = Callable[[Actor], int]
Owed = Callable[[Visit], Duty | None]
Identify = Callable[[str, RequestFacts, bool], Visit | None]


def install(app: Flask, identify: Identify) -> None:
    app.extensions["hub_identify"] = identify


def install_count(app: Flask, name: str, count: Count) -> None:
    """A number that every page shows: `unread` (notifications) or `waiting` (shares to answer)."""
    app.extensions.setdefault("hub_counts", {})[name] = count


def install_duty(app: Flask, owed: Owed) -> None:
    """What comes before every page; it is asked at each request and must ask the database nothing."""
    app.extensions["hub_duty"] = owed


def duty_of(visit: Visit) -> Duty | None:
    owed: Owed = current_app.extensions["hub_duty"]
    return owed(visit)


def counts(actor: Actor) -> dict[str, int]:
    found: dict[str, Count] = current_app.extensions.get("hub_counts", {})
    return {name: count(actor) for name, count in found.items()}


def identify(token: str, request: RequestFacts, touch: bool) -> Visit | None:
    found: Visit | None = current_app.extensions["hub_identify"](token, request, touch)
    return found


def current_visit() -> Visit | None:
    visit: Visit | None = g.get("visit")
    return visit


def current_actor() -> Actor:
    """The actor of a signed-in request; the gate has seen to it that there is one."""
    actor: Actor = g.actor
    return actor
