"""Pages of the second half of signing in: the code, and setting up an authenticator app where there is none."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.access.actor import Actor, RequestFacts
from hub.accounts import ceremonies, cookies, second_step
from hub.accounts.second_step import Begun
from hub.accounts.vocabulary import CeremonyKind
from hub.core.errors import Denied, Invalid
from hub.web.gate import request_facts
from hub.web.routes import Data, Door, Pages

pages = Pages("second_step", __name__)
Proof = Callable[[str, str, RequestFacts], tuple[str, Actor, str]]


def to_second_step(begun: Begun) -> Response:
    """To the page where the second half is given, with the token of what has begun in this browser."""
    set_up = begun.kind is CeremonyKind.SET_UP
    response = redirect(url_for("second_step.set_up" if set_up else "second_step.code"), 303)
    cookies.set_step(response, begun.token, lasts=ceremonies.SETTING_UP_LASTS if set_up else ceremonies.LASTS)
    return response


@pages.page(
    "/sign-in/code", needs=Door.PUBLIC, event="session.started", data=Data.NONE, methods=("GET", "POST")
)
def code() -> Response | str | tuple[str, int]:
    if ceremonies.find(cookies.step(), CeremonyKind.SECOND_STEP) is None:
        return _over()
    answer = _proved(second_step.sign_in_by_code) if request.method == "POST" else None
    if isinstance(answer, Response):
        return answer
    errors, status = answer or ({}, 200)
    return render_template("accounts/code.html", errors=errors), status


@pages.page(
    "/sign-in/set-up", needs=Door.PUBLIC, event="user.app_set", data=Data.STAFF, methods=("GET", "POST")
)
def set_up() -> Response | str | tuple[str, int]:
    try:
        offer = second_step.offer(cookies.step())
    except Denied:
        return _over()
    answer = _proved(second_step.set_up) if request.method == "POST" else None
    if isinstance(answer, Response):
        flash("Your authenticator app is set up. Keep it: you need it each time you sign in.", "success")
        return answer
    errors, status = answer or ({}, 200)
    return render_template("accounts/set_up.html", errors=errors, offer=offer), status


def _proved(prove: Proof) -> Response | tuple[dict[str, str], int]:
    """Into the hub; or what is wrong, and the status that says so."""
    try:
        token, actor, address = prove(cookies.step(), request.form.get("code", ""), request_facts())
    except Invalid as invalid:
        return invalid.errors, 422
    except Denied as denied:
        if denied.code == "ceremony_over":
            return _over()
        return {"code": denied.message}, 429 if denied.code == "too_often" else 422
    return cookies.signed_in(token, actor.user_id, address)


def _over() -> Response:
    """Nothing has begun in this browser, or it took too long: from the beginning."""
    return redirect(url_for("accounts.sign_in", over="1"), 303)
