"""Answers to the script that asks a device for a passkey: JSON, with a sentence where something is refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import g, jsonify, make_response
from werkzeug.wrappers import Response

from hub.accounts import cookies
from hub.core.errors import HubError
from hub.extensions import db
from hub.web.failures import status_of

P = ParamSpec("P")


def in_json(view: Callable[P, Response]) -> Callable[P, Response]:
    """A view whose refusals are `{"message": …}`, and under `errors` what is wrong with which field."""

    @wraps(view)
    def answer(*args: P.args, **named: P.kwargs) -> Response:
        try:
            return view(*args, **named)
        except HubError as error:
            db.session.rollback()
            refusal = jsonify(message=error.message, errors=getattr(error, "errors", {}))
            refusal.status_code = status_of(error)
            if g.get("retry_after"):
                refusal.headers["Retry-After"] = str(g.retry_after)
            return refusal

    return answer


def ask(token: str, options: str) -> Response:
    """What the browser is to ask its devices for, as it stands, with the token of the step in a cookie."""
    response = make_response(options)
    response.mimetype = "application/json"
    cookies.set_step(response, token)
    return response


def go_to(address: str, response: Response | None = None) -> Response:
    """Where the script leads on to; `response` is a redirection whose cookies go along."""
    answer = jsonify(address=address)
    for cookie in response.headers.getlist("Set-Cookie") if response is not None else ():
        answer.headers.add("Set-Cookie", cookie)
    return answer
