"""Hand-overs as both sides see them: what waits for whom, one offer, and the answers to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from flask import flash, render_template, request
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.agreements.vocabulary import GATEWAYS, LAWFUL_BASES
from hub.core.errors import Invalid
from hub.core.paging import Cursor
from hub.extensions import db
from hub.handovers.actions import ADDRESS, accept_hand_over, refuse_hand_over, withdraw_hand_over
from hub.handovers.forms import OWN_BASES, OWN_GATEWAYS, parse_acceptance, parse_refusal
from hub.handovers.policy import is_giver, is_receiver
from hub.handovers.queries import (
    HandOverPart,
    HandOverRow,
    find_hand_over,
    list_hand_overs,
    open_hand_over,
    waiting_count,
)
from hub.handovers.vocabulary import STATE_LABELS, HandOverState
from hub.web import drafts
from hub.web.confirming import confirm_first, must_confirm
from hub.web.context import mark_page
from hub.web.identity import current_actor
from hub.web.once import led_to, once
from hub.web.routes import Data, Pages

pages = Pages("hand_overs", __name__)
ONE = f"{ADDRESS}/<uuid:hand_over_id>"
PART_LABELS = {
    HandOverPart.WAITING: "Waiting for your answer",
    HandOverPart.OFFERED: "Offered by your team",
    HandOverPart.PAST: "Answered or withdrawn",
}
Answer = Response | str | tuple[str, int]


@pages.page(ADDRESS, needs=Permission.CASE_READ, event="share.listed", data=Data.PERSONAL)
def index() -> str:
    actor = current_actor()
    given = request.args.get("show", "")
    part = HandOverPart(given) if given in set(HandOverPart) else HandOverPart.WAITING
    after = request.args.get("after")
    page = list_hand_overs(actor, part, after=Cursor.parse(after))
    mark_page(max((row.offer.marking for row in page.rows), default=0))
    base = f"{ADDRESS}?show={part.value}"
    return render_template(
        "handovers/list.html",
        part=part.value,
        title=PART_LABELS[part],
        rows=page.rows,
        state_labels=STATE_LABELS,
        first_href=base if after else None,
        next_href=f"{base}&after={page.next_cursor}" if page.next_cursor else None,
        tabs_shown=[
            {
                "label": label,
                "href": f"{ADDRESS}?show={one.value}",
                "active": one is part,
                "count": waiting_count(actor) or None if one is HandOverPart.WAITING else None,
            }
            for one, label in PART_LABELS.items()
        ],
    )


@pages.page(ONE, needs=Permission.CASE_READ, event="handover.opened", data=Data.PERSONAL)
def one(hand_over_id: UUID) -> str:
    return _page(hand_over_id, drafts.find_values(current_actor(), _draft(hand_over_id)), {})


@pages.page(
    f"{ONE}/accept",
    needs=Permission.CASE_HAND_OVER,
    event="handover.accepted",
    data=Data.PERSONAL,
    methods=("POST",),
)
def accept(hand_over_id: UUID) -> Answer:
    actor = current_actor()
    done = led_to(actor)
    if done is not None:
        return done
    if must_confirm():
        return confirm_first(_draft(hand_over_id), f"{ADDRESS}/{hand_over_id}")

    def act() -> str:
        row = find_hand_over(actor, hand_over_id)
        form = parse_acceptance(request.form, outside=row is not None and row.outside)
        offer = accept_hand_over(actor, hand_over_id, form)
        flash(f"Your team leads {offer.record_reference} now, and you are its lead officer.", "success")
        return f"/cases/{offer.record_id}"

    return _tried(hand_over_id, act)


@pages.page(
    f"{ONE}/refuse",
    needs=Permission.CASE_HAND_OVER,
    event="handover.refused",
    data=Data.PERSONAL,
    methods=("POST",),
)
def refuse(hand_over_id: UUID) -> Answer:
    def act() -> str:
        refuse_hand_over(current_actor(), hand_over_id, reason=parse_refusal(request.form))
        flash("Refused. The team that offered it is told why.", "success")
        return f"{ADDRESS}/{hand_over_id}"

    return _tried(hand_over_id, act)


@pages.page(
    f"{ONE}/withdraw",
    needs=Permission.CASE_HAND_OVER,
    event="handover.withdrawn",
    data=Data.PERSONAL,
    methods=("POST",),
)
def withdraw(hand_over_id: UUID) -> Answer:
    def act() -> str:
        offer = withdraw_hand_over(current_actor(), hand_over_id)
        flash(f"The offer of {offer.record_reference} is withdrawn.", "success")
        return f"{ADDRESS}/{hand_over_id}"

    return _tried(hand_over_id, act)


def _tried(hand_over_id: UUID, act: Callable[[], str]) -> Answer:
    try:
        return once(current_actor(), act, draft=_draft(hand_over_id))
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _page(hand_over_id, request.form, invalid.errors), 422


def _draft(hand_over_id: UUID) -> str:
    return drafts.form_name("hand_overs.one", hand_over_id)


def _page(hand_over_id: UUID, values: Mapping[str, str], errors: Mapping[str, str]) -> str:
    actor = current_actor()
    row = open_hand_over(actor, hand_over_id)
    mark_page(row.offer.marking, "personal data")
    waits = row.state is HandOverState.OFFERED
    may = actor.may(Permission.CASE_HAND_OVER)
    return render_template(
        "handovers/one.html",
        row=row,
        offer=row.offer,
        state_label=STATE_LABELS[row.state],
        words=_words(row),
        receives=waits and is_receiver(actor, row.offer),
        may_answer=waits and may and is_receiver(actor, row.offer),
        may_withdraw=waits and may and is_giver(actor, row.offer),
        given_away=row.state is HandOverState.ACCEPTED and is_giver(actor, row.offer) and row.outside,
        gateways=list(OWN_GATEWAYS.items()),
        bases=list(OWN_BASES.items()),
        values=values,
        errors=dict(errors),
        draft_key=_draft(hand_over_id),
    )


def _words(row: HandOverRow) -> dict[str, str]:
    """Gateways and bases of both sides in words."""
    offer = row.offer
    return {
        "gateway": GATEWAYS.get(offer.gateway or "", ""),
        "basis": LAWFUL_BASES.get(offer.lawful_basis or "", ""),
        "restated_gateway": GATEWAYS.get(offer.restated_gateway or "", ""),
        "restated_basis": LAWFUL_BASES.get(offer.restated_basis or "", ""),
    }
