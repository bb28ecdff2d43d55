"""Where a seat and a panel stand, who may do what with them, and why a share would not reach a seat."""

from __future__ import annotations

import enum
from datetime import datetime

from hub.access.actor import Actor
from hub.core.errors import Conflict, NotVisible
from hub.panels.models import Panel, PanelMember


class SeatState(enum.StrEnum):
    """A seat takes shares only while it is taken."""

    OFFERED = "offered"
    TAKEN = "taken"
    LEFT = "left"


SEAT_LABELS = {
    SeatState.OFFERED: "Waits for their acceptance",
    SeatState.TAKEN: "Accepted",
    SeatState.LEFT: "Given up",
}


class PanelState(enum.StrEnum):
    IN_USE = "in_use"
    ENDED = "ended"


PANEL_LABELS = {PanelState.IN_USE: "In use", PanelState.ENDED: "Ended"}


def seat_state(member: PanelMember, now: datetime) -> SeatState:
    if member.left_at is not None and member.left_at <= now:
        return SeatState.LEFT
    return SeatState.OFFERED if member.accepted_at is None else SeatState.TAKEN


def panel_state(panel: Panel, now: datetime) -> PanelState:
    return PanelState.ENDED if panel.ended_at is not None and panel.ended_at <= now else PanelState.IN_USE


def check_may_end(actor: Actor, panel: Panel, now: datetime) -> None:
    """Who: the organisation that offers it, to all others it is not there. In what state: in use."""
    if panel.organisation_id != actor.organisation_id:
        raise NotVisible
    _check_in_use(panel, now)


def check_may_join(actor: Actor, panel: Panel, seat: PanelMember, now: datetime) -> None:
    """Who: the organisation whose seat it is. In what state: offered, on a panel in use."""
    if seat.organisation_id != actor.organisation_id:
        raise NotVisible
    _check_in_use(panel, now)
    state = seat_state(seat, now)
    if state is SeatState.TAKEN:
        raise Conflict("taken_already", "Your organisation has accepted this seat already.")
    if state is SeatState.LEFT:
        raise Conflict("left_already", "Your organisation has given up this seat. It must be offered anew.")


def check_may_leave(actor: Actor, seat: PanelMember, now: datetime) -> None:
    """Who: the organisation whose seat it is. In what state: not given up yet."""
    if seat.organisation_id != actor.organisation_id:
        raise NotVisible
    if seat_state(seat, now) is SeatState.LEFT:
        raise Conflict("left_already", "Your organisation has given up this seat already.")


def _check_in_use(panel: Panel, now: datetime) -> None:
    if panel_state(panel, now) is PanelState.ENDED:
        raise Conflict("panel_ended", "This panel has ended.")
