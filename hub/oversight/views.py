"""The auditor's desk: the purpose, the log by page and by event, and the check that nobody has rewritten it."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.audit import queries as log
from hub.audit.policy import LOG_PURPOSE_LABELS, LogPurpose
from hub.audit.recording import append
from hub.audit.verifying import NOT_DETECTED, verify
from hub.core import clock
from hub.core.errors import Invalid
from hub.core.paging import Cursor
from hub.extensions import db

# registers the desk's other pages
from hub.oversight import export_views, inquiry_views, proof_views, queries  # noqa: F401
from hub.oversight.asking import Asked
from hub.oversight.desk import pages as pages
from hub.oversight.desk import state_purpose, with_purpose
from hub.oversight.forms import parse_purpose
from hub.oversight.inquiries import inquire_desk
from hub.oversight.inquiry_views import list_context
from hub.web.identity import current_actor
from hub.web.inquiry import stated_purpose
from hub.web.routes import Data

PERIODS = (("7", "The last 7 days"), ("31", "The last 31 days"), ("all", "Everything (may take minutes)"))


@pages.page(
    "/audit/purpose", needs=Permission.AUDIT_READ, event=None, data=Data.NONE, methods=("GET", "POST")
)
def purpose() -> Response | tuple[str, int]:
    errors: dict[str, str] = {}
    address = request.values.get("next", "")
    if not address.startswith("/audit") or "\\" in address or "\n" in address:
        address = url_for("oversight.desk")
    if request.method == "POST":
        try:
            state_purpose(parse_purpose(request.form.get("purpose")))
            return redirect(address, 303)
        except Invalid as invalid:
            errors = invalid.errors
    chosen_before = stated_purpose()
    page = render_template(
        "oversight/purpose.html",
        errors=errors,
        options=[(one.value, words) for one, words in LOG_PURPOSE_LABELS.items()],
        chosen=chosen_before.value if chosen_before else "",
        next=address,
    )
    return page, 422 if errors else 200


@pages.page("/audit", needs=Permission.AUDIT_READ, event="log.viewed", data=Data.LOG)
@with_purpose
def desk(purpose: LogPurpose) -> tuple[str, int]:
    actor = current_actor()
    asked = Asked.of_request("/audit")
    found = inquire_desk(actor, asked)
    cursor = Cursor.parse(request.args.get("after"))
    page = log.list_events(actor, found.inquiry.asked, purpose=purpose, cursor=cursor)
    html = render_template("oversight/log.html", **list_context(found, asked, page, purpose))
    return html, 422 if asked.errors else 200


@pages.page("/audit/events/<uuid:event_id>", needs=Permission.AUDIT_READ, event="log.opened", data=Data.LOG)
@with_purpose
def event(purpose: LogPurpose, event_id: UUID) -> str:
    actor = current_actor()
    row = log.open_event(actor, event_id, purpose=purpose)
    sound = hashlib.sha256(row.body).digest() == row.hash
    detail = queries.find_detail(actor, row, sound=sound)
    return render_template("oversight/event.html", purpose=LOG_PURPOSE_LABELS[purpose], detail=detail)


@pages.page(
    "/audit/check",
    needs=Permission.AUDIT_VERIFY,
    event="log.verified",
    data=Data.LOG,
    methods=("GET", "POST"),
)
@with_purpose
def check(purpose: LogPurpose) -> Response | tuple[str, int]:
    report = None
    period = request.form.get("period", "31")
    if request.method == "POST":
        if period not in dict(PERIODS):
            flash("Choose a period from the list.", "error")
            return redirect(url_for("oversight.check"), 303)
        since = None if period == "all" else clock.now() - timedelta(days=int(period))
        report = verify(db.session.connection(), since=since)
        append(current_actor(), "log.verified", facts={"events": report.events, "problems": report.found})
        db.session.commit()
    page = render_template(
        "oversight/check.html",
        purpose=LOG_PURPOSE_LABELS[purpose],
        report=report,
        period=period,
        periods=PERIODS,
        not_detected=NOT_DETECTED,
    )
    return page, 200
