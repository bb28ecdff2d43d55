"""Before a case is offered or taken over the user proves again who they are; what was typed waits as a draft meanwhile."""

from __future__ import annotations

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from hub.accounts.sessions import check_fresh
from hub.core.errors import Denied
from hub.extensions import db
from hub.web import drafts
from hub.web.identity import current_actor, current_visit


def must_confirm() -> bool:
    """Has too long passed since this user proved who they are?"""
    visit = current_visit()
    try:
        if visit is not None:
            check_fresh(visit)
    except Denied as denied:
        if denied.code != "stale_session":
            raise
        return True
    return False


def confirm_first(draft: str, back: str) -> Response:
    """What was typed waits until the user has confirmed who they are. Commits."""
    drafts.keep(current_actor(), draft, request.form)
    db.session.commit()
    return redirect(url_for("accounts.confirm", next=back), 303)
