"""Pages of partner assurance: one's own answers, those of partners, and their review."""

from __future__ import annotations

from uuid import UUID

from flask import flash, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.assurances import actions, queries
from hub.assurances.forms import parse_answers, parse_review
from hub.assurances.policy import STANDING_LABELS, STANDING_TONES
from hub.assurances.questions import questionnaire
from hub.assurances.vocabulary import ANSWER_LABELS, STATE_LABELS, AssuranceState
from hub.core.errors import Invalid
from hub.core.paging import Cursor
from hub.extensions import db
from hub.web import drafts
from hub.web.identity import current_actor
from hub.web.narrowing import Filter, Narrowed
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("assurances", __name__)
OUTCOMES = {
    AssuranceState.ACCEPTED: "Accept the answers until a day",
    AssuranceState.RETURNED: "Return them with a reason",
}


@pages.page("/assurance", needs=Permission.ACCOUNT_MANAGE, event="assurance.listed", data=Data.STAFF)
def own() -> str:
    return render_template(
        "assurances/own.html",
        own=queries.open_own(current_actor()),
        standing_labels=STANDING_LABELS,
        standing_tones=STANDING_TONES,
        state_labels=STATE_LABELS,
    )


@pages.page(
    "/assurance/answer",
    needs=Permission.ACCOUNT_MANAGE,
    event="assurance.submitted",
    data=Data.STAFF,
    methods=("GET", "POST"),
)
def answer() -> Response | tuple[str, int]:
    actor, errors = current_actor(), {}
    draft = drafts.form_name("assurances.answer")
    if request.method == "POST":
        try:
            form = parse_answers(request.form)

            def act() -> str:
                row = actions.submit_assurance(actor, form)
                flash("Submitted. Your partners have been told.", "success")
                return url_for("assurances.one", assurance_id=row.id)

            return once(actor, act, draft=draft)
        except Invalid as invalid:
            if not invalid.errors:
                raise
            db.session.rollback()
            errors = invalid.errors
    values = request.form.to_dict() if request.method == "POST" else drafts.find_values(actor, draft)
    page = render_template(
        "assurances/answer.html",
        questions=questionnaire().questions,
        answers=list(ANSWER_LABELS.items()),
        values=values,
        errors=errors,
        draft_key=draft,
    )
    return page, 422 if errors else 200


@pages.page("/assurance/partners", needs=Permission.ACCOUNT_MANAGE, event="assurance.listed", data=Data.STAFF)
def partners() -> str:
    narrowed = Narrowed(
        url_for("assurances.partners"), {"show": Filter("Show", {"waiting": "Waiting for review"})}
    )
    page = queries.list_partners(
        current_actor(),
        waiting=narrowed["show"] == "waiting",
        cursor=Cursor.parse(narrowed.after, by=str),
    )
    return render_template(
        "assurances/partners.html",
        page=page,
        narrowed=narrowed,
        standing_labels=STANDING_LABELS,
        standing_tones=STANDING_TONES,
        state_labels=STATE_LABELS,
    )


@pages.page(
    "/assurance/<uuid:assurance_id>",
    needs=Permission.ACCOUNT_MANAGE,
    event="assurance.opened",
    data=Data.STAFF,
)
def one(assurance_id: UUID) -> str:
    return _page(assurance_id, {})


@pages.page(
    "/assurance/<uuid:assurance_id>/review",
    needs=Permission.ACCOUNT_MANAGE,
    event="assurance.reviewed",
    data=Data.STAFF,
    methods=("POST",),
)
def review(assurance_id: UUID) -> Response | tuple[str, int]:
    actor = current_actor()
    try:
        form = parse_review(request.form)

        def act() -> str:
            actions.review_assurance(actor, assurance_id, form)
            flash("Accepted." if form.outcome is AssuranceState.ACCEPTED else "Returned.", "success")
            return url_for("assurances.one", assurance_id=assurance_id)

        return once(actor, act)
    except Invalid as invalid:
        if not invalid.errors:
            raise
        db.session.rollback()
        return _page(assurance_id, invalid.errors), 422


def _page(assurance_id: UUID, errors: dict[str, str]) -> str:
    return render_template(
        "assurances/one.html",
        assurance=queries.open_assurance(current_actor(), assurance_id),
        state_labels=STATE_LABELS,
        answer_labels=ANSWER_LABELS,
        outcomes=list(OUTCOMES.items()),
        values=request.form.to_dict(),
        until={part: request.form.get(f"until-{part}", "") for part in ("day", "month", "year")},
        errors=errors,
    )
