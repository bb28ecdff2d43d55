"""What happens before every view: whose request it is, whether the form is ours, whether the role allows it.

Default deny: a route that nobody declared answers 403. A refusal for want of permission is an event.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Request, current_app, g, make_response, redirect, request, session, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from hub.access.actor import NOBODY, RequestFacts
from hub.access.guard import enter
from hub.access.permissions import Permission
from hub.audit.recording import append
from hub.core.errors import Denied, Invalid
from hub.core.ids import new_id
from hub.crypto import keyring
from hub.extensions import db, live_session
from hub.web import drafts, limits
from hub.web.devices import device_of
from hub.web.identity import COOKIE, duty_of, identify
from hub.web.routes import DECLARED, Declared, Door

# everything else changes something and needs a form of ours
SAFE = frozenset({"GET", "OPTIONS"})
DOOR = "door"
# sent by a script of ours for what nobody did: it keeps no session alive
BY_ITSELF = "X-By-Itself"
DEVICE_COOKIE = "__Host-hub-device"


class HubRequest(Request):
    """A request that never spools a file to disk: uploads are read by their own streaming reader (SECURITY 1)."""

    max_form_parts = 500
    max_form_memory_size = 1024 * 1024

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        if self.method == "HEAD":
            # a view that asks "was it GET?" must not take this for a form; the server leaves the body out by itself
            self.method = "GET"

    def _get_file_stream(self, *_: Any, **__: Any) -> Any:
        raise Invalid("unexpected_file", "A file was sent to a page that does not take one.")


def install(app: Flask) -> None:
    app.request_class = HubRequest
    app.before_request(_before)
    app.teardown_request(_after)


def csrf_token() -> str:
    """The token of this visitor's forms: bound to the session, or to the door cookie before sign-in."""
    visit = g.get("visit")
    if visit is not None and visit.actor is not None:
        return _token_for(f"session:{visit.session_id}")
    return _token_for(f"door:{session.setdefault(DOOR, secrets.token_urlsafe(24))}")


def _token_for(bound_to: str) -> str:
    secret = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(secret, bound_to.encode(), hashlib.sha256).hexdigest()


def check_csrf(given: str | None, right: str | None = None) -> None:
    """Raises `Invalid` unless the token is this visitor's. Bytes are compared: the text may be anything."""
    right = right or csrf_token()
    if not given or not hmac.compare_digest(given.encode("utf-8", "replace"), right.encode()):
        raise Invalid(
            "bad_form_token", "This form is out of date. Go back, reload the page and send it again."
        )


def _before() -> Response | None:
    g.nonce = secrets.token_urlsafe(16)
    g.request_id = str(new_id())
    g.visit = g.actor = None
    enter(db.session(), NOBODY)
    _check_address()
    declared = DECLARED.get(request.endpoint or "")
    if request.endpoint is None or request.endpoint == "static":
        return None
    if declared is None:
        raise Denied("undeclared_route", "This address is not in use.")
    if not declared.programs:
        _recognise(declared)
        late = _check_form(declared) if request.method not in SAFE else None
        if late is not None:
            return late
    refused = _check_duty(declared) or _check_permission(declared) or _check_fresh(declared)
    if refused is None and declared.limit is not None and g.actor is not None:
        limits.check(g.actor, declared.limit)
    return refused


def _check_address() -> None:
    """No text of ours holds a NUL, and the database takes none."""
    values = (value for _, value in request.args.items(multi=True))
    if "\0" in request.path or any("\0" in value for value in (*request.args, *values)):
        raise Invalid("bad_address", "This address is not complete. Go back to the list.")


def _recognise(declared: Declared) -> None:
    token = request.cookies.get(COOKIE, "")
    if not token:
        return
    facts = request_facts()
    g.visit = identify(token, facts, declared.keeps_session and BY_ITSELF not in request.headers)
    if g.visit is not None and g.visit.actor is not None:
        g.actor = g.visit.actor
        enter(db.session(), g.actor)


def request_facts() -> RequestFacts:
    agent = request.headers.get("User-Agent", "")
    return RequestFacts(
        ip=request.remote_addr,
        request_id=g.request_id,
        user_agent_hash=hashlib.sha256(agent.encode("utf-8", "replace")).hexdigest()[:32],
        build=str(current_app.config["HUB_SETTINGS"].build),
        device=device_of(agent),
        known_device=request.cookies.get(DEVICE_COOKIE, ""),
    )


