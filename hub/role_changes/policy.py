"""Who sees roles that were asked for, who decides, and when nobody else could."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.core.errors import Conflict, Denied
from hub.extensions import db
from hub.role_changes.models import RoleChange
from hub.role_changes.vocabulary import DEAD, State

NOT_APART = (
    "In the last 7 days one of you has reset how the other signs in, so a third administrator has to approve it. You can"
    " refuse it."
)


def visible_to(actor: Actor) -> sa.ColumnElement[bool]:
    """Those of one's own organisation in the partnership in hand."""
    return sa.and_(
        RoleChange.organisation_id == actor.organisation_id,
        RoleChange.partnership_id == actor.partnership_id,
    )


def waits() -> sa.ColumnElement[bool]:
    """It can still be decided: the database's own rule, by which it lets a decision in."""
    lives = sa.func.role_change_lives(
        RoleChange.asked_by, RoleChange.user_id, RoleChange.partnership_id, RoleChange.expires_at
    )
    return sa.and_(RoleChange.outcome.is_(None), lives)


def waits_for(actor: Actor) -> sa.ColumnElement[bool]:
    """What this administrator may decide: nothing that they asked for, and nothing about themselves."""
    return sa.and_(
        visible_to(actor), waits(), RoleChange.asked_by != actor.user_id, RoleChange.user_id != actor.user_id
    )


def stands_alone(actor: Actor) -> bool:
    """Whether there is no other administrator of the organisation in the partnership, and was none for seven days."""
    return bool(db.session.scalar(sa.select(sa.func.stands_alone(actor.user_id, actor.partnership_id))))


def how_given(actor: Actor) -> str:
    """What becomes of a role that this administrator gives now, in a sentence beside the roles to tick."""
    if stands_alone(actor):
        return "There is no other administrator, so a role begins at once. Auditors and data protection officers are told."
    return "Giving a role takes two administrators: it begins when another one has approved it."


def is_apart(actor: Actor, asked_by: UUID) -> bool:
    """Whether the actor counts as another person than who asked: neither has reset the other's sign-in for seven days."""
    return not db.session.scalar(sa.select(sa.func.reset_between(actor.user_id, asked_by)))


def check_may_approve(actor: Actor, change: RoleChange, state: State) -> None:
    """As `check_may_decide`; and `Conflict` where one of the two could be signed in as the other."""
    check_may_decide(actor, change, state)
    if not is_apart(actor, change.asked_by):
        raise Conflict("reset_lately", f"{NOT_APART} Nothing was changed.")


def check_may_decide(actor: Actor, change: RoleChange, state: State) -> None:
    """`Conflict` for what is decided or dead, `Denied` for who asked and for whom it concerns."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    _check_waits(state)
    if change.asked_by == actor.user_id:
        raise Denied("own_request", "You asked for this yourself. Another administrator has to decide it.")
    if change.user_id == actor.user_id:
        raise Denied("own_roles", "This is about your own roles. Another administrator has to decide it.")


def check_may_withdraw(actor: Actor, change: RoleChange, state: State) -> None:
    """`Conflict` for what is decided or dead, `Denied` for anybody but who asked."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    _check_waits(state)
    if change.asked_by != actor.user_id:
        raise Denied("not_own_request", "Only whoever asked for it can withdraw it. You can refuse it.")


def _check_waits(state: State) -> None:
    if state in DEAD:
        raise Conflict("role_lapsed", f"This cannot be decided any more. {DEAD[state]}")
    if state is not State.WAITING:
        raise Conflict("decided", "This was decided already. Nothing was changed.")
