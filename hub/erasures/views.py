"""Pages of erasures: asking from a closed case step by step, the list of requests, and the second person's decision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.casefile.page import open_case_page
from hub.core.errors import Invalid
from hub.erasures.actions import approve_erasure, ask_erasure, refuse_erasure
from hub.erasures.models import RecordErasure
from hub.erasures.policy import check_may_ask
from hub.erasures.queries import find_waiting, list_erasures, open_erasure
from hub.erasures.vocabulary import GROUND_LABELS, ErasureGround
from hub.web.confirming import must_confirm
from hub.web.identity import current_actor
from hub.web.once import led_to, once
from hub.web.routes import Data, Pages

pages = Pages("erasures", __name__)
ASK = "/cases/<uuid:case_id>/erase"
LIST = "/erasures"
Answer = Response | str | tuple[str, int]


@pages.page(
    ASK, needs=Permission.ERASURE_ASK, event="case.opened", data=Data.PERSONAL, methods=("GET", "POST")
)
def steps(case_id: UUID) -> Answer:
    """The ground; and once it is chosen, one sentence of what will happen."""
    actor = current_actor()
    values = request.form if request.method == "POST" else {}
    try:
        ground = parse_ground(values) if request.method == "POST" else None
    except Invalid as invalid:
        return _steps(actor, case_id, values, invalid.errors, None), 422
    return _steps(actor, case_id, values, {}, ground)


@pages.page(
    f"{ASK}/ask",
    needs=Permission.ERASURE_ASK,
    event="erasure.asked",
    data=Data.PERSONAL,
    methods=("POST",),
)
def ask(case_id: UUID) -> Answer:
    actor = current_actor()

    def act() -> str:
        ask_erasure(actor, case_id, parse_ground(request.form))
        flash("Asked. Somebody else of your organisation decides it.", "success")
        return f"/cases/{case_id}/erase"

    return once(actor, act)


@pages.page(LIST, needs=Permission.ERASURE_APPROVE, event="erasure.listed", data=Data.STAFF)
def index() -> str:
    return render_template("erasures/list.html", rows=list_erasures(current_actor()))


@pages.page(
    f"{LIST}/<uuid:erasure_id>", needs=Permission.ERASURE_APPROVE, event="erasure.viewed", data=Data.STAFF
)
def show(erasure_id: UUID) -> Answer:
    if must_confirm():
        return _confirm(erasure_id)
    return render_template("erasures/one.html", row=open_erasure(current_actor(), erasure_id))


@pages.page(
    f"{LIST}/<uuid:erasure_id>/approve",
    needs=Permission.ERASURE_APPROVE,
    event="record.erased",
    data=Data.STAFF,
    methods=("POST",),
)
def approve(erasure_id: UUID) -> Answer:
    return _decided(erasure_id, approve_erasure, "Erased. Within 30 days no backup opens it either.")


@pages.page(
    f"{LIST}/<uuid:erasure_id>/refuse",
    needs=Permission.ERASURE_APPROVE,
    event="erasure.refused",
    data=Data.STAFF,
    methods=("POST",),
)
def refuse(erasure_id: UUID) -> Answer:
    return _decided(erasure_id, refuse_erasure, "Refused. The case stays as it is.")


def parse_ground(given: Mapping[str, str]) -> ErasureGround:
    """Raises `Invalid`."""
    try:
        return ErasureGround(given.get("ground", ""))
    except ValueError:
        raise Invalid("no_ground", errors={"ground": "Choose under what it is erased"}) from None


def _decided(erasure_id: UUID, decide: Callable[[Actor, UUID], RecordErasure], told: str) -> Answer:
    actor = current_actor()
    done = led_to(actor)
    if done is not None:
        return done
    if must_confirm():
        return _confirm(erasure_id)

    def act() -> str:
        decide(actor, erasure_id)
        flash(told, "success")
        return LIST

    return once(actor, act)


def _confirm(erasure_id: UUID) -> Response:
    return redirect(url_for("accounts.confirm", next=f"{LIST}/{erasure_id}"), 303)


def _steps(
    actor: Actor,
    case_id: UUID,
    values: Mapping[str, str],
    errors: Mapping[str, str],
    ground: ErasureGround | None,
) -> str:
    page = open_case_page(actor, case_id, "erase")
    waiting = find_waiting(actor, case_id) is not None
    if not waiting:
        check_may_ask(actor, page.case)
    return render_template(
        "erasures/ask.html",
        page=page,
        values=values,
        errors=dict(errors),
        grounds=[(one.value, label[:1].upper() + label[1:]) for one, label in GROUND_LABELS.items()],
        ground=GROUND_LABELS[ground] if ground else "",
        waiting=waiting,
    )
