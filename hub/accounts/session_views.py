"""Pages of one's own sessions: where one is signed in, ending one, ending all others."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template
from werkzeug.wrappers import Response

from hub.accounts import ending
from hub.accounts.telling import ADDRESS
from hub.accounts.views import signed_out
from hub.core.errors import Denied
from hub.extensions import db
from hub.web.devices import device_in_words
from hub.web.identity import Visit, current_actor, current_visit
from hub.web.routes import Data, Door, Pages

pages = Pages("own_sessions", __name__)


@pages.page(ADDRESS, needs=Door.SIGNED_IN, event=None, data=Data.STAFF)
def home() -> str:
    actor, visit = current_actor(), _visit()
    return render_template(
        "accounts/sessions.html",
        sessions=ending.find_open_sessions(actor, visit.session_id),
        device_in_words=device_in_words,
    )


@pages.page(
    f"{ADDRESS}/<uuid:session_id>/end",
    needs=Door.SIGNED_IN,
    event="session.revoked",
    data=Data.NONE,
    methods=("POST",),
)
def end_one(session_id: UUID) -> Response:
    actor, visit = current_actor(), _visit()
    ending.end_own_session(actor, session_id)
    db.session.commit()
    if session_id == visit.session_id:
        return signed_out()
    flash("That session is ended.", "success")
    return redirect(ADDRESS, 303)


@pages.page(
    f"{ADDRESS}/end-others",
    needs=Door.SIGNED_IN,
    event="session.revoked",
    data=Data.NONE,
    methods=("POST",),
)
def end_others() -> Response:
    actor, visit = current_actor(), _visit()
    ended = ending.end_own_others(actor, visit.session_id)
    db.session.commit()
    flash(f"Ended: {ended} other {'session' if ended == 1 else 'sessions'}.", "success")
    return redirect(ADDRESS, 303)


def _visit() -> Visit:
    visit = current_visit()
    if visit is None:
        raise Denied("not_signed_in", "Sign in to do this.")
    return visit
