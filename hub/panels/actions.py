"""Writes of panels: made by one organisation, joined and left by the others, ended; and the share with all who sit on one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from hub.access.actor import Actor
from hub.access.models import Grant, Record
from hub.access.permissions import Permission
from hub.access.vocabulary import Purpose, Section
from hub.agreements.notices import find_administrators
from hub.agreements.policy import Terms
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Conflict, Invalid, NotVisible
from hub.core.text import clean
from hub.extensions import db
from hub.notifications.actions import notify
from hub.notifications.vocabulary import NotificationKind
from hub.panels.forms import PanelForm
from hub.panels.models import Panel, PanelMember
from hub.panels.offers import HAS_IT, Offer, find_offers
from hub.panels.policy import check_may_end, check_may_join, check_may_leave
from hub.panels.queries import SeatRow, find_ground, find_offerable, names_taken
from hub.sharing.actions import Beforehand, share_record
from hub.sharing.forms import ShareForm

LONGEST_REASON = 300
NAME_TAKEN = "There is, or was, a panel of this name. Give it another"


@dataclass(frozen=True)
class PanelShare:
    """What became of a share with a panel: a grant for each seat that it reached, and the others, each with the reason."""

    offer: Offer
    grants: Sequence[Grant]
    reached: Sequence[SeatRow]
    left_out: Sequence[tuple[SeatRow, str]]


def make_panel(actor: Actor, form: PanelForm) -> Panel:
    """A panel on an agreement in force; each seat waits for its organisation. `NotVisible`, `Conflict` or `Invalid`."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    ground = find_ground(actor, form.agreement_id)
    if ground is None:
        raise NotVisible
    terms, refusal = ground
    if refusal is not None:
        raise Conflict(f"no_agreement_{refusal.why}", f"No panel can stand on it: {refusal.sentence}")
    _check_form(actor, form, terms)
    panel = Panel(
        name=form.name,
        partnership_id=actor.partnership_id,
        organisation_id=actor.organisation_id,
        agreement_id=form.agreement_id,
        purpose=form.purpose.value,
        sections=[one.value for one in form.sections],
        max_marking=int(form.max_marking),
        may_contribute=form.may_contribute,
        lasts_days=form.lasts_days,
        made_by=actor.user_id,
    )
    _add(panel)
    for organisation, team in form.seats:
        db.session.add(PanelMember(panel_id=panel.id, organisation_id=organisation, team_id=team))
    db.session.flush()
    append(actor, "panel.created", object_id=panel.id, version=panel.revision)
    told = find_administrators(actor, {organisation for organisation, _ in form.seats}, clock.now())
    reference = terms.agreement.reference
    notify(actor, told, NotificationKind.PANEL_SEAT, reference=reference, address=f"/panels/{panel.id}")
    return panel


def join_panel(actor: Actor, panel_id: UUID, seat_id: UUID) -> PanelMember:
    """Accepts a seat for the actor's organisation: from now on shares with the panel arrive accepted."""
    panel, seat = _load_seat(actor, panel_id, seat_id)
    now = clock.now()
    check_may_join(actor, panel, seat, now)
    seat.accepted_at, seat.accepted_by = now, actor.user_id
    db.session.flush()
    append(actor, "panel.joined", object_id=panel.id, version=panel.revision)
    return seat


def leave_panel(actor: Actor, panel_id: UUID, seat_id: UUID) -> PanelMember:
    """Gives up a seat, or refuses one that was offered. What has been shared holds until its own end."""
    panel, seat = _load_seat(actor, panel_id, seat_id)
    now = clock.now()
    check_may_leave(actor, seat, now)
    seat.left_at = now
    db.session.flush()
    append(actor, "panel.left", object_id=panel.id, version=panel.revision)
    return seat


