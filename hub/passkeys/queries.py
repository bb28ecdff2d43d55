"""Reads of passkeys: a user's own, and who of an organisation has one that stays on one device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission, Role
from hub.accounts.models import RoleHolding, User
from hub.core import clock
from hub.core.errors import NotVisible
from hub.extensions import db
from hub.passkeys.models import Passkey
from hub.passkeys.policy import STRICT_ROLES, is_strict


@dataclass(frozen=True)
class Holder:
    """Somebody of the organisation who is an administrator or auditor in a partnership, and whether they could sign in."""

    user_id: UUID
    partnership_id: UUID
    name: str
    role: Role
    bound: bool


def list_own(actor: Actor) -> Sequence[Passkey]:
    """The actor's passkeys, the newest first."""
    return db.session.scalars(
        sa.select(Passkey)
        .where(Passkey.user_id == actor.user_id, Passkey.removed_at.is_(None))
        .order_by(Passkey.created_at.desc(), Passkey.id.desc())
    ).all()


def has_any(actor: Actor) -> bool:
    own = sa.select(Passkey.id).where(Passkey.user_id == actor.user_id, Passkey.removed_at.is_(None))
    return db.session.scalar(own.limit(1)) is not None


def confirms_by_bound(actor: Actor) -> bool:
    """Is the actor one whom the rule of the organisation concerns, with a passkey that stays on one device?

    Without one they came by an enrolment link and are about to add it: then what else they have confirms it.
    """
    if not actor.roles & STRICT_ROLES or not is_strict(actor.organisation_id):
        return False
    bound = sa.select(Passkey.id).where(
        Passkey.user_id == actor.user_id, Passkey.device_bound.is_(True), Passkey.removed_at.is_(None)
    )
    return db.session.scalar(bound.limit(1)) is not None


def find_own(actor: Actor, passkey_id: UUID) -> Passkey:
    """One of the actor's own, locked. `NotVisible` for anybody else's, and for one that is gone."""
    found = db.session.scalar(
        sa.select(Passkey)
        .where(Passkey.id == passkey_id, Passkey.user_id == actor.user_id, Passkey.removed_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotVisible
    return found


def find_by_credential(credential_id: bytes) -> tuple[Passkey, User] | None:
    """A passkey and whose it is, removed or not: whether it may be used is asked after its signature."""
    row = db.session.execute(
        sa.select(Passkey, User)
        .join(User, User.id == Passkey.user_id)
        .where(Passkey.credential_id == credential_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    return (row[0], row[1]) if row is not None else None


def list_holders(actor: Actor) -> list[Holder]:
    """Administrators and auditors of the actor's organisation in every partnership, by name."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    bound = (
        sa.select(Passkey.id)
        .where(Passkey.user_id == User.id, Passkey.device_bound.is_(True), Passkey.removed_at.is_(None))
        .exists()
    )
    rows = db.session.execute(
        sa.select(User.id, RoleHolding.partnership_id, User.name, RoleHolding.role, bound)
        .join(RoleHolding, RoleHolding.user_id == User.id)
        .where(
            User.organisation_id == actor.organisation_id,
            User.disabled_at.is_(None),
            RoleHolding.role.in_([role.value for role in STRICT_ROLES]),
            sa.or_(RoleHolding.ended_at.is_(None), RoleHolding.ended_at > clock.now()),
        )
        .order_by(User.name, User.id, RoleHolding.role)
    )
    return [Holder(key, area, name, Role(role), has) for key, area, name, role, has in rows]
