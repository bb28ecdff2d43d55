"""Reads of accounts for administrators: the users of their own organisation, never what anybody works on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import ROLES, Permission, Role
from hub.accounts.closing import has_ended
from hub.accounts.models import RoleHolding, Team, TeamMembership, User, UserSession
from hub.accounts.queries import is_person, user_names
from hub.accounts.vocabulary import DISABLED_LABELS, DisabledWhy
from hub.admin.policy import AccountState, account_state
from hub.audit.reading import Shown, listed
from hub.core import clock
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.extensions import db
from hub.joining.policy import Conditions, conditions_of, needs_attention, rules_of
from hub.joining.queries import open_user
from hub.settings.vetting import VETTING_LABELS, Vetting


@dataclass(frozen=True)
class Account:
    """One user as the administrator sees one."""

    id: UUID
    name: str
    email: str
    job_title: str
    teams: str
    roles: str
    last_seen_at: datetime | None
    disabled_at: datetime | None
    disabled_why: str | None
    reset_at: datetime | None
    state: AccountState
    open_sessions: int
    conditions: Conditions
    vetting: str
    trained_on: date | None
    access_ends_on: date | None
    conditions_set_at: datetime | None
    conditions_set_by: str

    @property
    def href(self) -> str:
        return f"/admin/users/{self.id}"

    @property
    def is_suspended(self) -> bool:
        """Closed by the clock, and to be opened again by an administrator."""
        return self.disabled_why in (DisabledWhy.NOT_ATTESTED, DisabledWhy.DORMANT)

    @property
    def has_ended(self) -> bool:
        """Its last day is over, and an administrator may open it again with another."""
        return self.disabled_why == DisabledWhy.ENDED or (
            self.disabled_at is None and has_ended(self.access_ends_on)
        )

    @property
    def attention(self) -> str:
        """What of the conditions needs it, in words; empty for a closed account."""
        return "" if self.disabled_at else self.conditions.in_words

    @property
    def closed_because(self) -> str:
        return DISABLED_LABELS[DisabledWhy(self.disabled_why)] if self.disabled_why else "Closed"

    @property
    def detail(self) -> str:
        return f"{self.job_title}, {self.email}"


@dataclass(frozen=True)
class AccountFilter:
    """What the list is narrowed to; empty means all."""

    state: AccountState | None = None
    team_id: UUID | None = None
    name: str = ""
    needs_attention: bool = False


def list_accounts(actor: Actor, wanted: AccountFilter, *, cursor: Cursor | None = None) -> Page[Account]:
    """A page of the users of the actor's organisation, by name. The look is logged."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    listed(actor, "accounts.listed", Shown())
    statement = sa.select(User).where(User.organisation_id == actor.organisation_id, is_person())
    if wanted.state is not None:
        statement = statement.where(account_state() == wanted.state.value)
    if wanted.team_id is not None:
        members = sa.select(TeamMembership.user_id).where(
            TeamMembership.team_id == wanted.team_id, _in_force(TeamMembership.left_at)
        )
        statement = statement.where(User.id.in_(members))
    if wanted.needs_attention:
        statement = statement.where(needs_attention(clock.today(), rules_of(actor.partnership_id)))
    if wanted.name:
        statement = statement.where(User.name.icontains(wanted.name, autoescape=True))
    if cursor is not None:
        statement = statement.where(sa.tuple_(User.name, User.id) > (cursor.key, cursor.id))
    users = db.session.scalars(statement.order_by(User.name, User.id).limit(PAGE_SIZE + 1)).all()
    rows = _accounts(actor, users[:PAGE_SIZE])
    more = len(users) > PAGE_SIZE
    return Page(rows, str(Cursor(rows[-1].name, rows[-1].id)) if more else None)


def open_account(actor: Actor, user_id: UUID) -> Account:
    """One user of the actor's organisation; `NotVisible` for any other. The look is logged."""
    return _accounts(actor, [open_user(actor, user_id)])[0]


