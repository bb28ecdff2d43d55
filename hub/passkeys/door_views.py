"""Signing in and confirming with a passkey, as the script asks for it."""

from __future__ import annotations

from typing import Any

from flask import current_app, g, request
from werkzeug.wrappers import Response

from hub.accounts import cookies
from hub.core.errors import Denied
from hub.extensions import db
from hub.passkeys import proofs, queries
from hub.passkeys.answers import ask, go_to, in_json
from hub.passkeys.party import party_of
from hub.web.addresses import inside
from hub.web.gate import request_facts
from hub.web.identity import Visit, current_actor, current_visit
from hub.web.routes import Data, Door, Pages

pages = Pages("passkey_door", __name__)


@pages.app_context_processor
def _offer() -> dict[str, Any]:
    """Whether the pages at the door offer a passkey, and for which origin: one at another can't be answered."""
    party = party_of(current_app.config["HUB_SETTINGS"])
    asks_again = bool(request) and request.endpoint == "accounts.confirm"
    if party is None or (asks_again and not _has_any()):
        return {"passkey_origin": ""}
    return {"passkey_origin": party.origin}


def _has_any() -> bool:
    return not g.get("failed") and g.get("actor") is not None and queries.has_any(g.actor)


@pages.page("/sign-in/passkey/begin", needs=Door.PUBLIC, event=None, data=Data.NONE, methods=("POST",))
@in_json
def begin_sign_in() -> Response:
    return ask(*proofs.begin_sign_in(request_facts(), inside(request.form.get("next"))))


@pages.page("/sign-in/passkey", needs=Door.PUBLIC, event="session.started", data=Data.NONE, methods=("POST",))
@in_json
def sign_in() -> Response:
    token, actor, address = proofs.sign_in(
        request_facts(), token=cookies.step(), credential=request.form.get("credential", "")
    )
    return go_to(address, cookies.signed_in(token, actor.user_id, address))


@pages.page(
    "/session/confirm/passkey/begin", needs=Door.SIGNED_IN, event=None, data=Data.NONE, methods=("POST",)
)
@in_json
def begin_confirming() -> Response:
    actor, visit = current_actor(), _visit()
    asked = proofs.begin_confirming(actor, visit.session_id, inside(request.form.get("next")))
    db.session.commit()
    return ask(*asked)


@pages.page(
    "/session/confirm/passkey",
    needs=Door.SIGNED_IN,
    event="session.confirmed",
    data=Data.NONE,
    methods=("POST",),
)
@in_json
def confirm() -> Response:
    token, address = proofs.confirm(
        current_actor(),
        _visit().session_id,
        token=cookies.step(),
        credential=request.form.get("credential", ""),
    )
    db.session.commit()
    response = go_to(address)
    cookies.set_session(response, token)
    return response


def _visit() -> Visit:
    visit = current_visit()
    if visit is None:
        raise Denied("not_signed_in", "Sign in to do this.")
    return visit
