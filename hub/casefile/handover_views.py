"""Handing a case over, in three steps: to which team, what goes and why, and one plain sentence before it is offered.
State travels in hidden fields, and in the draft where the user must first confirm who they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import flash, render_template, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.access.vocabulary import PURPOSE_LABELS, SECTION_LABELS, Purpose
from hub.accounts.queries import organisation_names, team_names
from hub.agreements.vocabulary import GATEWAYS, LAWFUL_BASES
from hub.casefile.page import CasePage, open_case_page
from hub.cases.policy import check_live
from hub.cases.queries import find_incident_ids, load_for_change
from hub.cases.vocabulary import CASE_KIND_LABELS, CaseKind
from hub.core.errors import Denied, Invalid
from hub.extensions import db
from hub.handovers.actions import ADDRESS, check_offer, offer_hand_over
from hub.handovers.forms import STAYABLE, OfferForm, parse_offer, parse_team
from hub.handovers.queries import find_live_terms, find_targets, find_waiting_offer, purposes_of
from hub.sharing.queries import find_grants_of
from hub.web import drafts
from hub.web.confirming import confirm_first, must_confirm
from hub.web.identity import current_actor
from hub.web.once import led_to, once
from hub.web.routes import Data, Pages

pages = Pages("case_handover", __name__)
BASE = "/cases/<uuid:case_id>/hand-over"
SINGLE = ("to", "purpose", "reason")
Answer = Response | str | tuple[str, int]


@pages.page(
    BASE,
    needs=Permission.CASE_HAND_OVER,
    event="case.opened",
    data=Data.PERSONAL,
    methods=("GET", "POST"),
)
def steps(case_id: UUID) -> Answer:
    """Shows the step that was asked for; a step that is not complete is shown again with what is missing."""
    page = _open(case_id)
    given = request.form if request.method == "POST" else _kept(case_id)
    wanted = request.form.get("go", "") if request.method == "POST" else request.args.get("go", "who")
    values = _values(given)
    waiting = find_waiting_offer(current_actor(), case_id)
    if waiting is not None:
        return render_template("handovers/waiting.html", page=page, row=waiting)
    try:
        if wanted == "who":
            return _who(page, values, {})
        _team(values)
        if wanted == "what":
            return _what(page, values, {})
        form = parse_offer(given)
        check_offer(current_actor(), case_id, form)
    except Invalid as invalid:
        db.session.rollback()
        return _again(page, values, invalid), 422
    if must_confirm():
        return confirm_first(_draft(case_id), f"/cases/{case_id}/hand-over?go=check")
    return _check(page, values, form)


@pages.page(
    f"{BASE}/offer",
    needs=Permission.CASE_HAND_OVER,
    event="handover.offered",
    data=Data.PERSONAL,
    methods=("POST",),
)
def offer(case_id: UUID) -> Answer:
    actor = current_actor()
    done = led_to(actor)
    if done is not None:
        return done
    if must_confirm():
        return confirm_first(_draft(case_id), f"/cases/{case_id}/hand-over?go=check")

    def act() -> str:
        case = load_for_change(actor, case_id)
        check_live(case)
        kind = CASE_KIND_LABELS[CaseKind(case.kind)]
        made = offer_hand_over(actor, case_id, parse_offer(request.form), case_kind=kind)
        flash("Offered. Your team leads the case until they accept; you will be told.", "success")
        return f"{ADDRESS}/{made.id}"

    try:
        return once(actor, act, draft=_draft(case_id))
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _again(_open(case_id), _values(request.form), invalid), 422


def _open(case_id: UUID) -> CasePage:
    page = open_case_page(current_actor(), case_id, "hand_over")
    if not page.may.hand_over:
        raise Denied(
            "not_lead", "Only the team that leads this case can hand it over, while it is not closed."
        )
    return page


def _draft(case_id: UUID) -> str:
    return drafts.form_name("case_handover.steps", case_id)


def _kept(case_id: UUID) -> MultiDict[str, str]:
    return MultiDict(drafts.find(current_actor(), _draft(case_id)) or {})


def _values(given: MultiDict[str, str]) -> dict[str, Any]:
    return {**{name: given.get(name, "") for name in SINGLE}, "stays": given.getlist("stays")}


def _hidden(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    single = [(name, str(values[name])) for name in SINGLE if values[name]]
    return single + [("stays", one) for one in values["stays"]]


def _team(values: Mapping[str, Any]) -> tuple[UUID, UUID]:
    errors: dict[str, str] = {}
    team = parse_team(values, errors)
    if team is None:
        raise Invalid("bad_offer", errors=errors)
    return team


# ---- the steps ----------------------------------------------------------------------------------------------------


def _again(page: CasePage, values: Mapping[str, Any], invalid: Invalid) -> str:
    return (_who if "to" in invalid.errors else _what)(page, values, invalid.errors)


def _who(page: CasePage, values: Mapping[str, Any], errors: Mapping[str, str]) -> str:
    targets = find_targets(current_actor(), page.case.lead_team_id)
    hidden = _hidden({**values, "to": ""})
    return _step("who", page, values, errors, targets=targets, hidden=hidden)


def _what(page: CasePage, values: Mapping[str, Any], errors: Mapping[str, str]) -> str:
    actor = current_actor()
    organisation, team = _team(values)
    own = organisation == actor.organisation_id
    live = [] if own else find_live_terms(actor, organisation)
    covered = {section for terms in live for section in terms.agreement.sections}
    fresh = not any(values[name] for name in ("reason", "purpose", "stays"))
    beyond = [] if own else [one.value for one in STAYABLE if one.value not in covered]
    return _step(
        "what",
        page,
        {**values, "stays": beyond, "purpose": ""} if fresh else values,
        errors,
        own=own,
        to_name=_name(organisation, team),
        purposes=purposes_of(actor, live),
        sections=[
            (
                one.value,
                SECTION_LABELS[one],
                "No agreement with them covers it" if one.value in beyond else "",
            )
            for one in STAYABLE
        ],
        draft_key=_draft(page.case.id),
    )


def _check(page: CasePage, values: Mapping[str, Any], form: OfferForm) -> str:
    actor = current_actor()
    footing = check_offer(actor, page.case.id, form)
    to_name = _name(form.to_organisation_id, form.to_team_id)
    own = form.to_organisation_id == actor.organisation_id
    ending = [row for row in find_grants_of(actor, page.case.id) if not row.state.over]
    return _step(
        "check",
        page,
        values,
        {},
        to_name=to_name,
        said=_sentence(page, to_name, len(ending), own=own),
        goes=[SECTION_LABELS[one] for one in form.goes],
        stays=[SECTION_LABELS[one] for one in form.stays],
        ending=[f"{row.to_name}{f' ({row.to_detail})' if row.to_detail else ''}" for row in ending],
        incidents=len(find_incident_ids(actor, page.case.id)),
        purpose=PURPOSE_LABELS[Purpose(form.purpose)] if form.purpose and not own else "",
        gateway=GATEWAYS.get(footing.gateway, ""),
        basis=LAWFUL_BASES.get(footing.lawful_basis, ""),
        own=own,
        hidden=_hidden(values),
    )


def _sentence(page: CasePage, to_name: str, shares: int, *, own: bool) -> str:
    """What will happen, to whom and when: one plain sentence, and one of what your team keeps."""
    reference = page.case.reference
    ended = {0: "", 1: ", and its one share ends"}.get(shares, f", and all its {shares} shares end")
    kept = (
        "Everything in it goes: your organisation stays its controller."
        if own
        else "What your organisation wrote in it stays readable to you; everything else does not."
    )
    return (
        f"From the moment that they accept, {to_name} leads {reference} and your team can no longer open it{ended}. {kept} "
        "Until they answer, nothing changes and you can withdraw the offer."
    )


def _name(organisation: UUID, team: UUID) -> str:
    return f"{team_names([team]).get(team, '')}, {organisation_names([organisation]).get(organisation, '')}"


def _step(
    name: str, page: CasePage, values: Mapping[str, Any], errors: Mapping[str, str], **more: Any
) -> str:
    return render_template(f"handovers/{name}.html", page=page, values=values, errors=dict(errors), **more)
