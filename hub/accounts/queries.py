"""Reads of accounts. Nothing here is about the people of a case."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor, Source
from hub.access.permissions import Role
from hub.accounts.closing import not_closed
from hub.accounts.models import (
    Organisation,
    Partnership,
    RoleHolding,
    Team,
    TeamMembership,
    User,
    UserSession,
)
from hub.accounts.naming import SERVICE_DOMAIN
from hub.core import clock
from hub.extensions import db


@dataclass(frozen=True)
class OwnWays:
    """How a user comes in by password and app."""

    has_password: bool
    app_since: datetime | None

    @property
    def both(self) -> bool:
        return self.has_password and self.app_since is not None


def is_person() -> sa.ColumnElement[bool]:
    """A user who is somebody, unlike the hub's own account in each organisation (accounts/service.py)."""
    return User.email.not_like(f"%@{SERVICE_DOMAIN}")


def find_user_by_email(email: str) -> User | None:
    """The person with this address."""
    return db.session.scalar(sa.select(User).where(User.email == email.strip().lower(), is_person()))


def has_signed_in(user: User) -> bool:
    """Has there been a session of this user's own, as far back as sessions are kept?"""
    own = sa.select(UserSession.id).where(
        UserSession.user_id == user.id, UserSession.kind == Source.WEB.value
    )
    return db.session.scalar(own.limit(1)) is not None


def words_of(user: User) -> list[str]:
    """What a stranger may know of a user, so that it is no password: name, e-mail, job, organisation, partnerships."""
    names = db.session.scalars(
        sa.select(Organisation.name)
        .where(Organisation.id == user.organisation_id)
        .union_all(
            sa.select(Team.name)
            .join(TeamMembership, TeamMembership.team_id == Team.id)
            .where(TeamMembership.user_id == user.id),
            sa.select(Partnership.name)
            .join(Team, Team.partnership_id == Partnership.id)
            .join(TeamMembership, TeamMembership.team_id == Team.id)
            .where(TeamMembership.user_id == user.id),
        )
    )
    return [user.name, user.email, user.job_title, *names]


def find_ways(actor: Actor) -> OwnWays:
    """Since when the actor has an authenticator app, and whether there is a password."""
    user = db.session.get_one(User, actor.user_id)
    return OwnWays(user.password_hash is not None, user.totp_since)


def first_team(user: User) -> Team | None:
    """The team that a user starts in: the one joined first."""
    return db.session.scalar(
        sa.select(Team)
        .join(TeamMembership, TeamMembership.team_id == Team.id)
        .where(
            TeamMembership.user_id == user.id,
            sa.or_(TeamMembership.left_at.is_(None), TeamMembership.left_at > clock.now()),
        )
        .order_by(TeamMembership.joined_at, Team.id)
        .limit(1)
    )


def organisation_names(ids: Iterable[UUID]) -> dict[UUID, str]:
    """Names by id, in one query."""
    return dict(
        db.session.execute(
            sa.select(Organisation.id, Organisation.name).where(Organisation.id.in_(set(ids)))
        ).all()
    )


def user_names(ids: Iterable[UUID]) -> dict[UUID, str]:
    return dict(db.session.execute(sa.select(User.id, User.name).where(User.id.in_(set(ids)))).all())


def team_names(ids: Iterable[UUID]) -> dict[UUID, str]:
    return dict(db.session.execute(sa.select(Team.id, Team.name).where(Team.id.in_(set(ids)))).all())


def colleagues(organisation_id: UUID, partnership_id: UUID) -> Sequence[User]:
    """The users of one organisation who are in a team of the partnership: who may lead or be named."""
    return db.session.scalars(
        sa.select(User)
        .where(
            User.organisation_id == organisation_id,
            User.disabled_at.is_(None),
            User.id.in_(
                sa.select(TeamMembership.user_id)
                .join(Team, Team.id == TeamMembership.team_id)
                .where(Team.partnership_id == partnership_id)
            ),
        )
        .order_by(User.name)
    ).all()


def administrators_of(organisations: Any) -> sa.Select[UUID]:
    """Ids of those who look after the accounts of these organisations, in any of their partnerships."""
    return (
        sa.select(User.id)
        .join(RoleHolding, RoleHolding.user_id == User.id)
        .where(
            User.organisation_id.in_(organisations),
            not_closed(),
            RoleHolding.role == Role.ADMINISTRATOR.value,
            sa.or_(RoleHolding.ended_at.is_(None), RoleHolding.ended_at > clock.now()),
        )
        .distinct()
    )


def demo_accounts() -> list[dict[str, object]]:
    """Who may be signed in as with one click, in demo mode: name, job, organisation, roles."""
    rows = db.session.execute(
        sa.select(
            User,
            Organisation,
            sa.func.array_agg(sa.distinct(RoleHolding.role)),
            sa.func.min(Partnership.name),
        )
        .join(Organisation, Organisation.id == User.organisation_id)
        .join(RoleHolding, RoleHolding.user_id == User.id)
        .join(Partnership, Partnership.id == RoleHolding.partnership_id)
        .where(not_closed())
        .group_by(User.id, Organisation.id)
        # as they were made: ids are ordered by time
        .order_by(Organisation.id, User.id)
    )
    return [
        {
            "id": user.id,
            "name": user.name,
            "job": user.job_title,
            "organisation": organisation.name,
            "organisation_kind": organisation.kind,
            "email": user.email,
            "roles": sorted(roles),
            "area": area,
        }
        for user, organisation, roles, area in rows
    ]