def end_panel(actor: Actor, panel_id: UUID) -> Panel:
    """Nothing more is shared with it. What has been shared holds until its own end."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    panel = _load_panel(panel_id)
    now = clock.now()
    check_may_end(actor, panel, now)
    panel.ended_at = now
    db.session.flush()
    append(actor, "panel.ended", object_id=panel.id, version=panel.revision)
    return panel


def share_with_panel(actor: Actor, record_id: UUID, panel_id: UUID, *, reason: str) -> PanelShare:
    """Shares a record with every member of a panel who can take it: one grant each, accepted at once.

    `NotVisible`, `Denied`, `Invalid` (no reason) or `Conflict` (nobody to whom it could go, with why).
    """
    actor.check_may(Permission.CASE_SHARE)
    record = db.session.scalar(sa.select(Record).where(Record.id == record_id))
    offers = find_offers(actor, record) if record is not None else []
    offer = next((one for one in offers if one.row.panel.id == panel_id), None)
    if offer is None:
        raise NotVisible
    if offer.refusal:
        raise Conflict("panel_not_ready", f"{offer.refusal} Nothing was shared.")
    why = check_reason(reason)
    grants: list[Grant] = []
    reached: list[SeatRow] = []
    left_out = list(offer.left_out)
    for seat in offer.ready:
        try:
            grants.append(_share_with(actor, record_id, offer, seat, why))
            reached.append(seat)
        except Conflict as conflict:
            # somebody shared it with them meanwhile; the rest still stands
            if conflict.code != "shared_already":
                raise
            left_out.append((seat, HAS_IT))
    if not grants:
        raise Conflict("panel_not_ready", "Every member has this already. Nothing was shared.")
    return PanelShare(offer, grants, reached, left_out)


def _share_with(actor: Actor, record_id: UUID, offer: Offer, seat: SeatRow, reason: str) -> Grant:
    panel, member = offer.row.panel, seat.member
    if member.accepted_at is None or member.accepted_by is None:
        raise Conflict("seat_not_taken", f"{seat.called} has not accepted its seat. Nothing was shared.")
    form = ShareForm(
        to_organisation_id=member.organisation_id,
        to_team_id=member.team_id,
        agreement_id=panel.agreement_id,
        purpose=Purpose(panel.purpose),
        sections=tuple(Section(one) for one in panel.sections),
        max_marking=offer.marking_for(seat),
        may_contribute=panel.may_contribute,
        reason=reason,
        ends_at=offer.ends_at,
    )
    agreed = Beforehand(member.accepted_by, member.accepted_at, panel_id=panel.id)
    return share_record(actor, record_id, form, beforehand=agreed)


def check_reason(given: str) -> str:
    """The necessity in one line. Raises `Invalid`."""
    reason = clean(given)
    if not reason:
        raise Invalid("bad_share", errors={"reason": "Say why sharing this is necessary"})
    if len(reason) > LONGEST_REASON or "\n" in reason:
        raise Invalid(
            "bad_share",
            errors={"reason": f"Say why in one line of {LONGEST_REASON} characters or fewer"},
        )
    return reason


def _check_form(actor: Actor, form: PanelForm, terms: Terms) -> None:
    """Within the agreement, with its parties alone, under a name of its own. Raises `Invalid`."""
    errors: dict[str, str] = {}
    if terms.permission_for(form.purpose) is None:
        errors["purpose"] = "Choose a purpose that the agreement permits"
    if not {one.value for one in form.sections} <= set(terms.agreement.sections):
        errors["sections"] = "Choose parts that the agreement covers"
    if not form.seats or not set(form.seats) <= {seat for seat, _, _ in find_offerable(actor, terms)}:
        errors["seats"] = "Choose at least one partner from the list"
    if names_taken(actor, [form.name]):
        errors["name"] = NAME_TAKEN
    if errors:
        raise Invalid("bad_panel", errors=errors)


def _add(panel: Panel) -> None:
    try:
        with db.session.begin_nested():
            db.session.add(panel)
            db.session.flush()
    except IntegrityError as error:
        # somebody made one of the same name at the same moment
        raise Invalid("bad_panel", errors={"name": NAME_TAKEN}) from error


def _load_panel(panel_id: UUID) -> Panel:
    panel = db.session.scalar(sa.select(Panel).where(Panel.id == panel_id).with_for_update())
    if panel is None:
        raise NotVisible
    return panel


def _load_seat(actor: Actor, panel_id: UUID, seat_id: UUID) -> tuple[Panel, PanelMember]:
    actor.check_may(Permission.ACCOUNT_MANAGE)
    panel = _load_panel(panel_id)
    seat = db.session.scalar(
        sa.select(PanelMember)
        .where(PanelMember.id == seat_id, PanelMember.panel_id == panel_id)
        .with_for_update()
    )
    if seat is None:
        raise NotVisible
    return panel, seat
