"""Panels: sets of partners agreed beforehand. Made by an administrator, joined by the others' in their own accounts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, render_template, request
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.access.vocabulary import PURPOSE_LABELS, SECTION_LABELS, Marking, Purpose, Section
from hub.agreements.policy import Terms
from hub.agreements.vocabulary import GATEWAYS
from hub.core.errors import Invalid, NotVisible
from hub.core.paging import Cursor
from hub.extensions import db
from hub.panels.actions import end_panel, join_panel, leave_panel, make_panel
from hub.panels.forms import MAX_NAME, parse_panel, seat_value
from hub.panels.policy import PANEL_LABELS, SEAT_LABELS, PanelState
from hub.panels.queries import find_ground, find_grounds, find_offerable, list_panels, open_panel
from hub.web.identity import current_actor
from hub.web.narrowing import Filter, Narrowed
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("panels", __name__)
ADDRESS = "/panels"
SINGLE = ("name", "purpose", "max_marking", "may_contribute", "lasts_days")
USUAL_DAYS = "90"


@pages.page(ADDRESS, needs=Permission.AGREEMENT_READ, event="panel.listed", data=Data.STAFF)
def index() -> str:
    actor = current_actor()
    narrowed = Narrowed(ADDRESS, {"state": Filter("State", PANEL_LABELS)})
    state = narrowed["state"]
    page = list_panels(actor, PanelState(state) if state else None, cursor=Cursor.parse(narrowed.after))
    return render_template(
        "panels/list.html",
        page=page,
        narrowed=narrowed,
        mine=actor.organisation_id,
        may_make=actor.may(Permission.ACCOUNT_MANAGE),
        panel_labels=PANEL_LABELS,
        seat_labels=SEAT_LABELS,
    )


@pages.page(
    f"{ADDRESS}/new",
    needs=Permission.ACCOUNT_MANAGE,
    event="panel.created",
    data=Data.NONE,
    methods=("GET", "POST"),
)
def new() -> Response | str | tuple[str, int]:
    """First the agreement that it stands on, then the rest on one page."""
    actor = current_actor()
    terms = _ground(request.values.get("agreement", ""))
    if terms is None:
        return render_template("panels/ground.html", grounds=find_grounds(actor))
    if request.method == "GET":
        return _form(terms, {**dict.fromkeys(SINGLE, ""), "lasts_days": USUAL_DAYS}, {})
    offered = [seat for seat, _, _ in find_offerable(actor, terms)]

    def act() -> str:
        panel = make_panel(actor, parse_panel(request.form, terms, offered))
        flash(
            "The panel is made. Each partner accepts its own seat; its administrators have been told.",
            "success",
        )
        return f"{ADDRESS}/{panel.id}"

    try:
        return once(actor, act)
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        values = {name: request.form.get(name, "") for name in SINGLE}
        return _form(terms, values, invalid.errors), 422


def _ground(given: str) -> Terms | None:
    """The agreement asked for, where a panel can stand on it now."""
    if not given:
        return None
    try:
        found = find_ground(current_actor(), UUID(given))
    except ValueError:
        found = None
    if found is None:
        raise NotVisible
    terms, refusal = found
    return terms if refusal is None else None


def _form(terms: Terms, values: dict[str, str], errors: dict[str, str]) -> str:
    actor = current_actor()
    purposes = [
        (one.purpose, PURPOSE_LABELS[Purpose(one.purpose)], f"By {GATEWAYS[one.gateway]}")
        for one in terms.purposes
    ]
    return render_template(
        "panels/new.html",
        terms=terms,
        purposes=purposes,
        sections=[
            (one.value, label)
            for one, label in SECTION_LABELS.items()
            if one.value in terms.agreement.sections and one is not Section.SUMMARY
        ],
        offered=[
            (seat_value(seat), name if seat[1] is None else f"{name}: {detail}", detail)
            for seat, name, detail in find_offerable(actor, terms)
        ],
        markings=[(str(one.value), f"Up to {one.label}") for one in Marking],
        values=values,
        chosen={name: request.form.getlist(name) for name in ("sections", "seats")},
        errors=errors,
        max_name=MAX_NAME,
    )


@pages.page(
    f"{ADDRESS}/<uuid:panel_id>", needs=Permission.AGREEMENT_READ, event="panel.listed", data=Data.STAFF
)
def one(panel_id: UUID) -> str:
    actor = current_actor()
    row = open_panel(actor, panel_id)
    in_use = row.state is PanelState.IN_USE
    manages = actor.may(Permission.ACCOUNT_MANAGE)
    return render_template(
        "panels/one.html",
        row=row,
        mine=actor.organisation_id,
        ours=[seat for seat in row.now_seated if seat.member.organisation_id == actor.organisation_id]
        if manages
        else [],
        in_use=in_use,
        may_end=manages and in_use and row.panel.organisation_id == actor.organisation_id,
        panel_labels=PANEL_LABELS,
        seat_labels=SEAT_LABELS,
    )


def _done(act: Any, said: str, panel_id: UUID) -> Response:
    def acted() -> str:
        act()
        flash(said, "success")
        return f"{ADDRESS}/{panel_id}"

    return once(current_actor(), acted)


def _seat() -> UUID:
    try:
        return UUID(request.form.get("seat", ""))
    except ValueError as error:
        raise Invalid("bad_seat", "Say which seat. Go back to the panel and choose it again.") from error


@pages.page(
    f"{ADDRESS}/<uuid:panel_id>/join",
    needs=Permission.ACCOUNT_MANAGE,
    event="panel.joined",
    data=Data.NONE,
    methods=("POST",),
)
def join(panel_id: UUID) -> Response:
    actor, seat = current_actor(), _seat()
    said = "Accepted. What is shared with this panel arrives accepted from now on."
    return _done(lambda: join_panel(actor, panel_id, seat), said, panel_id)


@pages.page(
    f"{ADDRESS}/<uuid:panel_id>/leave",
    needs=Permission.ACCOUNT_MANAGE,
    event="panel.left",
    data=Data.NONE,
    methods=("POST",),
)
def leave(panel_id: UUID) -> Response:
    actor, seat = current_actor(), _seat()
    said = "Given up. Nothing more is shared with you through this panel; what was shared holds until its own end."
    return _done(lambda: leave_panel(actor, panel_id, seat), said, panel_id)


@pages.page(
    f"{ADDRESS}/<uuid:panel_id>/end",
    needs=Permission.ACCOUNT_MANAGE,
    event="panel.ended",
    data=Data.NONE,
    methods=("POST",),
)
def end(panel_id: UUID) -> Response:
    actor = current_actor()
    said = "The panel has ended. No share has: each holds until its own end, or until the lead team ends it."
    return _done(lambda: end_panel(actor, panel_id), said, panel_id)
