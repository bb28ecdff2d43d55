"""Reads of panels: those that one's organisation offers or sits on, and what a panel may be made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import AgreementParty
from hub.access.permissions import Permission
from hub.access.vocabulary import PURPOSE_LABELS, SECTION_LABELS, Marking, Purpose
from hub.accounts.models import Team
from hub.accounts.queries import organisation_names, team_names, user_names
from hub.agreements.policy import Refusal, Terms, refusal_of
from hub.agreements.queries import find_terms
from hub.audit.reading import Shown, listed
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import NotVisible
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.extensions import db
from hub.panels.forms import Seat
from hub.panels.models import Panel, PanelMember
from hub.panels.policy import PanelState, SeatState, panel_state, seat_state


@dataclass(frozen=True)
class SeatRow:
    """A seat with the names that a page needs."""

    member: PanelMember
    name: str
    detail: str
    state: SeatState
    accepted_by: str

    @property
    def called(self) -> str:
        return f"{self.name}, {self.detail}" if self.member.team_id else self.name


@dataclass(frozen=True)
class PanelRow:
    """A panel with its agreement and seats. `refusal` tells why nothing can be shared with it now, whatever the seat."""

    panel: Panel
    state: PanelState
    terms: Terms
    refusal: Refusal | None
    offered_by: str
    seats: Sequence[SeatRow]

    @property
    def purpose(self) -> str:
        return PURPOSE_LABELS[Purpose(self.panel.purpose)]

    @property
    def sections(self) -> list[str]:
        return [label for one, label in SECTION_LABELS.items() if one.value in self.panel.sections]

    @property
    def marking(self) -> str:
        return Marking(self.panel.max_marking).label

    @property
    def now_seated(self) -> list[SeatRow]:
        return [seat for seat in self.seats if seat.state is not SeatState.LEFT]


def list_panels(
    actor: Actor, state: PanelState | None = None, *, cursor: Cursor | None = None
) -> Page[PanelRow]:
    """A page of the panels that the actor's organisation offers or has been offered a seat on, newest first."""
    actor.check_may(Permission.AGREEMENT_READ)
    ended = Panel.ended_at <= clock.now()
    statement = sa.select(Panel.id, Panel.created_at).where(_concerns(actor))
    if state is PanelState.ENDED:
        statement = statement.where(ended)
    elif state is PanelState.IN_USE:
        statement = statement.where(sa.or_(Panel.ended_at.is_(None), ~ended))
    if cursor is not None:
        statement = statement.where(sa.tuple_(Panel.created_at, Panel.id) < (cursor.at, cursor.id))
    statement = statement.order_by(Panel.created_at.desc(), Panel.id.desc()).limit(PAGE_SIZE + 1)
    found = db.session.execute(statement).all()
    listed(actor, "panel.listed", Shown())
    page = found[:PAGE_SIZE]
    last = page[-1] if len(found) > PAGE_SIZE else None
    rows = find_panels(actor, [row.id for row in page])
    return Page(rows, str(Cursor(last.created_at, last.id)) if last else None)


def open_panel(actor: Actor, panel_id: UUID) -> PanelRow:
    """One panel that concerns the actor's organisation. Raises `NotVisible`."""
    found = db.session.scalar(sa.select(Panel.id).where(Panel.id == panel_id, _concerns(actor)))
    if found is None:
        append(actor, "panel.listed", outcome="denied")
        db.session.commit()
        raise NotVisible
    listed(actor, "panel.listed", Shown())
    return find_panels(actor, [panel_id])[0]


def find_offered_panels(actor: Actor) -> list[PanelRow]:
    """The panels in use that the actor's organisation offers in the partnership in hand, by name."""
    ids = db.session.scalars(
        sa.select(Panel.id)
        .where(
            Panel.organisation_id == actor.organisation_id,
            Panel.partnership_id == actor.partnership_id,
            sa.or_(Panel.ended_at.is_(None), Panel.ended_at > clock.now()),
        )
        .order_by(Panel.name, Panel.id)
    ).all()
    return find_panels(actor, ids)


