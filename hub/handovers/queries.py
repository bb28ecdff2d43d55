"""Reads of hand-overs: whom a case may be offered to, what waits for whom, and one offer, logged."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import ROLES, Permission
from hub.access.vocabulary import PURPOSE_LABELS, SECTION_LABELS, Purpose
from hub.accounts.models import RoleHolding, Team, TeamMembership, User
from hub.accounts.queries import organisation_names, team_names, user_names
from hub.agreements.policy import Terms, nearest, refusal_of
from hub.agreements.queries import Partner, find_between, find_partners, find_terms
from hub.agreements.vocabulary import GATEWAYS, LAWFUL_BASES
from hub.audit import reading
from hub.audit.reading import Shown
from hub.core import clock
from hub.core.errors import NotVisible
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.extensions import db
from hub.handovers.models import HandOver
from hub.handovers.vocabulary import HandOverState

Choice = tuple[str, str, str]
CAP = 1_001


class HandOverPart(enum.StrEnum):
    """The parts of the list."""

    WAITING = "waiting"
    OFFERED = "offered"
    PAST = "past"


@dataclass(frozen=True)
class Targets:
    """The teams that may be chosen, and organisations that may not and why."""

    partners: Sequence[Choice]
    colleagues: Sequence[Choice]
    greyed: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class HandOverRow:
    """An offer with the names that a page needs."""

    offer: HandOver
    from_name: str
    to_name: str
    offered_by: str
    answered_by: str
    agreement: str

    @property
    def state(self) -> HandOverState:
        return HandOverState(self.offer.state)

    @property
    def outside(self) -> bool:
        return self.offer.from_organisation_id != self.offer.to_organisation_id

    @property
    def stays(self) -> list[str]:
        return [label for one, label in SECTION_LABELS.items() if one.value in self.offer.stays]

    @property
    def goes(self) -> list[str]:
        return [label for one, label in SECTION_LABELS.items() if one.value not in self.offer.stays]

    @property
    def purpose(self) -> str:
        return PURPOSE_LABELS[Purpose(self.offer.purpose)] if self.offer.purpose else ""


def find_targets(actor: Actor, lead_team_id: UUID) -> Targets:
    """Teams of this partnership: partners' under an agreement in force, and the other teams of one's own organisation."""
    now = clock.now()
    teams = db.session.scalars(
        sa.select(Team).where(Team.partnership_id == actor.partnership_id).order_by(Team.name, Team.id)
    ).all()
    partners: list[Choice] = []
    greyed: list[tuple[str, str]] = []
    for one in find_partners(actor):
        theirs = [team for team in teams if team.organisation_id == one.id]
        refusal = _refusal(actor, one, now)
        if refusal:
            greyed.append((one.name, refusal))
        elif not theirs:
            greyed.append((one.name, "They have no team in this partnership."))
        partners += [] if refusal else [(f"team:{one.id}:{team.id}", team.name, one.name) for team in theirs]
    own = [team for team in teams if team.organisation_id == actor.organisation_id]
    colleagues = [
        (f"team:{actor.organisation_id}:{team.id}", team.name, "No agreement needed inside your organisation")
        for team in own
        if team.id != lead_team_id
    ]
    return Targets(partners, colleagues, greyed)


def _refusal(actor: Actor, partner: Partner, now: datetime) -> str:
    """Why nothing can be handed to a partner, in words; empty where an agreement is in force."""
    found = [refusal_of(terms, (actor.organisation_id, partner.id), now) for terms in partner.agreements]
    if not found:
        return "You have no agreement with them."
    refusals = [one for one in found if one is not None]
    return nearest(refusals).sentence if len(refusals) == len(found) else ""


def find_live_terms(actor: Actor, organisation_id: UUID) -> list[Terms]:
    """Agreements in force between the actor's organisation and another, the one that lasts longest first."""
    now = clock.now()
    between = find_between(actor, organisation_id)
    live = [one for one in between if refusal_of(one, (actor.organisation_id, organisation_id), now) is None]
    return sorted(live, key=lambda one: one.agreement.ends_at, reverse=True)


def purposes_of(actor: Actor, live: Sequence[Terms]) -> list[Choice]:
    """Each purpose with the agreement, gateway and basis that it stands on; the purpose in hand first."""
    found = [
        (
            f"{one.purpose}:{terms.agreement.id}",
            PURPOSE_LABELS[Purpose(one.purpose)],
            f"Under {terms.called}, by {GATEWAYS[one.gateway]}. {LAWFUL_BASES[one.lawful_basis]}",
        )
        for terms in live
        for one in terms.purposes
    ]
    return sorted(found, key=lambda one: (not one[0].startswith(f"{actor.purpose}:"), one[1]))


def find_receivers(actor: Actor, organisation_id: UUID, team_id: UUID, marking: int) -> list[UUID]:
    """Who of a team may take over a case of that marking for its organisation."""
    now = clock.now()
    takers = [role.value for role, known in ROLES.items() if Permission.CASE_HAND_OVER in known.permissions]
    held = (
        sa.select(RoleHolding.user_id)
        .join(Team, Team.partnership_id == RoleHolding.partnership_id)
        .where(
            Team.id == team_id,
            RoleHolding.role.in_(takers),
            sa.or_(RoleHolding.ended_at.is_(None), RoleHolding.ended_at > now),
        )
    )
    members = sa.select(TeamMembership.user_id).where(
        TeamMembership.team_id == team_id,
        sa.or_(TeamMembership.left_at.is_(None), TeamMembership.left_at > now),
    )
    found = sa.select(User.id).where(
        User.organisation_id == organisation_id,
        User.disabled_at.is_(None),
        User.clearance >= marking,
        User.id.in_(members),
        User.id.in_(held),
    )
    return list(db.session.scalars(found.order_by(User.id)))


