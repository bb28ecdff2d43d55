"""The weighty steps of a case: its status, and the people to whom it is restricted."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from flask import flash, render_template, request

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.cases import actions, queries
from hub.cases.forms import parse_move
from hub.cases.policy import needs_another, next_states
from hub.cases.restricting import NEVER_KNOWN, find_named, let_know, may_be_known, restrict_case
from hub.cases.views import ADDRESS, BOTH, ONE, Answer, open_for_lead, tried
from hub.cases.vocabulary import (
    CASE_OUTCOME_LABELS,
    CASE_STATUS_LABELS,
    CLOSURE_REASON_LABELS,
    VICTIM_TOLD_LABELS,
    CaseStatus,
)
from hub.core.errors import Denied, HubError, Invalid
from hub.core.text import clean
from hub.extensions import db
from hub.web import drafts
from hub.web.identity import current_actor
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("case_steps", __name__)


@pages.page(f"{ONE}/status", needs=Permission.CASE_MOVE, event="case.moved", data=Data.PERSONAL, methods=BOTH)
def status(case_id: UUID) -> Answer:
    actor = current_actor()
    draft = drafts.form_name("case_steps.status", case_id)
    if request.method == "GET":
        return _status_form(actor, case_id, draft, drafts.find_values(actor, draft), {})

    def act() -> str:
        form = parse_move(request.form)
        case = actions.move_case(
            actor,
            case_id,
            form.to,
            reason=form.reason,
            until=form.until,
            closure_reason=form.closure_reason,
            outcome=form.outcome,
            victim_told=form.victim_told,
        )
        flash(f"The status is now: {CASE_STATUS_LABELS[CaseStatus(case.status)].lower()}.", "success")
        return f"{ADDRESS}/{case_id}"

    try:
        return tried(
            lambda: once(actor, act, draft=draft),
            lambda invalid: _status_form(actor, case_id, draft, request.form, invalid.errors),
        )
    except Denied as denied:
        _note_refusal(actor, case_id, denied)
        raise


def _note_refusal(actor: Actor, case_id: UUID, denied: HubError) -> None:
    """A blocked closure is counted: it is written down before the refusal is told."""
    db.session.rollback()
    if denied.code in ("may_not_close", "own_closure"):
        actions.refuse_move(actor, case_id, CaseStatus.CLOSED)
        db.session.commit()


def _status_form(
    actor: Actor, case_id: UUID, draft: str, values: Mapping[str, str], errors: dict[str, str]
) -> str:
    case = open_for_lead(actor, case_id, "status").case
    offered = next_states(actor, case)
    return render_template(
        "cases/status.html",
        case=case,
        values=values,
        errors=errors,
        draft_key=draft,
        states=[(state.value, CASE_STATUS_LABELS[state]) for state in offered],
        waits_for_another=case.status == CaseStatus.CLOSURE_PENDING and CaseStatus.CLOSED not in offered,
        needs_another=needs_another(case),
        closure_reasons=list(CLOSURE_REASON_LABELS.items()),
        outcomes=list(CASE_OUTCOME_LABELS.items()),
        told=list(VICTIM_TOLD_LABELS.items()),
        history=queries.find_history(actor, case_id),
        labels=CASE_STATUS_LABELS,
    )


@pages.page(
    f"{ONE}/restrict", needs=Permission.CASE_CHANGE, event="case.restricted", data=Data.PERSONAL, methods=BOTH
)
def restrict(case_id: UUID) -> Answer:
    actor = current_actor()
    if request.method == "GET":
        return _restrict_form(actor, case_id, {}, [], {})
    members = request.form.getlist("members")

    def act() -> str:
        wanted = request.form.get("restricted") == "yes"
        try:
            named = frozenset(UUID(one) for one in members)
        except ValueError as error:
            raise Invalid("bad_member", errors={"members": "Choose people of your team"}) from error
        restrict_case(
            actor, case_id, restricted=wanted, reason=clean(request.form.get("reason", "")), members=named
        )
        flash(
            "Only the people named can see this case now."
            if wanted
            else "Your team can see this case again.",
            "success",
        )
        return f"{ADDRESS}/{case_id}"

    return tried(
        lambda: once(actor, act),
        lambda invalid: _restrict_form(actor, case_id, request.form, members, invalid.errors),
    )


@pages.page(
    f"{ONE}/known", needs=Permission.CASE_CHANGE, event="case.changed", data=Data.PERSONAL, methods=("POST",)
)
def known(case_id: UUID) -> Answer:
    actor = current_actor()
    wanted = request.form.get("known") == "yes"

    def act() -> str:
        let_know(actor, case_id, known=wanted)
        flash(
            "Partners may learn that you hold a record, and ask for it."
            if wanted
            else "Partners do not learn that you hold a record.",
            "success",
        )
        return f"{ADDRESS}/{case_id}/restrict"

    return once(actor, act)


def _restrict_form(
    actor: Actor, case_id: UUID, values: Mapping[str, str], members: list[str], errors: dict[str, str]
) -> str:
    case = open_for_lead(actor, case_id, "restrict").case
    return render_template(
        "cases/restrict.html",
        case=case,
        values=values,
        members=members,
        errors=errors,
        officers=[(user.id, user.name) for user in queries.find_officers(actor) if user.id != actor.user_id],
        named=find_named(actor, case_id) if case.restricted else [],
        may_be_known=may_be_known(actor, case),
        never_known=NEVER_KNOWN,
    )
