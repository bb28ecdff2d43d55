"""Hand-overs behind both walls: read by those who lead the record, by the team that offered it and by the one it is offered to.
Who may offer and answer one, and in what state."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Record
from hub.access.policy import Rules, change_record, guard_class, not_excluded
from hub.access.queries import Right
from hub.access.sets import Expression, Terms
from hub.core.errors import Conflict, Denied
from hub.handovers.models import HandOver
from hub.handovers.vocabulary import HandOverState


def _read(row: Any, terms: Terms) -> Expression:
    sides = sa.or_(row.to_team_id == terms.team_id, row.from_team_id == terms.team_id)
    side = sa.and_(
        sides, row.marking <= terms.clearance, not_excluded(row, row.record_id, terms, "hand_over")
    )
    return sa.or_(side, change_record(row, row.record_id, terms))


guard_class(
    HandOver,
    Rules(read=_read, add=lambda row, terms: change_record(row, row.record_id, terms), change=_read),
)

ENDED_AS = {
    HandOverState.ACCEPTED: "This hand-over has been accepted already. Nothing was changed.",
    HandOverState.REFUSED: "This hand-over was refused already. Nothing was changed.",
    HandOverState.WITHDRAWN: "This hand-over was withdrawn. Nothing was changed.",
}


def check_may_offer(actor: Actor, record: Record, right: Right) -> None:
    """Who: the lead team's own people. Raises `Denied`."""
    if right.via != "lead" or record.owner_organisation_id != actor.organisation_id:
        raise Denied(
            "not_lead", "Only the team that leads this case can hand it over. Nothing was handed over."
        )


def is_receiver(actor: Actor, offer: HandOver) -> bool:
    return (offer.to_team_id, offer.to_organisation_id) == (actor.team_id, actor.organisation_id)


def is_giver(actor: Actor, offer: HandOver) -> bool:
    return (offer.from_team_id, offer.from_organisation_id) == (actor.team_id, actor.organisation_id)


def check_may_answer(actor: Actor, offer: HandOver) -> None:
    """Who: the team that it is offered to. In what state: waiting. Raises `Denied` or `Conflict`."""
    if not is_receiver(actor, offer):
        raise Denied("not_recipient", "This case was offered to another team, which must answer.")
    _check_waits(offer)


def check_may_withdraw(actor: Actor, offer: HandOver) -> None:
    """Who: the team that offered it. In what state: waiting. Raises `Denied` or `Conflict`."""
    if not is_giver(actor, offer):
        raise Denied("not_lead", "Only the team that offered this case can withdraw the offer.")
    _check_waits(offer)


def _check_waits(offer: HandOver) -> None:
    state = HandOverState(offer.state)
    if state is not HandOverState.OFFERED:
        raise Conflict("answered_already", ENDED_AS[state])
