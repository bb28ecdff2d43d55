"""Reads of the monthly access list: each user with what opens anything to them, and how far the confirming has come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import ROLES, Permission, Role
from hub.access.vocabulary import Marking
from hub.accounts.models import (
    Organisation,
    Partnership,
    RoleHolding,
    Team,
    TeamMembership,
    User,
    UserSession,
)
from hub.accounts.queries import administrators_of, user_names
from hub.attestations.models import Attestation, AttestationLine
from hub.attestations.policy import LineState, line_state
from hub.audit.reading import Shown, opened
from hub.core import clock
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.extensions import db
from hub.joining.policy import conditions_of, rules_of


@dataclass(frozen=True)
class Progress:
    """Of how many users who still have an account the access is confirmed."""

    confirmed: int
    waiting: int
    suspended: int
    closed: int

    @property
    def total(self) -> int:
        return self.confirmed + self.waiting + self.suspended


@dataclass(frozen=True)
class MonthList:
    """The list of one month."""

    id: UUID
    month: str
    due_at: datetime
    closed_at: datetime | None
    progress: Progress

    @property
    def last_day(self) -> datetime:
        """The due moment is the midnight after it."""
        return self.due_at - timedelta(seconds=1)


@dataclass(frozen=True)
class Line:
    """One user on the list, and what they can reach."""

    user_id: UUID
    name: str
    job_title: str
    teams: tuple[str, ...]
    elsewhere: tuple[str, ...]
    roles: tuple[str, ...]
    clearance: str
    last_seen_at: datetime | None
    shares: int
    state: LineState
    confirmed_by: str
    confirmed_at: datetime | None
    own: bool
    # what of training, vetting and the last day needs attention, in words; empty where nothing does
    conditions: str

    @property
    def href(self) -> str:
        return f"/admin/users/{self.user_id}"


def open_list(
    actor: Actor, state: LineState | None = None, *, cursor: Cursor | None = None
) -> tuple[MonthList | None, Page[Line]]:
    """The newest list of the actor's organisation and a page of its lines, by name; None where none was made yet."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    found = db.session.scalar(
        sa.select(Attestation)
        .where(Attestation.organisation_id == actor.organisation_id)
        .order_by(Attestation.month.desc())
        .limit(1)
    )
    if found is None:
        return None, Page([])
    opened(actor, "attestation.opened", found.id, Shown(version=found.revision))
    statement = (
        sa.select(AttestationLine, User, line_state().label("state"))
        .join(User, User.id == AttestationLine.user_id)
        .where(AttestationLine.attestation_id == found.id)
    )
    if state is not None:
        statement = statement.where(line_state() == state.value)
    if cursor is not None:
        statement = statement.where(sa.tuple_(User.name, User.id) > (cursor.key, cursor.id))
    rows = db.session.execute(statement.order_by(User.name, User.id).limit(PAGE_SIZE + 1)).all()
    page = rows[:PAGE_SIZE]
    more = str(Cursor(page[-1].User.name, page[-1].User.id)) if len(rows) > PAGE_SIZE else None
    listed = MonthList(found.id, found.month, found.due_at, found.closed_at, _progress(found.id))
    return listed, Page(_lines(actor, page), more)


def is_only_administrator(actor: Actor) -> bool:
    """Whether nobody else in the organisation could confirm the actor's own access."""
    others = db.session.scalar(
        sa.select(sa.func.count())
        .select_from(administrators_of([actor.organisation_id]).subquery())
        .where(sa.column("id") != actor.user_id)
    )
    return not others


def _progress(attestation_id: UUID) -> Progress:
    counted = {
        row[0]: row[1]
        for row in db.session.execute(
            sa.select(line_state(), sa.func.count())
            .select_from(AttestationLine)
            .join(User, User.id == AttestationLine.user_id)
            .where(AttestationLine.attestation_id == attestation_id)
            .group_by(sa.literal_column("1"))
        )
    }
    return Progress(*(counted.get(state.value, 0) for state in LineState))


def _lines(actor: Actor, rows: Sequence[Any]) -> list[Line]:
    ids = [row.User.id for row in rows]
    own, elsewhere = _teams(actor, ids)
    roles, seen, shares = _roles(ids), _seen(ids), _shares(ids)
    names = user_names(row.AttestationLine.confirmed_by for row in rows if row.AttestationLine.confirmed_by)
    today, rules = clock.today(), rules_of(actor.partnership_id)
    return [
        Line(
            user_id=row.User.id,
            name=row.User.name,
            job_title=row.User.job_title,
            teams=tuple(own[row.User.id]),
            elsewhere=tuple(elsewhere[row.User.id]),
            roles=tuple(f"{where}: {', '.join(held)}" for where, held in roles[row.User.id].items()),
            clearance=Marking(row.User.clearance).label,
            last_seen_at=seen.get(row.User.id),
            shares=shares.get(row.User.id, 0),
            state=LineState(row.state),
            confirmed_by=names.get(row.AttestationLine.confirmed_by, ""),
            confirmed_at=row.AttestationLine.confirmed_at,
            own=row.User.id == actor.user_id,
            conditions=conditions_of(row.User, today, rules).in_words,
        )
        for row in rows
    ]


def _teams(actor: Actor, ids: list[UUID]) -> tuple[dict[UUID, list[str]], dict[UUID, list[str]]]:
    """Teams of the own organisation by name, and those of another employer with whose they are."""
    own: dict[UUID, list[str]] = defaultdict(list)
    elsewhere: dict[UUID, list[str]] = defaultdict(list)
    rows = db.session.execute(
        sa.select(TeamMembership.user_id, Team.name, Team.organisation_id, Organisation.name)
        .join(Team, Team.id == TeamMembership.team_id)
        .join(Organisation, Organisation.id == Team.organisation_id)
        .where(TeamMembership.user_id.in_(ids), _unset_or_later(TeamMembership.left_at))
        .order_by(Team.name)
    )
    for user_id, team, organisation_id, organisation in rows:
        if organisation_id == actor.organisation_id:
            own[user_id].append(team)
        else:
            elsewhere[user_id].append(f"{team} ({organisation})")
    return own, elsewhere


def _roles(ids: list[UUID]) -> dict[UUID, dict[str, list[str]]]:
    """Partnership → roles, for each user."""
    found: dict[UUID, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    rows = db.session.execute(
        sa.select(RoleHolding.user_id, Partnership.name, RoleHolding.role)
        .join(Partnership, Partnership.id == RoleHolding.partnership_id)
        .where(RoleHolding.user_id.in_(ids), _unset_or_later(RoleHolding.ended_at))
        .order_by(Partnership.name, RoleHolding.role)
    )
    for user_id, where, role in rows:
        found[user_id][where].append(ROLES[Role(role)].label)
    return found


def _seen(ids: list[UUID]) -> dict[UUID, datetime]:
    rows = db.session.execute(
        sa.select(UserSession.user_id, sa.func.max(UserSession.last_seen_at))
        .where(UserSession.user_id.in_(ids))
        .group_by(UserSession.user_id)
    )
    return {row[0]: row[1] for row in rows}


def _shares(ids: list[UUID]) -> dict[UUID, int]:
    counted = sa.func.count_reaching_shares(sa.cast(ids, sa.ARRAY(sa.Uuid))).table_valued("user_id", "shares")
    return {row[0]: row[1] for row in db.session.execute(sa.select(counted)).all()}


def _unset_or_later(ended: sa.orm.InstrumentedAttribute[datetime | None]) -> sa.ColumnElement[bool]:
    return sa.or_(ended.is_(None), ended > clock.now())
