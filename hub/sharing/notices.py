"""Whom a share concerns: the people who are told that one waits, was answered or was ended."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Grant
from hub.access.permissions import ROLES, Permission
from hub.accounts.models import RoleHolding, Team, TeamMembership, User
from hub.core import clock
from hub.extensions import db

SHARED_ADDRESS = "/shared"


def recipients_of(actor: Actor, grant: Grant) -> list[UUID]:
    """The named user; or those of the team, or of the organisation's teams in that partnership, who may answer."""
    if grant.to_user_id is not None:
        return [grant.to_user_id]
    now = clock.now()
    may_answer = [role.value for role, known in ROLES.items() if Permission.SHARE_ANSWER in known.permissions]
    members = (
        sa.select(TeamMembership.user_id)
        .join(Team, Team.id == TeamMembership.team_id)
        .where(
            Team.id == grant.to_team_id if grant.to_team_id else Team.partnership_id == grant.partnership_id,
            sa.or_(TeamMembership.left_at.is_(None), TeamMembership.left_at > now),
        )
    )
    holders = sa.select(RoleHolding.user_id).where(
        RoleHolding.role.in_(may_answer), sa.or_(RoleHolding.ended_at.is_(None), RoleHolding.ended_at > now)
    )
    found = db.session.scalars(
        sa.select(User.id)
        .where(
            User.organisation_id == grant.to_organisation_id,
            User.disabled_at.is_(None),
            User.id.in_(members),
            User.id.in_(holders),
            User.id != actor.user_id,
        )
        .order_by(User.id)
    )
    return list(found)
