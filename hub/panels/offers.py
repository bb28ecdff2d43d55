"""What a share of one record with each panel would be: whom it reaches, whom not and why, and until when it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Grant
from hub.access.vocabulary import GrantState, Marking
from hub.accounts.models import TeamMembership, User
from hub.agreements.policy import Refusal, check_purpose, refusal_of
from hub.core import clock
from hub.core.partial_dates import end_of_day
from hub.extensions import db
from hub.panels.models import PanelMember
from hub.panels.policy import SeatState
from hub.panels.queries import PanelRow, SeatRow, find_offered_panels

HAS_IT = "Has it already for this purpose, or it waits for their answer"
DAY = timedelta(days=1)


class Shareable(Protocol):
    """A record, or the feature's own row of one."""

    @property
    def id(self) -> UUID: ...
    @property
    def marking(self) -> int: ...
    @property
    def owner_organisation_id(self) -> UUID: ...


@dataclass(frozen=True)
class Offer:
    """A panel as it would take this record. `refusal` is empty where it can be chosen."""

    row: PanelRow
    refusal: str
    # seat → why the share would not reach it
    missing: Mapping[UUID, str]
    # seat → the highest clearance there
    clearance: Mapping[UUID, int]

    @property
    def ready(self) -> list[SeatRow]:
        return [seat for seat in self.row.now_seated if seat.member.id not in self.missing]

    @property
    def left_out(self) -> list[tuple[SeatRow, str]]:
        return [
            (seat, self.missing[seat.member.id])
            for seat in self.row.now_seated
            if seat.member.id in self.missing
        ]

    @property
    def ends_at(self) -> datetime:
        return end_of(self.row, clock.now())

    def marking_for(self, seat: SeatRow) -> Marking:
        """Never above what they are cleared for."""
        return Marking(min(self.row.panel.max_marking, self.clearance[seat.member.id]))


def find_offers(actor: Actor, record: Shareable) -> list[Offer]:
    """Every panel that the actor's organisation offers here, for a record that it owns."""
    if record.owner_organisation_id != actor.organisation_id:
        return []
    rows = find_offered_panels(actor)
    seats = [seat.member for row in rows for seat in row.now_seated]
    clearance, taken = _clearances(seats), _taken(record.id)
    return [_offer(row, record, clearance, taken) for row in rows]


def end_of(row: PanelRow, now: datetime) -> datetime:
    """The end of the last day, in London; never after the agreement's, nor beyond what the members agreed to."""
    lasts = timedelta(days=row.panel.lasts_days)
    last_day = (now.astimezone(clock.LONDON).date() + lasts).isoformat()
    # a day on which the clocks go back is longer than others
    return min(end_of_day(last_day), now + lasts + DAY, row.terms.agreement.ends_at)


def _offer(
    row: PanelRow,
    record: Shareable,
    clearance: Mapping[UUID, int],
    taken: frozenset[tuple[UUID, UUID | None, str]],
) -> Offer:
    missing = {}
    for seat in row.now_seated:
        why = _why_not(row, seat, record, clearance, taken)
        if why:
            missing[seat.member.id] = why
    return Offer(row, _refusal(row, record, len(missing)), missing, clearance)


def _refusal(row: PanelRow, record: Shareable, missing: int) -> str:
    if row.refusal is not None:
        return row.refusal.sentence
    permitted = check_purpose(row.terms, row.panel.purpose, "")
    if isinstance(permitted, Refusal):
        return permitted.sentence
    if record.marking > row.panel.max_marking:
        return f"This is marked {Marking(record.marking).label}. The panel takes nothing above {row.marking}."
    if missing == len(row.now_seated):
        return "None of its members can be given this now."
    return ""


def _why_not(
    row: PanelRow,
    seat: SeatRow,
    record: Shareable,
    clearance: Mapping[UUID, int],
    taken: frozenset[tuple[UUID, UUID | None, str]],
) -> str:
    member = seat.member
    if seat.state is SeatState.OFFERED:
        return "Has not accepted its seat yet"
    refusal = refusal_of(row.terms, [member.organisation_id], clock.now())
    if refusal is not None:
        return refusal.sentence
    if clearance[member.id] < record.marking:
        return f"Nobody there is cleared for {Marking(record.marking).label}"
    if (member.organisation_id, member.team_id, row.panel.purpose) in taken:
        return HAS_IT
    return ""


def _taken(record_id: UUID) -> frozenset[tuple[UUID, UUID | None, str]]:
    """Recipient and purpose of every share of the record that holds or waits: the database takes one of each."""
    found = db.session.execute(
        sa.select(Grant.to_organisation_id, Grant.to_team_id, Grant.purpose).where(
            Grant.record_id == record_id,
            Grant.to_user_id.is_(None),
            Grant.fact_only.is_(False),
            Grant.revoked_at.is_(None),
            Grant.state != GrantState.REJECTED.value,
            sa.or_(Grant.ends_at.is_(None), Grant.ends_at > clock.now()),
        )
    )
    return frozenset(
        (row.to_organisation_id, row.to_team_id, row.purpose) for row in found if row.purpose is not None
    )


def _clearances(seats: Sequence[PanelMember]) -> dict[UUID, int]:
    """Seat → the highest clearance among those whom a share would reach there; -1 where there is nobody."""
    reached = sa.select(User.organisation_id, TeamMembership.team_id, User.clearance)
    rows = db.session.execute(
        reached.outerjoin(TeamMembership, TeamMembership.user_id == User.id)
        .where(User.organisation_id.in_({seat.organisation_id for seat in seats}), User.disabled_at.is_(None))
        .distinct()
    ).all()
    return {
        seat.id: max(
            (
                row.clearance
                for row in rows
                if row.organisation_id == seat.organisation_id and seat.team_id in (None, row.team_id)
            ),
            default=-1,
        )
        for seat in seats
    }