def find_roles(actor: Actor, user_id: UUID) -> frozenset[Role]:
    """What a user of one's own organisation holds in the partnership in hand."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    return frozenset(
        Role(role)
        for role in db.session.scalars(
            sa.select(RoleHolding.role)
            .join(User, User.id == RoleHolding.user_id)
            .where(
                RoleHolding.user_id == user_id,
                User.organisation_id == actor.organisation_id,
                RoleHolding.partnership_id == actor.partnership_id,
                _in_force(RoleHolding.ended_at),
            )
        )
    )


def find_teams(actor: Actor) -> dict[UUID, str]:
    """The organisation's teams in the partnership in hand."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    rows = db.session.execute(
        sa.select(Team.id, Team.name)
        .where(Team.organisation_id == actor.organisation_id, Team.partnership_id == actor.partnership_id)
        .order_by(Team.name)
    )
    return {row[0]: row[1] for row in rows}


def _accounts(actor: Actor, users: Iterable[User]) -> list[Account]:
    users = list(users)
    ids = [user.id for user in users]
    teams, roles = _teams_of(ids), _roles_of(actor, ids)
    seen, states = _sessions_of(ids), _states_of(ids)
    setters = user_names(user.conditions_set_by for user in users if user.conditions_set_by)
    today, rules = clock.today(), rules_of(actor.partnership_id)
    return [
        Account(
            id=user.id,
            name=user.name,
            email=user.email,
            job_title=user.job_title,
            teams=", ".join(teams[user.id]),
            roles=", ".join(roles[user.id]),
            last_seen_at=seen.get(user.id, (None, 0))[0],
            disabled_at=user.disabled_at,
            disabled_why=user.disabled_why,
            reset_at=user.reset_at,
            state=states[user.id],
            open_sessions=seen.get(user.id, (None, 0))[1],
            conditions=conditions_of(user, today, rules),
            vetting=VETTING_LABELS[Vetting(user.vetting)] if user.vetting else "",
            trained_on=user.trained_on,
            access_ends_on=user.access_ends_on,
            conditions_set_at=user.conditions_set_at,
            conditions_set_by=setters.get(user.conditions_set_by, "") if user.conditions_set_by else "",
        )
        for user in users
    ]


def _teams_of(ids: list[UUID]) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = defaultdict(list)
    rows = db.session.execute(
        sa.select(TeamMembership.user_id, Team.name)
        .join(Team, Team.id == TeamMembership.team_id)
        .where(TeamMembership.user_id.in_(ids), _in_force(TeamMembership.left_at))
        .order_by(Team.name)
    )
    for user, name in rows:
        found[user].append(name)
    return found


def _roles_of(actor: Actor, ids: list[UUID]) -> dict[UUID, list[str]]:
    """In the partnership in hand: roles are held per partnership."""
    found: dict[UUID, list[str]] = defaultdict(list)
    rows = db.session.execute(
        sa.select(RoleHolding.user_id, RoleHolding.role)
        .where(
            RoleHolding.user_id.in_(ids),
            RoleHolding.partnership_id == actor.partnership_id,
            _in_force(RoleHolding.ended_at),
        )
        .order_by(RoleHolding.role)
    )
    for user, role in rows:
        found[user].append(ROLES[Role(role)].label)
    return found


def _states_of(ids: list[UUID]) -> dict[UUID, AccountState]:
    rows = db.session.execute(sa.select(User.id, account_state()).where(User.id.in_(ids)))
    return {row[0]: AccountState(row[1]) for row in rows}


def _sessions_of(ids: list[UUID]) -> dict[UUID, tuple[datetime, int]]:
    """When each was seen last, and in how many sessions each is signed in now."""
    open_now = sa.and_(UserSession.ended_at.is_(None), UserSession.expires_at > clock.now())
    rows = db.session.execute(
        sa.select(
            UserSession.user_id, sa.func.max(UserSession.last_seen_at), sa.func.count(sa.case((open_now, 1)))
        )
        .where(UserSession.user_id.in_(ids))
        .group_by(UserSession.user_id)
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def _in_force(ended: sa.orm.InstrumentedAttribute[datetime | None]) -> sa.ColumnElement[bool]:
    return sa.or_(ended.is_(None), ended > clock.now())
