"""Whom a share would reach, person by person: those who could open the record, each with the hat in which they would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import ROLES, Permission, Role
from hub.accounts.models import Organisation, RoleHolding, Team, TeamMembership, User
from hub.accounts.sessions import audiences_of
from hub.core import clock
from hub.extensions import db
from hub.sharing.notices import parties_to

AT_MOST = 20
_SCAN = 400


@dataclass(frozen=True)
class Reader:
    """One of those whom a share would reach."""

    user_id: UUID
    name: str
    job_title: str
    clearance: int
    organisation_id: UUID
    organisation_name: str
    organisation_kind: str
    team_id: UUID
    team_name: str
    partnership_id: UUID
    default_purpose: str
    roles: frozenset[Role]

    @property
    def audiences(self) -> tuple[str, ...]:
        return audiences_of(self.roles, self.organisation_kind)

    @property
    def label(self) -> str:
        return f"{self.name}, {self.job_title}, {self.team_name}"


@dataclass(frozen=True)
class Reach:
    """To whom a share goes, as a share itself has it."""

    organisation_id: UUID
    team_id: UUID | None = None
    user_id: UUID | None = None
    agreement_id: UUID | None = None


def find_readers(actor: Actor, reach: Reach) -> list[Reader]:
    """At most twenty of those whom a share would reach and whose role opens records, practitioners first.

    Each wears one hat: one in the partnership in hand before any other. Two queries.
    """
    now = clock.now()
    reads = [role.value for role, known in ROLES.items() if Permission.CASE_READ in known.permissions]
    held = sa.and_(
        RoleHolding.user_id == User.id,
        RoleHolding.partnership_id == Team.partnership_id,
        RoleHolding.role.in_(reads),
        sa.or_(RoleHolding.ended_at.is_(None), RoleHolding.ended_at > now),
    )
    works = sa.func.bool_or(RoleHolding.role == Role.PRACTITIONER.value)
    near = Team.partnership_id == actor.partnership_id
    rows = db.session.execute(
        sa.select(User, Team, Organisation)
        .join(TeamMembership, TeamMembership.user_id == User.id)
        .join(Team, Team.id == TeamMembership.team_id)
        .join(Organisation, Organisation.id == User.organisation_id)
        .join(RoleHolding, held)
        .where(
            User.disabled_at.is_(None),
            sa.or_(TeamMembership.left_at.is_(None), TeamMembership.left_at > now),
            *_reached(reach),
        )
        .group_by(User.id, Team.id, Organisation.id)
        .order_by(near.desc(), works.desc(), User.name, User.id, Team.name)
        .limit(_SCAN)
    ).all()
    first: dict[UUID, Any] = {}
    for row in rows:
        first.setdefault(row[0].id, row)
    return _with_roles(list(first.values())[:AT_MOST])


def _reached(reach: Reach) -> list[sa.ColumnElement[bool]]:
    if reach.user_id is not None:
        return [User.id == reach.user_id, User.organisation_id == reach.organisation_id]
    if reach.team_id is None:
        return [User.organisation_id == reach.organisation_id]
    employer = User.organisation_id == reach.organisation_id
    if reach.agreement_id is not None:
        employer = User.organisation_id.in_(parties_to(reach.agreement_id))
    return [Team.id == reach.team_id, employer]


def _with_roles(rows: Sequence[Any]) -> list[Reader]:
    held = db.session.execute(
        sa.select(RoleHolding.user_id, RoleHolding.partnership_id, RoleHolding.role).where(
            RoleHolding.user_id.in_([user.id for user, _, _ in rows]),
            sa.or_(RoleHolding.ended_at.is_(None), RoleHolding.ended_at > clock.now()),
        )
    ).all()
    return [
        Reader(
            user_id=user.id,
            name=user.name,
            job_title=user.job_title,
            clearance=user.clearance,
            organisation_id=organisation.id,
            organisation_name=organisation.name,
            organisation_kind=organisation.kind,
            team_id=team.id,
            team_name=team.name,
            partnership_id=team.partnership_id,
            default_purpose=team.default_purpose,
            roles=frozenset(
                Role(one.role)
                for one in held
                if one.user_id == user.id and one.partnership_id == team.partnership_id
            ),
        )
        for user, team, organisation in rows
    ]
