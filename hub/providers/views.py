"""Pages of signing in through an organisation's provider: there, back, and linking one's own account."""

from __future__ import annotations

import structlog
from flask import flash, g, jsonify, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from hub.accounts import cookies, leaving, throttle, ways
from hub.accounts.vocabulary import CeremonyKind
from hub.audit.recording import append, append_nobody
from hub.core.errors import Denied
from hub.extensions import db
from hub.providers import flow, signing_in
from hub.providers.actions import link_identity, unlink_identity
from hub.providers.fetching import Unreachable, origin_of
from hub.providers.logging_out import end_as_told
from hub.providers.queries import find_own
from hub.providers.signing_in import Answered, Begun, Refused
from hub.providers.tokens import BadToken
from hub.providers.vocabulary import Why
from hub.web.addresses import inside
from hub.web.gate import request_facts
from hub.web.headers import allow_forms_to
from hub.web.identity import Visit, current_actor, current_visit
from hub.web.once import once
from hub.web.routes import Data, Door, Pages

pages = Pages("providers", __name__)
log = structlog.get_logger("hub.providers")
OWN = "/account/organisation"
NO_PROVIDER = "Your organisation has not connected its own sign-in to the hub. Sign in with your password."


def _go(begun: Begun) -> Response:
    response = redirect(begun.address, 303)
    cookies.set_step(response, begun.token)
    return response


def _refused(refused: Refused) -> tuple[str, int]:
    """The one page of all refusals, after the event. Too many of one source are told to wait instead."""
    db.session.rollback()
    throttle.check_source(request.remote_addr)
    facts = {"why": refused.why.value}
    if g.actor is not None:
        append(g.actor, "session.refused", outcome="denied", object_id=g.actor.user_id, facts=facts)
    else:
        append_nobody(request_facts(), "session.refused", user_id=None, facts=facts)
    db.session.commit()
    log.warning("provider_refused", why=refused.why.value, request=g.request_id)
    return render_template("providers/refused.html", sentence=refused.message, reference=g.request_id), 403


@pages.page(
    "/sign-in/organisation", needs=Door.PUBLIC, event="session.refused", data=Data.NONE, methods=("POST",)
)
def start() -> Response | tuple[str, int]:
    """To the provider of an address's domain; to the password for all others, whether there is an account or not."""
    email, address = request.form.get("email", ""), inside(request.form.get("next"))
    try:
        begun = signing_in.begin_sign_in(email, address, request_facts())
    except Refused as refused:
        return _refused(refused)
    if begun is not None:
        return _go(begun)
    session[leaving.EMAIL] = email[:254]
    flash(NO_PROVIDER, "info")
    return redirect(url_for("accounts.sign_in", next=address), 303)


@pages.page(flow.RETURN, needs=Door.PUBLIC, event="session.started", data=Data.NONE)
def come_back() -> Response | tuple[str, int]:
    """Where providers send the browser back to."""
    visit = current_visit()
    try:
        answered = signing_in.take_answer(cookies.step(), visit, request.args)
        return _end(answered, visit)
    except Refused as refused:
        return _refused(refused)


def _end(answered: Answered, visit: Visit | None) -> Response:
    kind, begun = answered.ceremony.kind, answered.ceremony
    if kind == CeremonyKind.PROVIDER_SIGN_IN.value:
        token, actor = signing_in.sign_in(answered, request_facts())
        return cookies.signed_in(token, actor.user_id, begun.address)
    if begun.session_id is None:
        token, actor = signing_in.enrol(answered, request_facts())
        flash("Your organisation’s sign-in is linked to your account. Welcome to the hub.", "success")
        return cookies.signed_in(token, actor.user_id, "/")
    if visit is None or visit.actor is None:
        raise Refused(Why.OVER)
    if kind == CeremonyKind.PROVIDER_CONFIRM.value:
        token = signing_in.confirm(visit.actor, visit, answered)
        db.session.commit()
        response = redirect(inside(begun.address), 303)
        cookies.set_session(response, token)
        return response
    link_identity(visit.actor, answered.provider, answered.vouched.subject)
    db.session.commit()
    flash("Your organisation’s sign-in is linked to your account.", "success")
    return redirect(url_for("providers.own"), 303)


@pages.page(
    flow.LOGOUT,
    needs=Door.PUBLIC,
    event="session.revoked",
    data=Data.NONE,
    methods=("POST",),
    keeps_session=False,
    programs=True,
)
def provider_logout() -> Response | tuple[Response, int]:
    """A provider tells that somebody signed out there: its token is the proof, so no cookie and no form of ours is asked for."""
    try:
        end_as_told(request.form.get("logout_token"))
    except Unreachable:
        return _not_believed(Why.UNREACHABLE), 503
    except BadToken as bad:
        return _not_believed(bad.why), 400
    return Response(status=200)


def _not_believed(why: Why) -> Response:
    db.session.rollback()
    throttle.check_source(request.remote_addr)
    append_nobody(request_facts(), "session.refused", user_id=None, facts={"why": why.value})
    db.session.commit()
    log.warning("provider_logout_refused", why=why.value, request=g.request_id)
    return jsonify(error="invalid_request")


@pages.page(
    "/session/confirm/organisation",
    needs=Door.SIGNED_IN,
    event="session.confirmed",
    data=Data.NONE,
    methods=("POST",),
)
def start_confirmation() -> Response | tuple[str, int]:
    try:
        return _go(signing_in.begin_confirmation(current_actor(), _visit(), inside(request.form.get("next"))))
    except Refused as refused:
        return _refused(refused)


@pages.page(
    "/enrol/organisation", needs=Door.PUBLIC, event="user.enrolled", data=Data.NONE, methods=("POST",)
)
def start_enrolment() -> Response | tuple[str, int]:
    """With an enrolment link in hand to the provider: who comes back is linked to the account of the link."""
    throttle.check_source(request.remote_addr)
    try:
        return _go(signing_in.begin_enrolment(request.form.get("secret", "")))
    except Refused as refused:
        return _refused(refused)


@pages.page(OWN, needs=Door.SIGNED_IN, event=None, data=Data.STAFF)
def own() -> str:
    actor = current_actor()
    provider, identity = find_own(actor)
    if provider is not None:
        allow_forms_to(origin_of(provider.issuer))
    return render_template(
        "providers/own.html",
        provider=provider,
        identity=identity,
        another=ways.has_another(actor, "provider"),
    )


@pages.page(
    f"{OWN}/link",
    needs=Door.SIGNED_IN,
    event="identity.linked",
    data=Data.NONE,
    methods=("POST",),
    fresh=True,
)
def link() -> Response | tuple[str, int]:
    try:
        return _go(signing_in.begin_link(current_actor(), _visit()))
    except Refused as refused:
        return _refused(refused)


@pages.page(
    f"{OWN}/unlink",
    needs=Door.SIGNED_IN,
    event="identity.unlinked",
    data=Data.NONE,
    methods=("POST",),
    fresh=True,
)
def unlink() -> Response:
    actor, visit = current_actor(), _visit()

    def act() -> str:
        unlink_identity(actor, visit.session_id)
        flash("Your organisation’s sign-in is not linked to your account any more.", "success")
        return url_for("providers.own")

    return once(actor, act)


def _visit() -> Visit:
    visit = current_visit()
    if visit is None:
        raise Denied("not_signed_in", "Sign in to do this.")
    return visit