def _check_form(declared: Declared) -> Response | None:
    """Same site, and the visitor's own token. Upload routes check the token themselves, before the file's first byte."""
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin")
    # without a referrer a browser says "null" of its own pages too: then the site above and the token decide
    if site not in ("same-origin", "none") or (origin not in (None, "null") and origin not in _own_origins()):
        raise Invalid("foreign_form", "This was sent from another site. Nothing was changed.")
    if declared.streams:
        return None
    token = request.form.get("csrf_token") or request.headers.get("X-CSRF-Token")
    if g.actor is None and g.visit is not None and declared.needs is not Door.PUBLIC:
        # the session ran out while the user was writing: what came is kept, and shown again after sign-in
        check_csrf(token, _token_for(f"session:{g.visit.session_id}"))
        return _keep_and_sign_in()
    check_csrf(token)
    return None


def _own_origins() -> tuple[str, str]:
    """The address that users go to, and the one that this request came to: a proxy may stand between."""
    public = urlsplit(current_app.config["HUB_SETTINGS"].public_url)
    return f"{public.scheme}://{public.netloc}", request.host_url.rstrip("/")


def _keep_and_sign_in() -> Response:
    kept = drafts.keep_late(g.visit, request.form)
    if request.headers.get("X-CSRF-Token"):
        # a script asks, and shows what it is told on the page that is still open
        return make_response({"kept": kept}, 401)
    return redirect(url_for("accounts.sign_in", next=_page_of_form(), kept="1"))


def _page_of_form() -> str:
    """The page that a form was on; My work where nobody can tell."""
    back = request.form.get("back") or request.path
    adapter = current_app.create_url_adapter(request)
    shown = adapter is not None and adapter.test(back.partition("?")[0], method="GET")
    return back if shown else "/"


def _check_duty(declared: Declared) -> Response | None:
    """Who owes something first is led there, and what was typed waits as a draft. The page that was asked for comes after it."""
    if g.actor is None or declared.before_terms or declared.needs is Door.PUBLIC:
        return None
    duty = duty_of(g.visit)
    if duty is None:
        return None
    if _asked_by_script():
        return make_response({"code": duty.code, "message": duty.message}, 403)
    if request.method == "GET":
        return redirect(url_for(duty.endpoint, next=request.full_path.rstrip("?")), 303)
    if declared.streams:
        return redirect(url_for(duty.endpoint), 303)
    drafts.keep_late(g.visit, request.form)
    return redirect(url_for(duty.endpoint, next=_page_of_form()), 303)


def _asked_by_script() -> bool:
    """Browsers say whether they go to a page; of others it is known by what they ask for."""
    mode = request.headers.get("Sec-Fetch-Mode")
    if mode is not None:
        return mode != "navigate"
    accepts = request.accept_mimetypes
    return "X-CSRF-Token" in request.headers or (accepts.provided and not accepts.accept_html)


def _check_fresh(declared: Declared) -> Response | None:
    """What is weighty asks who it is again; what was typed waits as a draft, and the same form comes back."""
    if not declared.fresh or g.visit is None or g.visit.is_fresh:
        return None
    if request.method == "GET":
        back = request.full_path.rstrip("?")
    else:
        back = _page_of_form()
        drafts.keep_late(g.visit, request.form)
    return redirect(url_for("accounts.confirm", next=back), 303)


def _check_permission(declared: Declared) -> Response | None:
    if declared.needs is Door.PUBLIC:
        return None
    if not current_user.is_authenticated:
        if request.method == "GET" and (
            request.accept_mimetypes.accept_html or not request.accept_mimetypes.provided
        ):
            back = request.full_path.rstrip("?") if request.endpoint != "work.home" else None
            return redirect(url_for("accounts.sign_in", next=back))
        raise Denied("not_signed_in", "Sign in to do this.")
    if isinstance(declared.needs, Permission) and not g.actor.may(declared.needs):
        append(g.actor, "access.refused", outcome="denied", facts={"route": str(request.endpoint)})
        db.session.commit()
        raise Denied("no_permission", "Your role does not allow this. Nothing was changed.")
    return None


def _after(_error: BaseException | None) -> None:
    live = live_session()
    live.leave()
    keyring.forget(live)
