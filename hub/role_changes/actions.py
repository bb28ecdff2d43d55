"""Writes of roles that are given: asked for by one administrator, decided by another, or by one where there is no other.

The database lets a role begin only in the transaction of such a decision. Flush, never commit.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import ROLES, Permission, Role
from hub.accounts.ending import EndedWhy, end_sessions_of
from hub.accounts.models import RoleHolding, User
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Conflict, Invalid
from hub.core.ids import new_id
from hub.extensions import db
from hub.notifications.actions import notify
from hub.notifications.vocabulary import NotificationKind
from hub.role_changes.models import RoleChange
from hub.role_changes.policy import (
    check_may_approve,
    check_may_decide,
    check_may_withdraw,
    stands_alone,
    visible_to,
    waits,
)
from hub.role_changes.queries import find_deciders, find_overseers, load_for_decision
from hub.role_changes.vocabulary import LASTS, Outcome

REFERENCE = "role-change"
LIST = "/admin/role-changes"


@dataclass(frozen=True)
class Given:
    """What came of giving roles: those that are held now, or those that wait and who could decide them, by name."""

    granted: tuple[Role, ...] = ()
    asked: tuple[Role, ...] = ()
    deciders: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What waits, and for whom; empty where nothing does."""
        if not self.asked:
            return ""
        roles = " and ".join(ROLES[role].label for role in self.asked)
        waits_ = "waits" if len(self.asked) == 1 else "wait"
        if self.deciders:
            return f"{roles} {waits_} until {' or '.join(self.deciders)} approves."
        return (
            f"{roles} {waits_}, and nobody else can decide it now. Where there has been no other administrator for 7 days,"
            " one can give roles alone."
        )


def give_roles(actor: Actor, user: User, roles: Collection[Role]) -> Given:
    """Asks for roles on behalf of a user of the actor's organisation, whom the caller has locked and may change.

    Where nobody else could decide they are held at once, and auditors and data protection officers are told.
    `Invalid` for one that waits already.
    """
    actor.check_may(Permission.ACCOUNT_MANAGE)
    if not roles:
        return Given()
    alone = stands_alone(actor)
    wanted = tuple(role for role in Role if role in set(roles))
    made = [_ask(actor, user, role, alone=alone) for role in wanted]
    if alone:
        _tell_overseers(actor)
        if user.enrolment_hash is None:  # who is invited right now has no need of a second email
            notify(actor, [user.id], NotificationKind.ROLE_GRANTED, reference=REFERENCE, address="/account")
        return Given(granted=wanted)
    deciders = find_deciders(actor, user.id)
    address = f"{LIST}/{made[0].id}" if len(made) == 1 else LIST
    notify(actor, deciders, NotificationKind.ROLE_ASKED, reference=REFERENCE, address=address)
    return Given(asked=wanted, deciders=tuple(deciders.values()))


def approve_change(actor: Actor, change_id: UUID) -> RoleChange:
    """The role is held from now on, and the person signs in again. `NotVisible`, `Denied` or `Conflict`."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    change, state = load_for_decision(actor, change_id)
    check_may_approve(actor, change, state)
    _decide(actor, change, Outcome.APPROVED)
    _hold(actor, change)
    end_sessions_of(actor, change.user_id, EndedWhy.ROLE)
    _tell(actor, change)
    notify(actor, [change.user_id], NotificationKind.ROLE_GRANTED, reference=REFERENCE, address="/account")
    return change


def refuse_change(actor: Actor, change_id: UUID) -> RoleChange:
    """The role is not given; it may be asked for again. `NotVisible`, `Denied` or `Conflict`."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    change, state = load_for_decision(actor, change_id)
    check_may_decide(actor, change, state)
    _decide(actor, change, Outcome.REFUSED)
    append(actor, "role.refused", object_id=change.user_id, facts=_facts(change))
    _tell(actor, change)
    notify(actor, [change.user_id], NotificationKind.ROLE_ANSWERED, reference=REFERENCE, address="/account")
    return change


