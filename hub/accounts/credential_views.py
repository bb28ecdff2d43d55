"""Pages of one's own ways in: a new password, another authenticator app."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.accounts import ceremonies, cookies, credentials, queries
from hub.core.errors import Denied, Invalid, NotVisible
from hub.extensions import db
from hub.web.identity import Visit, current_actor, current_visit
from hub.web.routes import Data, Door, Pages

pages = Pages("credentials", __name__)


@pages.page(
    "/account/password",
    needs=Door.SIGNED_IN,
    event="user.password_changed",
    data=Data.NONE,
    methods=("GET", "POST"),
    fresh=True,
)
def password() -> Response | tuple[str, int]:
    actor = current_actor()
    if not queries.find_ways(actor).has_password:
        raise NotVisible
    errors: dict[str, str] = {}
    status = 200
    if request.method == "POST":
        given = (request.form.get(name, "") for name in ("old", "password", "again"))
        try:
            token = credentials.change_password(actor, _visit().session_id, *given)
            db.session.commit()
            return _done(token, "Your password is changed. You are signed out everywhere else.")
        except Invalid as invalid:
            errors, status = invalid.errors, 422
    return render_template("accounts/password.html", errors=errors), status


@pages.page(
    "/account/authenticator",
    needs=Door.SIGNED_IN,
    event="user.app_set",
    data=Data.STAFF,
    methods=("GET", "POST"),
    fresh=True,
)
def app() -> Response | tuple[str, int]:
    actor, visit = current_actor(), _visit()
    errors: dict[str, str] = {}
    status = 200
    if request.method == "POST":
        try:
            token = credentials.set_app(actor, visit.session_id, cookies.step(), request.form.get("code", ""))
            db.session.commit()
            return _done(token, "Your new authenticator app is set up. The old one is of no use any more.")
        except Invalid as invalid:
            errors, status = invalid.errors, 422
        except Denied as denied:
            if denied.code != "ceremony_over":
                raise
            errors, status = {"form": denied.message}, 422
    offer = credentials.find_offer(actor, visit.session_id, cookies.step())
    return render_template("accounts/app.html", errors=errors, offer=offer), status


@pages.page(
    "/account/authenticator/start",
    needs=Door.SIGNED_IN,
    event=None,
    data=Data.NONE,
    methods=("POST",),
    fresh=True,
)
def start_app() -> Response:
    token = credentials.begin_app(current_actor(), _visit().session_id)
    db.session.commit()
    response = redirect(url_for("credentials.app"), 303)
    cookies.set_step(response, token, lasts=ceremonies.SETTING_UP_LASTS)
    return response


def _done(token: str, words: str) -> Response:
    flash(words, "success")
    response = redirect(url_for("accounts.account"), 303)
    cookies.set_session(response, token)
    return response


def _visit() -> Visit:
    visit = current_visit()
    if visit is None:
        raise Denied("not_signed_in", "Sign in to do this.")
    return visit
