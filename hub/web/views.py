"""Pages of the service itself: drafts kept and thrown away, help, accessibility, security and privacy."""

from __future__ import annotations

from flask import flash, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response

from hub.core import clock
from hub.extensions import db
from hub.web import drafts
from hub.web.addresses import inside
from hub.web.identity import current_actor
from hub.web.routes import Data, Door, Pages

pages = Pages("drafts", __name__)
about = Pages("about", __name__)


@pages.page("/drafts/<key>", needs=Door.SIGNED_IN, event=None, data=Data.NONE, methods=("POST",))
def keep(key: str) -> Response:
    """Keeps what a form holds now; the page calls it two seconds after the last change."""
    drafts.keep(current_actor(), key, request.form)
    db.session.commit()
    return jsonify({"saved_at": clock.now().isoformat()})


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
