"""For what the log is used: stated once in a session, kept in it, and asked for before any page of the log opens."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import redirect, request, session
from werkzeug.wrappers import Response

from hub.audit.policy import LogPurpose
from hub.web.identity import current_visit

KEPT = "log_purpose"


def stated_purpose() -> LogPurpose | None:
    """The purpose stated in this session, and in no earlier one."""
    kept, visit = session.get(KEPT), current_visit()
    if not isinstance(kept, dict) or visit is None or kept.get("session") != str(visit.session_id):
        return None
    return LogPurpose(kept["purpose"]) if kept.get("purpose") in set(LogPurpose) else None


def ask_first() -> Response:
    """To the question, and from there back to the page that was asked for."""
    back = request.full_path.rstrip("?") if request.method == "GET" else request.path
    return redirect(f"/audit/purpose?{urlencode({'next': back})}")
