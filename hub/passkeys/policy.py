"""Who must have a passkey that no cloud copies, and which one may not be taken away.

Where an organisation asks for it, its administrators and auditors begin a session only with a passkey bound to one device.
The one way past it is an enrolment link, which another administrator gives out and which works once: in that session the new
colleague adds the passkey. Whether it is bound is the device's own word, as we ask for no attestation.
"""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from hub.access.permissions import Role
from hub.accounts.models import Organisation, RoleHolding, Team, User
from hub.core import clock
from hub.core.errors import Conflict, Denied
from hub.extensions import db

STRICT_ROLES = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})
# with one alone, a lost key would close the organisation's door for good
FEWEST = 2
MOST = 10
REQUIRED = (
    "Your organisation asks administrators and auditors to sign in with a passkey that stays on one device. If you have"
    " none, ask another administrator to take the role from you until you have added one."
)


def holds_strict_role(user_id: UUID, partnership_id: UUID | None = None) -> bool:
    """Is the user an administrator or auditor now, in this partnership or (None) in any?"""
    held = sa.select(RoleHolding.role).where(
        RoleHolding.user_id == user_id,
        RoleHolding.role.in_([role.value for role in STRICT_ROLES]),
        sa.or_(RoleHolding.ended_at.is_(None), RoleHolding.ended_at > clock.now()),
    )
    if partnership_id is not None:
        held = held.where(RoleHolding.partnership_id == partnership_id)
    return db.session.scalar(held.limit(1)) is not None


def is_strict(organisation_id: UUID) -> bool:
    asked = sa.select(Organisation.strict_passkeys).where(Organisation.id == organisation_id)
    return bool(db.session.scalar(asked))


def check_may_begin(user: User, team: Team, device_bound: bool) -> None:
    """`Denied` (passkey_required) where the organisation asks for a passkey bound to one device, and this was none."""
    if device_bound or not is_strict(user.organisation_id):
        return
    if holds_strict_role(user.id, team.partnership_id):
        raise Denied("passkey_required", REQUIRED)


def check_may_add(held: int) -> None:
    """`Conflict` past the most that one user may have."""
    if held >= MOST:
        raise Conflict(
            "too_many_passkeys", f"You have {MOST} passkeys. Remove one that you do not use first."
        )


def check_may_remove(*, others: int, other_ways: bool, bound_needed: bool) -> None:
    """`Conflict` for the last way in. `bound_needed`: the organisation asks for one like it, and there is no other."""
    if not others and not other_ways:
        raise Conflict(
            "last_way_in", "This is the only way into your account. Add another passkey before you remove it."
        )
    if bound_needed:
        raise Conflict(
            "last_bound",
            "Your organisation asks for a passkey that stays on one device, and this is your last. Add another first.",
        )
