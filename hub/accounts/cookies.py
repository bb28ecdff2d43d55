"""The cookies of the door: of a session, of a device that an account knows, of a proof that has begun."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask import redirect, request, session
from werkzeug.wrappers import Response

from hub.accounts import ceremonies, known_devices
from hub.accounts.sessions import ABSOLUTE
from hub.web.addresses import inside
from hub.web.identity import COOKIE

STEP = "__Host-hub-step"


def signed_in(token: str, user_id: UUID, address: str) -> Response:
    """On to the page that was asked for, with a new session in the browser."""
    session.clear()
    response = redirect(inside(address), 303)
    set_session(response, token)
    known = known_devices.remember(request.cookies.get(known_devices.COOKIE, ""), user_id)
    _set(response, known_devices.COOKIE, known, known_devices.LASTS)
    return response


def set_session(response: Response, token: str) -> None:
    _set(response, COOKIE, token, ABSOLUTE)
    response.delete_cookie(STEP, path="/", secure=True, httponly=True, samesite="Lax")


def set_step(response: Response, token: str, *, lasts: timedelta = ceremonies.LASTS) -> None:
    """The token of a proof that has begun. `Lax`, so that it comes back from a provider's page too."""
    _set(response, STEP, token, lasts)


def step() -> str:
    """The token of the proof that this browser began; empty where there is none."""
    return request.cookies.get(STEP, "")


def _set(response: Response, name: str, value: str, lasts: timedelta) -> None:
    response.set_cookie(
        name,
        value,
        max_age=int(lasts.total_seconds()),
        secure=True,
        httponly=True,
        samesite="Lax",
        path="/",
    )