def _concerns(actor: Actor) -> sa.ColumnElement[bool]:
    """Offered by one's organisation in the partnership in hand, or to it, wherever."""
    seats = sa.select(PanelMember.panel_id).where(PanelMember.organisation_id == actor.organisation_id)
    ours = sa.and_(
        Panel.organisation_id == actor.organisation_id, Panel.partnership_id == actor.partnership_id
    )
    return sa.or_(ours, Panel.id.in_(seats))


def find_panels(actor: Actor, ids: Sequence[UUID]) -> list[PanelRow]:
    """Panels with their seats, in the order of the ids."""
    now = clock.now()
    panels = {one.id: one for one in db.session.scalars(sa.select(Panel).where(Panel.id.in_(ids)))}
    seats = _seats(ids)
    terms = find_terms(actor, {one.agreement_id for one in panels.values()})
    owners = organisation_names(one.organisation_id for one in panels.values())
    return [
        PanelRow(
            panel,
            panel_state(panel, now),
            terms[panel.agreement_id],
            refusal_of(terms[panel.agreement_id], [panel.organisation_id], now),
            owners[panel.organisation_id],
            seats.get(panel.id, []),
        )
        for panel in (panels[key] for key in ids if key in panels)
    ]


def _seats(panel_ids: Sequence[UUID]) -> dict[UUID, list[SeatRow]]:
    now = clock.now()
    members = db.session.scalars(
        sa.select(PanelMember).where(PanelMember.panel_id.in_(panel_ids)).order_by(PanelMember.id)
    ).all()
    names = organisation_names(one.organisation_id for one in members)
    teams = team_names(one.team_id for one in members if one.team_id)
    users = user_names(one.accepted_by for one in members if one.accepted_by)
    found: dict[UUID, list[SeatRow]] = {}
    for one in members:
        row = SeatRow(
            one,
            names[one.organisation_id],
            teams[one.team_id] if one.team_id else "The whole organisation",
            seat_state(one, now),
            users.get(one.accepted_by, "") if one.accepted_by else "",
        )
        found.setdefault(one.panel_id, []).append(row)
    return found


# ---- what a new panel may be made of ------------------------------------------------------------------------------


def find_grounds(actor: Actor) -> list[tuple[Terms, Refusal | None]]:
    """The agreements that the actor's organisation is named in, each with why no panel can stand on it; the live first."""
    now = clock.now()
    ids = db.session.scalars(
        sa.select(AgreementParty.agreement_id).where(AgreementParty.organisation_id == actor.organisation_id)
    ).all()
    grounds = [
        (terms, refusal_of(terms, [actor.organisation_id], now)) for terms in find_terms(actor, ids).values()
    ]
    return sorted(grounds, key=lambda one: (one[1] is not None, one[0].agreement.title, one[0].agreement.id))


def find_ground(actor: Actor, agreement_id: UUID) -> tuple[Terms, Refusal | None] | None:
    """One agreement that the actor's organisation is named in; None for any other."""
    terms = find_terms(actor, [agreement_id]).get(agreement_id)
    if terms is None:
        return None
    return terms, refusal_of(terms, [actor.organisation_id], clock.now())


def find_offerable(actor: Actor, terms: Terms) -> list[tuple[Seat, str, str]]:
    """Seats that may be offered: every other party to the agreement now, and its teams in the partnership in hand."""
    now = clock.now()
    parties = [
        one.organisation_id
        for one in terms.parties
        if one.organisation_id != actor.organisation_id
        and one.joined_at <= now
        and (one.left_at is None or one.left_at > now)
    ]
    teams = db.session.scalars(
        sa.select(Team)
        .where(Team.organisation_id.in_(parties), Team.partnership_id == actor.partnership_id)
        .order_by(Team.name)
    ).all()
    offered: list[tuple[Seat, str, str]] = []
    for key in sorted(parties, key=lambda one: terms.names[one]):
        offered.append(((key, None), terms.names[key], "The whole organisation"))
        offered += [
            ((key, one.id), terms.names[key], one.name) for one in teams if one.organisation_id == key
        ]
    return offered


def names_taken(actor: Actor, names: Iterable[str]) -> set[str]:
    """Those of the names that a panel of the organisation bears here, one that has ended too."""
    return set(
        db.session.scalars(
            sa.select(Panel.name).where(
                Panel.organisation_id == actor.organisation_id,
                Panel.partnership_id == actor.partnership_id,
                Panel.name.in_(list(names)),
            )
        )
    )
