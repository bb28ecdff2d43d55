"""An organisation's rule that administrators and auditors sign in with a passkey that stays on one device."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission, Role
from hub.accounts.ending import EndedWhy, end_sessions_of
from hub.accounts.models import Organisation
from hub.audit.recording import append
from hub.core.errors import Conflict
from hub.extensions import db
from hub.passkeys import policy, queries
from hub.passkeys.queries import Holder


def set_rule(actor: Actor, session_id: UUID, *, strict: bool) -> None:
    """Switches the rule of the actor's organisation on or off. `Conflict` where it is so already, or would lock everybody out.

    On, it ends the sessions of all whom it concerns but the one in hand: they come back with what it asks for.
    """
    actor.check_may(Permission.ACCOUNT_MANAGE)
    # passkeys are taken away under the same lock
    organisation = db.session.scalars(
        sa.select(Organisation)
        .where(Organisation.id == actor.organisation_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    if organisation.strict_passkeys is strict:
        raise Conflict("same_rule", "The rule is so already. Somebody may have changed it just now.")
    holders = queries.list_holders(actor)
    if strict:
        check_may_require(actor, holders)
    organisation.strict_passkeys = strict
    append(actor, "passkey_rule.set", object_id=organisation.id, facts={"strict": strict})
    if strict:
        for user_id in dict.fromkeys(one.user_id for one in holders):
            end_sessions_of(
                actor, user_id, EndedWhy.PASSKEY, but=session_id if user_id == actor.user_id else None
            )


def check_may_require(actor: Actor, holders: Iterable[Holder]) -> None:
    """`Conflict` unless the actor and, in each partnership, one more administrator could still sign in."""
    ready: dict[UUID, set[UUID]] = defaultdict(set)
    for one in holders:
        if one.role is Role.ADMINISTRATOR:
            ready[one.partnership_id] |= {one.user_id} if one.bound else set()
    if actor.user_id not in ready[actor.partnership_id]:
        raise Conflict(
            "own_passkey_first",
            "Add a passkey that stays on one device to your own account first: you could not sign in again.",
        )
    if any(len(users) < policy.FEWEST for users in ready.values()):
        raise Conflict(
            "too_few_passkeys",
            "At least two administrators in each partnership need a passkey that stays on one device: with one alone, a"
            " lost key would lock your organisation out.",
        )
