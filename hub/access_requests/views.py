"""Pages of requests: asking after a blind hit, the requests asked by us and of us, and one of them with its answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import flash, render_template, request
from werkzeug.wrappers import Response

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.access.vocabulary import PURPOSE_LABELS, SECTION_LABELS, Marking, Purpose, Section
from hub.access_requests.actions import answer_request, make_request, withdraw_request
from hub.access_requests.deadlines import offered
from hub.access_requests.forms import ANSWERS, SHARES, parse_answer, parse_ask
from hub.access_requests.queries import (
    OpenedRequest,
    find_sought_ids,
    find_terms_for,
    how_late,
    list_requests,
    open_request,
)
from hub.access_requests.vocabulary import STATE_LABELS, URGENCY_LABELS, RequestState, Urgency
from hub.accounts.queries import organisation_names
from hub.agreements.policy import Terms
from hub.agreements.vocabulary import GATEWAYS
from hub.core import clock
from hub.core.errors import Invalid, NotVisible
from hub.core.paging import Cursor
from hub.core.text import clean
from hub.extensions import db
from hub.settings.values import values_of
from hub.sharing.policy import usual_length
from hub.web import drafts
from hub.web.context import mark_page
from hub.web.identity import current_actor
from hub.web.narrowing import Filter, Narrowed
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("access_requests", __name__)
ADDRESS = "/requests"
OURS = "ours"
Values = Mapping[str, Any]
Answer = Response | str | tuple[str, int]
ANSWER_LABELS = {
    RequestState.SUPPLIED: "Supply all that they ask for",
    RequestState.PART: "Supply a part of it",
    RequestState.REFUSED: "Refuse",
    RequestState.NOT_HELD: "We do not hold what they want to know",
}
DAY = timedelta(days=1)


@pages.page(ADDRESS, needs=Permission.REQUEST_ANSWER, event="request.listed", data=Data.PERSONAL)
def index() -> str:
    ours = request.args.get("by") == OURS
    narrowed = Narrowed(
        ADDRESS, {"state": Filter("State", STATE_LABELS)}, carried={"by": OURS} if ours else {}
    )
    page = list_requests(
        current_actor(),
        ours=ours,
        state=RequestState(narrowed["state"]) if narrowed["state"] else None,
        cursor=Cursor.parse(narrowed.after),
    )
    return render_template(
        "access_requests/list.html",
        page=page,
        narrowed=narrowed,
        ours=ours,
        how_late=how_late,
        states=STATE_LABELS,
    )


@pages.page(
    f"{ADDRESS}/new/<uuid:organisation_id>",
    needs=Permission.REQUEST_MAKE,
    event="request.made",
    data=Data.PERSONAL,
    methods=("GET", "POST"),
)
def ask(organisation_id: UUID) -> Answer:
    """The form, filled from the search (`go=ask`) or from the draft; or its sending."""
    actor = current_actor()
    draft = drafts.form_name("access_requests.ask", organisation_id)
    if request.method == "GET" or request.form.get("go") == "ask":
        kept = drafts.find_values(actor, draft)
        sought = clean(request.form.get("sought", "")) or kept.get("sought", "")
        return _ask_form(actor, organisation_id, {**kept, "sought": sought}, {})

    def act() -> str:
        made = make_request(actor, organisation_id, parse_ask(request.form))
        flash("Sent. Those who lead the record are told now; you will be told of their answer.", "success")
        return f"{ADDRESS}/{made.id}"

    try:
        return once(actor, act, draft=draft)
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _ask_form(actor, organisation_id, request.form, invalid.errors), 422


def _ask_form(actor: Actor, organisation_id: UUID, values: Values, errors: dict[str, str]) -> str:
    """`NotVisible` where no agreement carries the purpose in hand: there is nobody to ask then."""
    terms = find_terms_for(actor, organisation_id, actor.purpose)
    if not terms:
        raise NotVisible
    mark_page(Marking.OFFICIAL_SENSITIVE, "personal data")
    return render_template(
        "access_requests/ask.html",
        organisation_id=organisation_id,
        organisation=organisation_names([organisation_id])[organisation_id],
        purpose=PURPOSE_LABELS[Purpose(actor.purpose)],
        gateways=_gateways(terms, actor.purpose),
        urgencies=offered(values_of(actor.partnership_id)),
        values=values,
        errors=errors,
        draft_key=drafts.form_name("access_requests.ask", organisation_id),
    )


def _gateways(terms: list[Terms], purpose: str) -> list[str]:
    found = [(one, one.permission_for(purpose)) for one in terms]
    return [f"{GATEWAYS[given.gateway]}, under {one.called}" for one, given in found if given is not None]


@pages.page(
    f"{ADDRESS}/<uuid:request_id>",
    needs=Permission.REQUEST_ANSWER,
    event="request.opened",
    data=Data.PERSONAL,
)
def show(request_id: UUID) -> str:
    return _page(current_actor(), request_id, None, {})


@pages.page(
    f"{ADDRESS}/<uuid:request_id>/answer",
    needs=Permission.REQUEST_ANSWER,
    event="request.answered",
    data=Data.PERSONAL,
    methods=("POST",),
)
def answer(request_id: UUID) -> Answer:
    actor = current_actor()

    def act() -> str:
        form = parse_answer(request.form, find_sought_ids(actor, request_id))
        answered = answer_request(actor, request_id, form)
        flash(f"Answered: {STATE_LABELS[RequestState(answered.state)].lower()}. They are told.", "success")
        return f"{ADDRESS}/{request_id}"

    try:
        return once(actor, act, draft=drafts.form_name("access_requests.answer", request_id))
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _page(actor, request_id, request.form, invalid.errors), 422


@pages.page(
    f"{ADDRESS}/<uuid:request_id>/withdraw",
    needs=Permission.REQUEST_MAKE,
    event="request.withdrawn",
    data=Data.NONE,
    methods=("POST",),
)
def withdraw(request_id: UUID) -> Response:
    actor = current_actor()

    def act() -> str:
        withdraw_request(actor, request_id)
        flash("The request is withdrawn.", "success")
        return f"{ADDRESS}/{request_id}"

    return once(actor, act)


def _page(actor: Actor, request_id: UUID, typed: Any, errors: dict[str, str]) -> str:
    found = open_request(actor, request_id)
    mark_page(max([Marking.OFFICIAL_SENSITIVE, *(one.marking for one in found.sought)]), "personal data")
    answering = found.row.waiting and bool(found.sought)
    draft = drafts.form_name("access_requests.answer", request_id)
    return render_template(
        "access_requests/one.html",
        found=found,
        row=found.row,
        asked=found.request,
        late=how_late(found.request.due_at, found.request.answered_at or clock.now()),
        purpose=PURPOSE_LABELS[Purpose(found.request.purpose)],
        urgency=URGENCY_LABELS[Urgency(found.request.urgency)],
        states=STATE_LABELS,
        sections=SECTION_LABELS,
        shares=[one.value for one in SHARES],
        may_withdraw=found.row.ours and found.row.waiting,
        form=_answer_form(actor, found, typed, draft) if answering else None,
        errors=errors,
        draft_key=draft,
    )


def _answer_form(actor: Actor, found: OpenedRequest, typed: Any, draft: str) -> dict[str, Any]:
    """What the answer's form offers, and what it holds: as typed, else as the draft has it, else what is usual."""
    asked = found.request
    terms = find_terms_for(actor, asked.from_organisation_id, asked.purpose)
    latest = max((one.agreement.ends_at for one in terms), default=None)
    covered = {section for one in terms for section in one.agreement.sections}
    kept = drafts.find(actor, draft) if typed is None else None
    several = typed.getlist if typed is not None else (lambda name: (kept or {}).get(name, []))
    fresh = typed is None and not kept
    names = ("state", "answer", "reason", "max_marking", "ends-day", "ends-month", "ends-year")
    values = {name: (several(name) or [""])[0] for name in names}
    if fresh:
        values |= {
            "reason": asked.reason,
            "max_marking": "0",
            **_usual_end(clock.now(), usual_length(actor), latest),
        }
    return {
        "answers": [(one.value, ANSWER_LABELS[one]) for one in ANSWERS],
        "offered": [(one.value, label) for one, label in SECTION_LABELS.items() if one.value in covered],
        "markings": [(str(one.value), f"Up to {one.label}") for one in Marking if one <= actor.clearance],
        "gateways": _gateways(terms, asked.purpose),
        "latest": latest,
        "values": values,
        "chosen": {
            one.id: [Section.SUMMARY.value] if fresh else several(f"sections-{one.id}")
            for one in found.sought
        },
        "kept": drafts.saved_at(actor, draft) if kept else None,
    }


def _usual_end(now: datetime, usual: timedelta, latest: datetime | None) -> dict[str, str]:
    end = min(now + usual, latest - DAY) if latest else now + usual
    day = end.astimezone(clock.LONDON)
    return {"ends-day": str(day.day), "ends-month": str(day.month), "ends-year": str(day.year)}
