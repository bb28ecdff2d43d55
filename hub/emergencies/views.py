"""Pages of emergency access: opening one step by step, giving it back, and the list that reviewers sign off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import flash, render_template, request
from werkzeug.wrappers import Response

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.access.vocabulary import Marking
from hub.audit.policy import act_label
from hub.core.errors import Invalid, NotVisible
from hub.core.paging import Cursor
from hub.core.text import clean
from hub.emergencies.actions import NONE_SUCH, close_emergency, open_emergency, review_emergency
from hub.emergencies.forms import MINUTE, parse_emergency, parse_review
from hub.emergencies.queries import find_own, list_emergencies, open_emergency_for_review, record_address
from hub.emergencies.vocabulary import LONGEST, OUTCOME_LABELS, USUAL
from hub.extensions import db
from hub.web import drafts
from hub.web.confirming import confirm_first, must_confirm
from hub.web.context import mark_page
from hub.web.identity import current_actor
from hub.web.narrowing import Filter, Narrowed
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("emergencies", __name__)
ASK, LIST = "/emergency", "/emergencies"
DRAFT = drafts.form_name("emergencies.ask")
FIELDS = ("reference", "reason", "minutes")
STATES = {"unreviewed": "Waiting for review", "reviewed": "Signed off"}
Values = Mapping[str, str]
Answer = Response | str | tuple[str, int]


@pages.page(ASK, needs=Permission.EMERGENCY_OPEN, event=None, data=Data.STAFF, methods=("GET", "POST"))
def ask() -> Answer:
    """The form; or the check before it opens, once the reader has just confirmed who they are."""
    actor = current_actor()
    if request.method == "GET":
        kept = drafts.find_values(actor, DRAFT)
        if kept and request.args.get("step") == "check" and not must_confirm():
            return _check(actor, kept)
        reference = clean(request.args.get("reference", ""))
        return _form(actor, {**kept, **({"reference": reference} if reference else {})}, {})
    values = {name: request.form.get(name, "") for name in FIELDS}
    if request.form.get("go") == "change":
        return _form(actor, values, {})
    return _check(actor, values)


def _check(actor: Actor, values: Values) -> Answer:
    try:
        form = parse_emergency(values)
    except Invalid as invalid:
        return _form(actor, values, invalid.errors), 422
    if must_confirm():
        return _confirm_first(values)
    return render_template("emergencies/check.html", form=form, values=values, errors={})


def _confirm_first(values: Values) -> Response:
    """What was typed is shown to be checked once the user has confirmed who they are."""
    return confirm_first(DRAFT, f"{ASK}?step=check", {name: [values.get(name, "")] for name in FIELDS})


def _form(actor: Actor, values: Values, errors: dict[str, str]) -> str:
    kept = drafts.saved_at(actor, DRAFT) if request.method == "GET" and values.get("reason") else None
    return render_template(
        "emergencies/ask.html",
        values={"minutes": str(int(USUAL / MINUTE)), **{name: one for name, one in values.items() if one}},
        errors=errors,
        kept=kept,
        draft_key=DRAFT,
        most=int(LONGEST / MINUTE),
        own=find_own(actor),
        outcomes=OUTCOME_LABELS,
    )


@pages.page(
    f"{ASK}/open",
    needs=Permission.EMERGENCY_OPEN,
    event="emergency.opened",
    data=Data.PERSONAL,
    methods=("POST",),
)
def open_now() -> Answer:
    actor = current_actor()
    values = {name: request.form.get(name, "") for name in FIELDS}
    if must_confirm():
        return _confirm_first(values)

    def act() -> str:
        opened = open_emergency(actor, parse_emergency(values))
        flash("It is open. Its owner has been told, and what you look at is recorded.", "warning")
        return record_address(opened)

    try:
        return once(actor, act, draft=DRAFT)
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _form(actor, values, invalid.errors), 422
    except NotVisible:
        return _form(actor, values, {"reference": NONE_SUCH}), 404


@pages.page(
    f"{ASK}/<uuid:emergency_id>/close",
    needs=Permission.EMERGENCY_OPEN,
    event="emergency.closed",
    data=Data.NONE,
    methods=("POST",),
)
def close(emergency_id: UUID) -> Response:
    actor = current_actor()

    def act() -> str:
        closed = close_emergency(actor, emergency_id)
        flash(f"You have given back {closed.record_reference}.", "success")
        return "/"

    return once(actor, act)


@pages.page(LIST, needs=Permission.EMERGENCY_REVIEW, event="emergency.listed", data=Data.STAFF)
def index() -> str:
    narrowed = Narrowed(LIST, {"state": Filter("State", STATES)})
    page = list_emergencies(
        current_actor(),
        reviewed=narrowed["state"] == "reviewed" if narrowed["state"] else None,
        cursor=Cursor.parse(narrowed.after),
    )
    return render_template(
        "emergencies/list.html", page=page, narrowed=narrowed, outcomes=OUTCOME_LABELS, minute=MINUTE
    )


@pages.page(
    f"{LIST}/<uuid:emergency_id>",
    needs=Permission.EMERGENCY_REVIEW,
    event="emergency.viewed",
    data=Data.PERSONAL,
)
def show(emergency_id: UUID) -> str:
    return _review(current_actor(), emergency_id, {}, {})


@pages.page(
    f"{LIST}/<uuid:emergency_id>/review",
    needs=Permission.EMERGENCY_REVIEW,
    event="emergency.reviewed",
    data=Data.PERSONAL,
    methods=("POST",),
)
def review(emergency_id: UUID) -> Answer:
    actor = current_actor()

    def act() -> str:
        review_emergency(actor, emergency_id, parse_review(request.form))
        flash("Signed off. Whoever opened it is told.", "success")
        return f"{LIST}?state=unreviewed"

    try:
        return once(actor, act, draft=_draft(emergency_id))
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _review(actor, emergency_id, request.form, invalid.errors), 422


def _draft(emergency_id: UUID) -> str:
    return drafts.form_name("emergencies.review", emergency_id)


def _review(actor: Actor, emergency_id: UUID, values: Mapping[str, Any], errors: dict[str, str]) -> str:
    found = open_emergency_for_review(actor, emergency_id)
    mark_page(Marking.OFFICIAL_SENSITIVE, "personal data")
    own = found.emergency.user_id == actor.user_id
    return render_template(
        "emergencies/one.html",
        found=found,
        row=found.row,
        acts=[(act_label(act), number) for act, number in found.acts.items()],
        own=own,
        may_sign=not own and found.emergency.reviewed_at is None and not found.row.is_open,
        may_log=actor.may(Permission.AUDIT_READ),
        outcomes=OUTCOME_LABELS,
        values=values or drafts.find_values(actor, _draft(emergency_id)),
        errors=errors,
        draft_key=_draft(emergency_id),
        minute=MINUTE,
    )