def find_waiting_offer(actor: Actor, record_id: UUID) -> HandOverRow | None:
    """The offer of this record that waits for an answer. The page that shows it logs the look."""
    wanted = sa.select(HandOver).where(
        HandOver.record_id == record_id, HandOver.state == HandOverState.OFFERED.value
    )
    return next(iter(_rows(actor, db.session.scalars(wanted).all())), None)


def list_hand_overs(
    actor: Actor, part: HandOverPart = HandOverPart.WAITING, *, after: Cursor | None = None
) -> Page[HandOverRow]:
    """A page of the offers that concern the team in hand, newest first; logged with the records that it names."""
    actor.check_may(Permission.CASE_READ)
    wanted = sa.select(HandOver.id, HandOver.record_id, HandOver.created_at).where(*_in_part(actor, part))
    if after is not None:
        wanted = wanted.where(sa.tuple_(HandOver.created_at, HandOver.id) < (after.at, after.id))
    wanted = wanted.order_by(HandOver.created_at.desc(), HandOver.id.desc()).limit(PAGE_SIZE + 1)
    found = db.session.execute(wanted).all()
    page = found[:PAGE_SIZE]
    reading.listed(actor, "share.listed", Shown(records=[row.record_id for row in page]))
    rows = _rows(
        actor,
        db.session.scalars(
            sa.select(HandOver)
            .where(HandOver.id.in_([row.id for row in page]))
            .order_by(HandOver.created_at.desc(), HandOver.id.desc())
        ).all(),
    )
    reading.withheld(
        actor, "share.listed", [row.record_id for row in page], [row.offer.record_id for row in rows]
    )
    last = page[-1] if len(found) > PAGE_SIZE else None
    return Page(rows, str(Cursor(last.created_at, last.id)) if last else None)


def waiting_count(actor: Actor) -> int:
    """How many cases wait for the team's answer, up to a cap."""
    waiting = sa.select(HandOver.id).where(*_in_part(actor, HandOverPart.WAITING)).limit(CAP)
    return db.session.scalar(sa.select(sa.func.count()).select_from(waiting.subquery())) or 0


def open_hand_over(actor: Actor, hand_over_id: UUID) -> HandOverRow:
    """One offer, logged (handover.opened). It tells nothing of the case but what the offer says. Raises `NotVisible`."""
    actor.check_may(Permission.CASE_READ)
    wanted = sa.select(HandOver.record_id, HandOver.revision).where(HandOver.id == hand_over_id)
    found = db.session.execute(wanted).one_or_none()
    shown = Shown(records=[found.record_id], version=found.revision) if found is not None else None
    shown = reading.opened(actor, "handover.opened", hand_over_id, shown)
    row = find_hand_over(actor, hand_over_id)
    if row is None:
        reading.withheld(actor, "handover.opened", shown.records, [])
        raise NotVisible
    return row


def find_hand_over(actor: Actor, hand_over_id: UUID) -> HandOverRow | None:
    wanted = sa.select(HandOver).where(HandOver.id == hand_over_id)
    found = db.session.scalars(wanted.execution_options(populate_existing=True)).all()
    return next(iter(_rows(actor, found)), None)


def load_for_change(actor: Actor, hand_over_id: UUID) -> HandOver:
    """An offer of or to the team in hand, locked until the transaction ends. Raises `NotVisible`."""
    wanted = sa.select(HandOver).where(HandOver.id == hand_over_id).with_for_update()
    offer = db.session.scalar(wanted.execution_options(populate_existing=True))
    if offer is None:
        raise NotVisible
    return offer


def _in_part(actor: Actor, part: HandOverPart) -> tuple[sa.ColumnElement[bool], ...]:
    waits = HandOver.state == HandOverState.OFFERED.value
    to_us = HandOver.to_team_id == actor.team_id
    by_us = HandOver.from_team_id == actor.team_id
    if part is HandOverPart.WAITING:
        return (to_us, waits)
    if part is HandOverPart.OFFERED:
        return (by_us, waits)
    return (sa.or_(to_us, by_us), ~waits)


def _rows(actor: Actor, found: Sequence[HandOver]) -> list[HandOverRow]:
    organisations = organisation_names(
        key for one in found for key in (one.from_organisation_id, one.to_organisation_id)
    )
    teams = team_names(key for one in found for key in (one.from_team_id, one.to_team_id))
    users = user_names(key for one in found for key in (one.offered_by, one.answered_by) if key)
    terms = find_terms(actor, [one.agreement_id for one in found if one.agreement_id])
    return [
        HandOverRow(
            offer=one,
            from_name=f"{teams.get(one.from_team_id, '')}, {organisations.get(one.from_organisation_id, '')}",
            to_name=f"{teams.get(one.to_team_id, '')}, {organisations.get(one.to_organisation_id, '')}",
            offered_by=users.get(one.offered_by, ""),
            answered_by=users.get(one.answered_by, "") if one.answered_by else "",
            agreement=terms[one.agreement_id].called if one.agreement_id in terms else "",
        )
        for one in found
    ]
