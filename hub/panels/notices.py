"""Whom a panel concerns: the administrators of the organisations that are offered a seat."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import ROLES, Permission
from hub.accounts.models import RoleHolding, User
from hub.core import clock
from hub.extensions import db


def administrators_of(actor: Actor, organisation_ids: Iterable[UUID]) -> list[UUID]:
    """Users of these organisations who look after its agreements, in the partnership in hand."""
    manages = [role.value for role, one in ROLES.items() if Permission.ACCOUNT_MANAGE in one.permissions]
    holders = sa.select(RoleHolding.user_id).where(
        RoleHolding.role.in_(manages),
        RoleHolding.partnership_id == actor.partnership_id,
        sa.or_(RoleHolding.ended_at.is_(None), RoleHolding.ended_at > clock.now()),
    )
    found = db.session.scalars(
        sa.select(User.id)
        .where(
            User.organisation_id.in_(set(organisation_ids)), User.disabled_at.is_(None), User.id.in_(holders)
        )
        .order_by(User.id)
    )
    return list(found)
