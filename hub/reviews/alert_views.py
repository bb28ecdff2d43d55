"""Pages of alerts: the list with the rules' texts, and one with its events and its review."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import flash, render_template, request
from werkzeug.wrappers import Response

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.access.vocabulary import Marking
from hub.audit.policy import LOG_PURPOSE_LABELS, LogPurpose
from hub.core.errors import Invalid
from hub.core.paging import Cursor
from hub.extensions import db
from hub.reviews import actions, queries
from hub.reviews.forms import MAX_NOTE, parse_review
from hub.reviews.rules import RULES
from hub.reviews.threshold_queries import find_thresholds
from hub.reviews.vocabulary import DECISION_LABELS
from hub.web import drafts
from hub.web.context import mark_page
from hub.web.identity import current_actor
from hub.web.inquiry import ask_first, stated_purpose
from hub.web.narrowing import Filter, Narrowed
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("alerts", __name__)
LIST = "/audit/alerts"
STATES = {"waiting": "Waiting for review", "reviewed": "Reviewed"}
Answer = Response | str | tuple[str, int]


@pages.page(LIST, needs=Permission.AUDIT_READ, event="alert.listed", data=Data.LOG)
def index() -> Answer:
    purpose = stated_purpose()
    if purpose is None:
        return ask_first()
    mark_page(Marking.OFFICIAL_SENSITIVE)
    narrowed = Narrowed(
        LIST,
        {
            "rule": Filter("Rule", {code: rule.title for code, rule in RULES.items()}),
            "state": Filter("State", STATES),
        },
    )
    actor = current_actor()
    page = queries.list_alerts(
        actor,
        purpose=purpose,
        rule=narrowed["rule"] or None,
        reviewed=narrowed["state"] == "reviewed" if narrowed["state"] else None,
        cursor=Cursor.parse(narrowed.after),
    )
    return render_template(
        "reviews/alerts.html",
        purpose=LOG_PURPOSE_LABELS[purpose],
        page=page,
        narrowed=narrowed,
        rules=list(find_thresholds(actor).values()),
    )


@pages.page(f"{LIST}/<uuid:alert_id>", needs=Permission.AUDIT_READ, event="alert.opened", data=Data.LOG)
def show(alert_id: UUID) -> Answer:
    purpose = stated_purpose()
    if purpose is None:
        return ask_first()
    return _page(current_actor(), alert_id, purpose, {}, {})


@pages.page(
    f"{LIST}/<uuid:alert_id>/review",
    needs=Permission.AUDIT_READ,
    event="alert.reviewed",
    data=Data.LOG,
    methods=("POST",),
)
def review(alert_id: UUID) -> Answer:
    purpose, actor = stated_purpose(), current_actor()
    if purpose is None:
        return ask_first()

    def act() -> str:
        actions.review_alert(actor, alert_id, parse_review(request.form), purpose=purpose)
        flash("Reviewed. Your decision and your note are kept with the alert.", "success")
        return f"{LIST}?state=waiting"

    try:
        return once(actor, act, draft=_draft(alert_id))
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _page(actor, alert_id, purpose, request.form, invalid.errors), 422


def _draft(alert_id: UUID) -> str:
    return drafts.form_name("alerts.review", alert_id)


def _page(
    actor: Actor, alert_id: UUID, purpose: LogPurpose, values: Mapping[str, Any], errors: dict[str, str]
) -> str:
    found = queries.open_alert(actor, alert_id, purpose=purpose)
    mark_page(Marking.OFFICIAL_SENSITIVE)
    return render_template(
        "reviews/alert.html",
        purpose=LOG_PURPOSE_LABELS[purpose],
        found=found,
        row=found.row,
        alert=found.row.alert,
        user_href=f"/audit/users/{found.row.alert.user_id}",
        decisions=DECISION_LABELS,
        values=values or drafts.find_values(actor, _draft(alert_id)),
        errors=errors,
        draft_key=_draft(alert_id),
        limit=MAX_NOTE,
    )
