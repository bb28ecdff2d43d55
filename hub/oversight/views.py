"""The auditor's desk: the log by page, by event, by record and by user, and the check that nobody has rewritten it."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import flash, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.accounts.queries import user_names
from hub.audit import queries as log
from hub.audit.catalogue import EVENTS
from hub.audit.policy import CATEGORY_LABELS, LOG_PURPOSE_LABELS, OUTCOMES, LogPurpose
from hub.audit.recording import append
from hub.audit.verifying import NOT_DETECTED, verify
from hub.core import clock
from hub.core.errors import Invalid, NotVisible
from hub.core.paging import Cursor
from hub.extensions import db
from hub.oversight import queries
from hub.oversight.forms import LogQuery, parse_log_query, parse_purpose
from hub.web.identity import current_actor, current_visit
from hub.web.routes import Data, Pages

pages = Pages("oversight", __name__)
KEPT = "log_purpose"
FILTERS = ("user", "organisation", "reference", "act", "category", "outcome", "from", "to")
PERIODS = (("7", "The last 7 days"), ("31", "The last 31 days"), ("all", "Everything (may take minutes)"))


def _purpose() -> LogPurpose | None:
    """The purpose stated in this session, and in no earlier one."""
    kept, visit = session.get(KEPT), current_visit()
    if not isinstance(kept, dict) or visit is None or kept.get("session") != str(visit.session_id):
        return None
    return LogPurpose(kept["purpose"]) if kept.get("purpose") in set(LogPurpose) else None


def _ask_first() -> Response:
    return redirect(url_for("oversight.purpose", next=request.full_path.rstrip("?")))


@pages.page(
    "/audit/purpose", needs=Permission.AUDIT_READ, event=None, data=Data.NONE, methods=("GET", "POST")
)
def purpose() -> Response | tuple[str, int]:
    errors: dict[str, str] = {}
    address = request.values.get("next", "")
    if not address.startswith("/audit") or "\\" in address or "\n" in address:
        address = url_for("oversight.desk")
    visit = current_visit()
    if request.method == "POST" and visit is not None:
        try:
            chosen = parse_purpose(request.form.get("purpose"))
            session[KEPT] = {"session": str(visit.session_id), "purpose": chosen.value}
            return redirect(address, 303)
        except Invalid as invalid:
            errors = invalid.errors
    chosen_before = _purpose()
    page = render_template(
        "oversight/purpose.html",
        errors=errors,
        options=[(one.value, words) for one, words in LOG_PURPOSE_LABELS.items()],
        chosen=chosen_before.value if chosen_before else "",
        next=address,
    )
    return page, 422 if errors else 200


@pages.page("/audit", needs=Permission.AUDIT_READ, event="log.viewed", data=Data.LOG)
def desk() -> Response | tuple[str, int]:
    purpose = _purpose()
    if purpose is None:
        return _ask_first()
    actor = current_actor()
    given = {name: request.args.get(name, "") for name in FILTERS if request.args.get(name)}
    errors: dict[str, str] = {}
    query = LogQuery()
    try:
        query = parse_log_query(given)
    except Invalid as invalid:
        errors = invalid.errors
    page = queries.list_log(actor, query, purpose=purpose, cursor=Cursor.parse(request.args.get("after")))
    choices = queries.find_choices(actor)
    html = render_template(
        "oversight/log.html",
        purpose=LOG_PURPOSE_LABELS[purpose],
        page=page,
        values={name: given.get(name, "") for name in FILTERS},
        errors=errors,
        applied=_applied(given, choices),
        choices=choices,
        acts=sorted(((code, kind.label) for code, kind in EVENTS.items()), key=lambda one: one[1]),
        categories=[(code.value, words) for code, words in CATEGORY_LABELS.items()],
        outcomes=[(code, words) for code, (words, _) in OUTCOMES.items()],
        next_href=_href("/audit", {**given, "after": page.next_cursor}) if page.next_cursor else None,
    )
    return html, 422 if errors else 200


def _href(path: str, values: dict[str, Any]) -> str:
    return f"{path}?{urlencode(values)}" if values else path


def _applied(given: dict[str, str], choices: queries.Choices) -> list[dict[str, Any]]:
    words = {
        "user": ("User", {str(key): name for key, name in choices.users}),
        "organisation": ("Organisation", {str(key): name for key, name in choices.organisations}),
        "reference": ("Reference", {}),
        "act": ("Act", {code: kind.label for code, kind in EVENTS.items()}),
        "category": ("Category", {code.value: label for code, label in CATEGORY_LABELS.items()}),
        "outcome": ("Outcome", {code: label for code, (label, _) in OUTCOMES.items()}),
        "from": ("From", {}),
        "to": ("To", {}),
    }
    applied = []
    for name, value in given.items():
        label, known = words[name]
        without = {other: text for other, text in given.items() if other != name}
        applied.append(
            {
                "label": label,
                "items": [{"text": known.get(value, value), "remove_href": _href("/audit", without)}],
            }
        )
    return applied


@pages.page("/audit/events/<uuid:event_id>", needs=Permission.AUDIT_READ, event="log.opened", data=Data.LOG)
def event(event_id: UUID) -> Response | str:
    purpose = _purpose()
    if purpose is None:
        return _ask_first()
    actor = current_actor()
    row = log.open_event(actor, event_id, purpose=purpose)
    sound = hashlib.sha256(row.body).digest() == row.hash
    detail = queries.find_detail(actor, row, sound=sound)
    return render_template("oversight/event.html", purpose=LOG_PURPOSE_LABELS[purpose], detail=detail)


@pages.page(
    "/audit/records/<reference>", needs=Permission.AUDIT_READ, event="log.record_viewed", data=Data.LOG
)
def record(reference: str) -> Response | str:
    purpose = _purpose()
    if purpose is None:
        return _ask_first()
    actor = current_actor()
    subject = log.find_subject(actor, reference)
    if subject is None:
        raise NotVisible
    page = log.list_trail(actor, subject, purpose=purpose, cursor=Cursor.parse(request.args.get("after")))
    return render_template(
        "oversight/trail.html",
        purpose=LOG_PURPOSE_LABELS[purpose],
        title=f"All that happened to {subject.reference}",
        intro="In order, oldest first: looks, changes, shares with their recipients, and refusals.",
        rows=queries.find_lines(actor, page.rows),
        next_href=_href(request.path, {"after": page.next_cursor}) if page.next_cursor else None,
    )


@pages.page(
    "/audit/users/<uuid:user_id>", needs=Permission.AUDIT_READ, event="log.user_viewed", data=Data.LOG
)
def user(user_id: UUID) -> Response | str:
    purpose = _purpose()
    if purpose is None:
        return _ask_first()
    actor = current_actor()
    cursor = Cursor.parse(request.args.get("after"))
    page = log.list_events_of_user(actor, user_id, purpose=purpose, cursor=cursor)
    return render_template(
        "oversight/trail.html",
        purpose=LOG_PURPOSE_LABELS[purpose],
        title=f"All that {user_names([user_id]).get(user_id, 'a user')} did",
        intro="Newest first, as far as it concerns your organisation's people and records.",
        rows=queries.find_lines(actor, page.rows),
        next_href=_href(request.path, {"after": page.next_cursor}) if page.next_cursor else None,
    )


@pages.page(
    "/audit/check",
    needs=Permission.AUDIT_VERIFY,
    event="log.verified",
    data=Data.LOG,
    methods=("GET", "POST"),
)
def check() -> Response | tuple[str, int]:
    purpose = _purpose()
    if purpose is None:
        return _ask_first()
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
