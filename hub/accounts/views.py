"""Pages at the door: sign in (the first half), sign out, change hat, confirm who you are, enrol, own account."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from uuid import UUID

from flask import current_app, g, jsonify, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from hub.accounts import actions, admitting, cookies, credentials, enrolment, leaving, queries
from hub.accounts.ceremonies import OVER
from hub.accounts.step_views import to_second_step
from hub.core.errors import Denied, Invalid, NotVisible
from hub.extensions import db
from hub.web.addresses import inside
from hub.web.gate import request_facts
from hub.web.identity import COOKIE, current_actor, current_visit
from hub.web.routes import Data, Door, Pages

pages = Pages("accounts", __name__)


def signed_out(onward: str | None = None) -> Response:
    """To the sign-in page (or `onward`), with nothing of the session left in the browser. The mark of the device stays."""
    session.clear()
    response = redirect(onward or url_for("accounts.sign_in"), 303)
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="Lax")
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@pages.page("/sign-in", needs=Door.PUBLIC, event="session.started", data=Data.STAFF, methods=("GET", "POST"))
def sign_in() -> Response | str | tuple[str, int]:
    demo = bool(current_app.config["HUB_SETTINGS"].demo)
    errors = {"form": OVER} if request.args.get("over") else {}
    status = 200
    if request.method == "POST":
        try:
            chosen = request.form.get("user")
            if chosen is not None:
                if not demo:
                    raise NotVisible
                token, actor = actions.sign_in_demo(_uuid(chosen), request_facts())
                return cookies.signed_in(token, actor.user_id, request.form.get("next", "/"))
            begun = actions.sign_in(
                request.form.get("email", ""),
                request.form.get("password", ""),
                inside(request.form.get("next")),
                request_facts(),
            )
            return to_second_step(begun)
        except Denied as denied:
            errors = {"email": denied.message}
            status = 429 if denied.code == "too_often" else 422
    accounts = [
        (organisation, list(people))
        for organisation, people in groupby(
            queries.demo_accounts() if demo else [], itemgetter("organisation")
        )
    ]
    page = render_template(
        "accounts/sign_in.html",
        errors=errors,
        email=request.form.get("email") or session.pop(leaving.EMAIL, ""),
        next=inside(request.values.get("next")),
        kept=request.args.get("kept"),
        accounts=accounts,
    )
    return page, status


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotVisible from error


@pages.page(
    "/sign-out",
    needs=Door.SIGNED_IN,
    event="session.ended",
    data=Data.NONE,
    methods=("POST",),
    before_terms=True,
)
def sign_out() -> Response:
    visit, onward = current_visit(), None
    if visit is not None:
        actions.sign_out(current_actor(), visit.session_id)
        db.session.commit()
        onward = leaving.onward(visit)
    return signed_out(onward)


@pages.page("/hat", needs=Door.SIGNED_IN, event="session.switched", data=Data.NONE, methods=("POST",))
def hat() -> Response:
    team, _, purpose = request.form.get("hat", "").partition(":")
    visit = current_visit()
    if visit is not None:
        actions.switch_hat(current_actor(), visit.session_id, _uuid(team), purpose)
        db.session.commit()
    return redirect(inside(request.form.get("next")), 303)


@pages.page(
    "/session/stay", needs=Door.SIGNED_IN, event=None, data=Data.NONE, methods=("POST",), before_terms=True
)
def stay() -> Response:
    visit = current_visit()
    expires = visit.expires_at.isoformat() if visit else ""
    if request.accept_mimetypes.best == "application/json" or request.headers.get("X-CSRF-Token"):
        return jsonify(expires_at=expires)
    return redirect("/", 303)


@pages.page(
    "/session/confirm",
    needs=Door.SIGNED_IN,
    event="session.confirmed",
    data=Data.NONE,
    methods=("GET", "POST"),
)
def confirm() -> Response | str | tuple[str, int]:
    """Asks who it is again before something weighty; the session goes on under a new token, at the page that asked."""
    errors: dict[str, str] = {}
    visit, actor = current_visit(), current_actor()
    ways = queries.find_ways(actor)
    by_click = bool(current_app.config["HUB_SETTINGS"].demo) and not ways.both
    if request.method == "POST" and visit is not None:
        try:
            if by_click:
                token = credentials.confirm_demo(actor, visit.session_id)
            else:
                password, code = request.form.get("password", ""), request.form.get("code", "")
                token = credentials.confirm(actor, visit.session_id, password, code)
            db.session.commit()
            response = redirect(inside(request.form.get("next")), 303)
            cookies.set_session(response, token)
            return response
        except Invalid as invalid:
            errors = invalid.errors
    page = render_template(
        "accounts/confirm.html",
        errors=errors,
        next=inside(request.values.get("next")),
        by_click=by_click,
        ways=ways,
        only_passkey=admitting.only_by_bound_passkey(actor),
    )
    return page, 422 if errors else 200


@pages.page(
    "/enrol/<secret>", needs=Door.PUBLIC, event="user.enrolled", data=Data.NONE, methods=("GET", "POST")
)
def enrol(secret: str) -> Response | str | tuple[str, int]:
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            begun = enrolment.enrol(
                secret, request.form.get("password", ""), request.form.get("again", ""), request_facts()
            )
            return to_second_step(begun)
        except Invalid as invalid:
            errors = invalid.errors
    else:
        enrolment.check_link(secret, request_facts())
    return render_template("accounts/enrol.html", errors=errors, secret=secret), 422 if errors else 200


@pages.page("/account", needs=Door.SIGNED_IN, event=None, data=Data.STAFF)
def account() -> str:
    actor = current_actor()
    return render_template(
        "accounts/account.html", visit=g.visit, person=actor, ways=queries.find_ways(actor)
    )
