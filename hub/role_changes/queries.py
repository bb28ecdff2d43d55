"""Reads of roles that were asked for: the list, one of them, what waits for somebody, who could decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import ROLES, Permission, Role
from hub.accounts.models import RoleHolding, User
from hub.accounts.queries import user_names
from hub.audit.reading import Shown, listed, opened
from hub.core import clock
from hub.core.errors import NotVisible
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.extensions import db
from hub.role_changes.models import RoleChange
from hub.role_changes.policy import visible_to, waits, waits_for
from hub.role_changes.vocabulary import SHOWN, Outcome, State


@dataclass(frozen=True)
class ChangeRow:
    """One role that was asked for, as the list and its own page show it."""

    id: UUID
    user_id: UUID
    user: str
    job_title: str
    role: Role
    asked_by_id: UUID
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    decided_by: str
    decided_at: datetime | None
    state: State
    asked_by_me: bool
    about_me: bool

    @property
    def href(self) -> str:
        return f"/admin/role-changes/{self.id}"

    @property
    def label(self) -> str:
        return ROLES[self.role].label

    @property
    def waits(self) -> bool:
        return self.state is State.WAITING


def list_changes(actor: Actor, cursor: Cursor | None = None) -> Page[ChangeRow]:
    """What waits first, then what ended in the last 90 days; the newest first in each. Written down."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    rank = sa.case((waits(), "0"), else_="1")
    since = clock.now() - SHOWN
    wanted = _rows().where(
        visible_to(actor),
        sa.or_(waits(), sa.func.coalesce(RoleChange.decided_at, RoleChange.expires_at) > since),
    )
    if cursor is not None:
        wanted = wanted.where(
            sa.or_(rank > cursor.key, sa.and_(rank == cursor.key, RoleChange.id < cursor.id))
        )
    listed(actor, "role.listed", Shown())
    found = db.session.execute(wanted.order_by(rank, RoleChange.id.desc()).limit(PAGE_SIZE + 1)).all()
    rows = _shown(actor, found[:PAGE_SIZE])
    more = len(found) > PAGE_SIZE
    return Page(rows, str(Cursor("0" if rows[-1].waits else "1", rows[-1].id)) if more else None)


def open_change(actor: Actor, change_id: UUID) -> ChangeRow:
    """One of them; written down. Raises `NotVisible`."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    wanted = _rows().where(RoleChange.id == change_id, visible_to(actor))
    rows = _shown(actor, db.session.execute(wanted).all())
    opened(actor, "role.viewed", change_id, Shown() if rows else None)
    return rows[0]


def find_waiting(actor: Actor, user_id: UUID) -> list[ChangeRow]:
    """What waits for one user of the organisation in the partnership in hand."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    wanted = _rows().where(RoleChange.user_id == user_id, visible_to(actor), waits())
    return _shown(actor, db.session.execute(wanted.order_by(RoleChange.id)).all())


def find_own_waiting(actor: Actor) -> list[str]:
    """The roles that were asked for on behalf of the actor, by what they are called."""
    wanted = sa.select(RoleChange.role).where(RoleChange.user_id == actor.user_id, visible_to(actor), waits())
    return [ROLES[Role(role)].label for role in db.session.scalars(wanted.order_by(RoleChange.id))]


def count_waiting(actor: Actor) -> int:
    """How many wait for this administrator's decision."""
    counted = sa.select(sa.func.count()).select_from(RoleChange).where(waits_for(actor))
    return db.session.scalar(counted) or 0


def find_deciders(actor: Actor, user_id: UUID) -> dict[UUID, str]:
    """The other administrators who could decide what the actor asks for this user, by name."""
    found = (
        sa.select(User.id, User.name)
        .join(RoleHolding, RoleHolding.user_id == User.id)
        .where(
            *_employed_here(actor),
            User.id.not_in([actor.user_id, user_id]),
            RoleHolding.role == Role.ADMINISTRATOR.value,
            *_held_here(actor),
        )
        .order_by(User.name)
    )
    return {row[0]: row[1] for row in db.session.execute(found)}


def find_overseers(actor: Actor, role: Role) -> set[UUID]:
    """The organisation's auditors, or data protection officers, in the partnership in hand."""
    found = (
        sa.select(User.id)
        .join(RoleHolding, RoleHolding.user_id == User.id)
        .where(*_employed_here(actor), RoleHolding.role == role.value, *_held_here(actor))
    )
    return set(db.session.scalars(found))


def load_for_decision(actor: Actor, change_id: UUID) -> tuple[RoleChange, State]:
    """The change, locked, and both people that it rests on, so that neither is closed meanwhile. Raises `NotVisible`."""
    mine = sa.select(RoleChange.user_id, RoleChange.asked_by).where(
        RoleChange.id == change_id, visible_to(actor)
    )
    people = db.session.execute(mine).one_or_none()
    if people is None:
        raise NotVisible
    locked = sa.select(User.id).where(User.id.in_(people)).order_by(User.id).with_for_update()
    db.session.execute(locked).all()
    change = db.session.scalars(
        sa.select(RoleChange)
        .where(RoleChange.id == change_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    row = db.session.execute(_rows().where(RoleChange.id == change_id)).one()
    return change, _state(row)


def _employed_here(actor: Actor) -> tuple[sa.ColumnElement[bool], ...]:
    return User.organisation_id == actor.organisation_id, User.disabled_at.is_(None)


def _held_here(actor: Actor) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        RoleHolding.partnership_id == actor.partnership_id,
        sa.or_(RoleHolding.ended_at.is_(None), RoleHolding.ended_at > clock.now()),
    )


def _rows() -> sa.Select[Any]:
    return sa.select(
        RoleChange,
        User.name,
        User.job_title,
        User.disabled_at,
        sa.func.administers(RoleChange.asked_by, RoleChange.partnership_id).label("asker_may"),
        waits().label("waits"),
    ).join(User, User.id == RoleChange.user_id)


def _state(row: Any) -> State:
    change: RoleChange = row[0]
    if change.outcome is not None and change.outcome != Outcome.LAPSED:
        return State(change.outcome)
    if change.outcome is None and row.waits:
        return State.WAITING
    if row.disabled_at is not None:
        return State.CLOSED
    if not row.asker_may:
        return State.ASKER_GONE
    return State.LAPSED if change.outcome and change.expires_at > clock.now() else State.EXPIRED


def _shown(actor: Actor, found: Sequence[Any]) -> list[ChangeRow]:
    changes = [row[0] for row in found]
    names = user_names(key for one in changes for key in (one.asked_by, one.decided_by) if key)
    return [
        ChangeRow(
            id=row[0].id,
            user_id=row[0].user_id,
            user=row.name,
            job_title=row.job_title,
            role=Role(row[0].role),
            asked_by_id=row[0].asked_by,
            asked_by=names.get(row[0].asked_by, ""),
            asked_at=row[0].created_at,
            expires_at=row[0].expires_at,
            decided_by=names.get(row[0].decided_by, ""),
            decided_at=row[0].decided_at,
            state=_state(row),
            asked_by_me=row[0].asked_by == actor.user_id,
            about_me=row[0].user_id == actor.user_id,
        )
        for row in found
    ]
