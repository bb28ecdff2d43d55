"""Who is told of an agreement: the administrators (single points of contact) of its parties."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import ROLES, Permission
from hub.accounts.models import RoleHolding, User
from hub.agreements.policy import Terms
from hub.core import clock
from hub.extensions import db
from hub.notifications.actions import notify
from hub.notifications.vocabulary import NotificationKind


def tell_parties(
    actor: Actor, terms: Terms, kind: NotificationKind, *, only: Iterable[UUID] | None = None
) -> int:
    """Tells the administrators of every party that has not left, or of `only` those organisations; how many people."""
    now = clock.now()
    parties = {one.organisation_id for one in terms.parties if terms.takes_part(one.organisation_id, now)}
    return notify(
        actor,
        find_administrators(actor, parties if only is None else parties & set(only), now),
        kind,
        reference=terms.agreement.reference,
        address=address_of(terms.agreement.id),
    )


def address_of(agreement_id: UUID) -> str:
    return f"/agreements/{agreement_id}"


def find_administrators(actor: Actor, organisation_ids: Iterable[UUID], now: datetime) -> list[UUID]:
    """The users of these organisations who may sign for them, the actor aside."""
    manage = [role.value for role, known in ROLES.items() if Permission.ACCOUNT_MANAGE in known.permissions]
    holders = sa.select(RoleHolding.user_id).where(
        RoleHolding.role.in_(manage), sa.or_(RoleHolding.ended_at.is_(None), RoleHolding.ended_at > now)
    )
    found = db.session.scalars(
        sa.select(User.id)
        .where(
            User.organisation_id.in_(set(organisation_ids)),
            User.disabled_at.is_(None),
            User.id.in_(holders),
            User.id != actor.user_id,
        )
        .order_by(User.id)
    )
    return list(found)