def withdraw_change(actor: Actor, change_id: UUID) -> RoleChange:
    """Whoever asked no longer wants it. `NotVisible`, `Denied` or `Conflict`."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    change, state = load_for_decision(actor, change_id)
    check_may_withdraw(actor, change, state)
    _withdraw(actor, change)
    return change


def _ask(actor: Actor, user: User, role: Role, *, alone: bool) -> RoleChange:
    _clear(actor, user.id, role, alone=alone)
    now = clock.now()
    change = RoleChange(
        id=new_id(),
        asked_by=actor.user_id,
        user_id=user.id,
        organisation_id=actor.organisation_id,
        partnership_id=actor.partnership_id,
        role=role.value,
        expires_at=now + LASTS,
    )
    if alone:
        change.outcome, change.decided_by, change.decided_at = Outcome.ALONE.value, actor.user_id, now
    db.session.add(change)
    db.session.flush()
    if alone:
        _hold(actor, change)
    else:
        append(actor, "role.asked", object_id=user.id, facts=_facts(change))
    return change


def _clear(actor: Actor, user_id: UUID, role: Role, *, alone: bool) -> None:
    """Makes room for asking anew: what can't be decided any more has lapsed, and what only oneself could is withdrawn."""
    row = db.session.execute(
        sa.select(RoleChange, waits().label("waits"))
        .where(
            RoleChange.user_id == user_id,
            RoleChange.role == role.value,
            RoleChange.outcome.is_(None),
            visible_to(actor),
        )
        .with_for_update(of=RoleChange)
    ).one_or_none()
    if row is None:
        return
    if not row.waits:
        row[0].outcome, row[0].decided_at = Outcome.LAPSED.value, clock.now()
        db.session.flush()
    elif alone:
        _withdraw(actor, row[0])
    else:
        words = f"{ROLES[role].label} waits for another administrator already"
        raise Invalid("asked_already", errors={"roles": words})


def _decide(actor: Actor, change: RoleChange, outcome: Outcome) -> None:
    change.outcome, change.decided_by, change.decided_at = outcome.value, actor.user_id, clock.now()
    db.session.flush()


def _withdraw(actor: Actor, change: RoleChange) -> None:
    _decide(actor, change, Outcome.WITHDRAWN)
    append(actor, "role.withdrawn", object_id=change.user_id, facts=_facts(change))


def _hold(actor: Actor, change: RoleChange) -> None:
    """The role begins, or begins anew. `Conflict` where it is held already."""
    now = clock.now()
    key = (change.user_id, change.partnership_id, change.role)
    held = db.session.get(RoleHolding, key, with_for_update=True, populate_existing=True)
    if held is None:
        db.session.add(
            RoleHolding(
                user_id=change.user_id,
                partnership_id=change.partnership_id,
                role=change.role,
                granted_at=now,
            )
        )
    elif held.ended_at is None or held.ended_at > now:
        raise Conflict("held_already", "They hold this role already. Nothing was changed.")
    else:
        held.granted_at, held.ended_at = now, None
    db.session.flush()
    alone = change.outcome == Outcome.ALONE
    facts = _facts(change) | {
        "asked_by": change.asked_by,
        "approved_by": "" if alone else actor.user_id,
        "alone": alone,
    }
    append(actor, "role.granted", object_id=change.user_id, facts=facts)


def _tell_overseers(actor: Actor) -> None:
    """Auditors, who can look it up in the log, and data protection officers."""
    auditors = find_overseers(actor, Role.AUDITOR)
    others = find_overseers(actor, Role.DATA_PROTECTION) - auditors
    for told, address in ((auditors, "/audit"), (others, "/notifications")):
        notify(actor, told, NotificationKind.ROLE_ALONE, reference=REFERENCE, address=address)


def _facts(change: RoleChange) -> dict[str, str | int | bool | UUID]:
    return {"role": change.role, "change": change.id}


def _tell(actor: Actor, change: RoleChange) -> None:
    """Whoever asked, of the decision."""
    address = f"{LIST}/{change.id}"
    notify(actor, [change.asked_by], NotificationKind.ROLE_ANSWERED, reference=REFERENCE, address=address)
