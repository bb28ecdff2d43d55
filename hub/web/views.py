"""Pages of the service itself: drafts kept and thrown away, help, accessibility, security and privacy."""

from __future__ import annotations

from datetime import UTC, datetime, time

from flask import current_app, flash, jsonify, make_response, redirect, render_template, request
from werkzeug.wrappers import Response

from hub.config import Settings
from hub.core import clock
from hub.core.errors import NotVisible
from hub.extensions import db
from hub.web import drafts
from hub.web.addresses import inside
from hub.web.identity import current_actor, current_visit
from hub.web.routes import Data, Door, Pages

pages = Pages("drafts", __name__)
about = Pages("about", __name__)


@pages.page("/drafts/<key>", needs=Door.SIGNED_IN, event=None, data=Data.NONE, methods=("POST",))
def keep(key: str) -> Response:
    """Keeps what a form holds now; the page calls it two seconds after the last change, and that keeps the session."""
    drafts.keep(current_actor(), key, request.form)
    db.session.commit()
    visit = current_visit()
    expires = visit.expires_at.isoformat() if visit else ""
    return jsonify({"saved_at": clock.now().isoformat(), "expires_at": expires})


@pages.page("/drafts/<key>/discard", needs=Door.SIGNED_IN, event=None, data=Data.NONE, methods=("POST",))
def discard(key: str) -> Response:
    """Throws the draft of one form away and goes back to that form, empty."""
    drafts.drop(current_actor(), key)
    db.session.commit()
    flash("The draft is deleted.", "success")
    return redirect(inside(request.form.get("back") or request.args.get("back")), 303)


@about.page("/help", needs=Door.PUBLIC, event=None, data=Data.NONE)
def help_page() -> str:
    return render_template("web/help.html")


@about.page("/accessibility", needs=Door.PUBLIC, event=None, data=Data.NONE)
def accessibility() -> str:
    return render_template("web/accessibility.html")


@about.page("/security", needs=Door.PUBLIC, event=None, data=Data.NONE)
def security() -> str:
    return render_template("web/security.html")


@about.page("/.well-known/security.txt", needs=Door.PUBLIC, event=None, data=Data.NONE)
def security_txt() -> Response:
    """Where to report a weakness (RFC 9116); not found where nobody is named."""
    settings: Settings = current_app.config["HUB_SETTINGS"]
    if not settings.security_contact or settings.security_expires is None:
        raise NotVisible
    until = datetime.combine(settings.security_expires, time(), UTC)
    lines = [
        f"Contact: {settings.security_contact}",
        f"Expires: {until:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
        f"Canonical: {settings.public_url}{request.path}",
        f"Policy: {settings.public_url}/security",
    ]
    response = make_response("\n".join([*lines, ""]))
    response.headers["Content-Type"] = "text/plain; charset=utf-8"
    return response
