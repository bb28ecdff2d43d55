"""Pages of samples: drawn by an auditor, answered by the users, judged by an auditor."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import flash, render_template, request
from werkzeug.wrappers import Response

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.access.vocabulary import Marking
from hub.audit.catalogue import EVENTS, Category
from hub.audit.policy import CATEGORY_LABELS, LOG_PURPOSE_LABELS, LogPurpose
from hub.core import clock
from hub.core.errors import Invalid
from hub.core.paging import Cursor
from hub.extensions import db
from hub.reviews import actions
from hub.reviews import sample_queries as queries
from hub.reviews.forms import MAX_NOTE, parse_answer, parse_sample, parse_verdict
from hub.reviews.vocabulary import MOST_SAMPLED, VERDICT_LABELS, AccessState
from hub.settings.catalogue import SAMPLE_DAYS
from hub.settings.values import value_of
from hub.web import drafts
from hub.web.context import mark_page
from hub.web.identity import current_actor
from hub.web.inquiry import ask_first, stated_purpose
from hub.web.narrowing import Narrowed
from hub.web.once import once
from hub.web.routes import Data, Door, Pages

pages = Pages("samples", __name__)
own = Pages("my_accesses", __name__)
LIST, OWN = "/audit/samples", "/my-accesses"
USUAL_DAYS, USUAL_SIZE = 31, 10
Answer = Response | str | tuple[str, int]


@pages.page(LIST, needs=Permission.AUDIT_READ, event="sample.listed", data=Data.LOG)
def index() -> Answer:
    purpose = stated_purpose()
    if purpose is None:
        return ask_first()
    narrowed = Narrowed(LIST, {})
    page = queries.list_samples(current_actor(), purpose=purpose, cursor=Cursor.parse(narrowed.after))
    return render_template(
        "reviews/samples.html", purpose=LOG_PURPOSE_LABELS[purpose], page=page, narrowed=narrowed
    )


@pages.page(
    f"{LIST}/new",
    needs=Permission.AUDIT_READ,
    event="sample.drawn",
    data=Data.LOG,
    methods=("GET", "POST"),
)
def new() -> Answer:
    purpose, actor = stated_purpose(), current_actor()
    if purpose is None:
        return ask_first()
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:

            def act() -> str:
                sample = actions.draw_sample(actor, parse_sample(request.form), purpose=purpose)
                flash("Drawn. The users are asked why they looked.", "success")
                return f"{LIST}/{sample.id}"

            return once(actor, act)
        except Invalid as invalid:
            db.session.rollback()
            if not invalid.errors:
                raise
            errors = invalid.errors
    page = render_template(
        "reviews/sample_new.html",
        purpose=LOG_PURPOSE_LABELS[purpose],
        values=request.form if request.method == "POST" else _usual(),
        errors=errors,
        most=MOST_SAMPLED,
        days=SAMPLE_DAYS.kind.words(value_of(actor.partnership_id, SAMPLE_DAYS)),
        categories=[(code.value, words) for code, words in CATEGORY_LABELS.items()],
        acts=sorted(((code, kind.label) for code, kind in EVENTS.items()), key=lambda one: one[1]),
    )
    return page, 422 if errors else 200


def _usual() -> dict[str, str]:
    """What most samples are drawn from: looks of the last month, until yesterday."""
    yesterday = clock.today() - timedelta(days=1)
    return {
        "from": (yesterday - timedelta(days=USUAL_DAYS - 1)).isoformat(),
        "to": yesterday.isoformat(),
        "size": str(USUAL_SIZE),
        "category": Category.CONSULTATION.value,
        "act": "",
    }


@pages.page(f"{LIST}/<uuid:sample_id>", needs=Permission.AUDIT_READ, event="sample.opened", data=Data.LOG)
def show(sample_id: UUID) -> Answer:
    purpose = stated_purpose()
    if purpose is None:
        return ask_first()
    return _sample(current_actor(), sample_id, purpose, {}, {}, None)


@pages.page(
    f"{LIST}/<uuid:sample_id>/<uuid:access_id>/judge",
    needs=Permission.AUDIT_READ,
    event="sample.judged",
    data=Data.LOG,
    methods=("POST",),
)
def judge(sample_id: UUID, access_id: UUID) -> Answer:
    purpose, actor = stated_purpose(), current_actor()
    if purpose is None:
        return ask_first()

    def act() -> str:
        actions.judge_access(actor, access_id, parse_verdict(request.form), of=sample_id, purpose=purpose)
        flash("Judged. Your note is kept with the answer.", "success")
        return f"{LIST}/{sample_id}"

    try:
        return once(actor, act)
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _sample(actor, sample_id, purpose, request.form, invalid.errors, access_id), 422


def _sample(
    actor: Actor,
    sample_id: UUID,
    purpose: LogPurpose,
    values: Mapping[str, Any],
    errors: dict[str, str],
    judged: UUID | None,
) -> str:
    found = queries.open_sample(actor, sample_id, purpose=purpose)
    mark_page(Marking.OFFICIAL_SENSITIVE)
    sample = found.row.sample
    return render_template(
        "reviews/sample.html",
        purpose=LOG_PURPOSE_LABELS[purpose],
        found=found,
        sample=sample,
        last_moment=sample.before - timedelta(seconds=1),
        category=CATEGORY_LABELS[Category(sample.category)] if sample.category else "Any",
        act=EVENTS[sample.act].label if sample.act in EVENTS else sample.act or "Any",
        to_judge=(AccessState.ANSWERED, AccessState.OVERDUE),
        own_id=actor.user_id,
        verdicts=VERDICT_LABELS,
        values=values,
        errors=errors,
        judged=judged,
        limit=MAX_NOTE,
    )


@own.page(OWN, needs=Door.SIGNED_IN, event="justification.listed", data=Data.STAFF)
def mine() -> str:
    return render_template("reviews/mine.html", rows=queries.list_own(current_actor()))


@own.page(
    f"{OWN}/<uuid:access_id>",
    needs=Door.SIGNED_IN,
    event="justification.opened",
    data=Data.STAFF,
)
def one(access_id: UUID) -> str:
    return _own(current_actor(), access_id, {}, {})


@own.page(
    f"{OWN}/<uuid:access_id>/answer",
    needs=Door.SIGNED_IN,
    event="justification.given",
    data=Data.STAFF,
    methods=("POST",),
)
def answer(access_id: UUID) -> Answer:
    actor = current_actor()

    def act() -> str:
        actions.answer_access(actor, access_id, parse_answer(request.form))
        flash("Your answer has been sent to your organisation’s auditors.", "success")
        return OWN

    try:
        return once(actor, act, draft=_draft(access_id))
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _own(actor, access_id, request.form, invalid.errors), 422


def _draft(access_id: UUID) -> str:
    return drafts.form_name("my_accesses.answer", access_id)


def _own(actor: Actor, access_id: UUID, values: Mapping[str, Any], errors: dict[str, str]) -> str:
    row, sample = queries.open_own(actor, access_id)
    return render_template(
        "reviews/own.html",
        row=row,
        access=row.access,
        sample=sample,
        values=values or drafts.find_values(actor, _draft(access_id)),
        errors=errors,
        draft_key=_draft(access_id),
        limit=MAX_NOTE,
    )
