"""Writes of accounts by administrators: invite, give a new link, reset, change roles, end sessions, close. Each only in the own
organisation."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission, Role
from hub.accounts import telling, throttle
from hub.accounts.changing import load_for_change
from hub.accounts.closing import close_accounts
from hub.accounts.ending import EndedWhy, end_sessions_of
from hub.accounts.enrolment import begin_reset, invitation_lasts, new_enrolment
from hub.accounts.models import RoleHolding, TeamMembership, User
from hub.accounts.queries import find_user_by_email, has_signed_in
from hub.accounts.vocabulary import DisabledWhy
from hub.admin.forms import InviteForm
from hub.admin.policy import check_may_change_roles, check_may_disable, check_may_renew, check_may_reset
from hub.assurances.newcomers import check_assured
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Conflict, Invalid
from hub.extensions import db
from hub.joining.actions import set_conditions, write_conditions
from hub.joining.forms import NOTHING_KNOWN
from hub.role_changes.actions import Given, give_roles


def invite_user(actor: Actor, form: InviteForm) -> tuple[User, str, Given]:
    """Makes the account with its team, and asks for its roles. Returns it, the one-time secret of its enrolment link, and what
    came of the roles."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    check_assured(actor)
    if find_user_by_email(form.email) is not None:
        raise Invalid("email_taken", errors={"email": "There is an account with this email address already"})
    now = clock.now()
    user = User(
        organisation_id=actor.organisation_id, email=form.email, name=form.name, job_title=form.job_title
    )
    secret = new_enrolment(user, lasts=invitation_lasts(actor.partnership_id))
    known = form.conditions != NOTHING_KNOWN
    if known:
        set_conditions(actor, user, form.conditions)
    db.session.add(user)
    db.session.flush()
    db.session.add(TeamMembership(team_id=form.team_id, user_id=user.id, joined_at=now))
    db.session.flush()
    append(actor, "user.invited", object_id=user.id, version=user.revision)
    if known:
        write_conditions(actor, user, form.conditions)
    return user, secret, give_roles(actor, user, form.roles)


def renew_invitation(actor: Actor, user_id: UUID) -> tuple[User, str]:
    """A new link for somebody who has no password yet; the old one ends."""
    user = load_for_change(actor, user_id)
    check_may_renew(actor, user, signed_in_before=has_signed_in(user))
    secret = new_enrolment(user, lasts=invitation_lasts(actor.partnership_id))
    db.session.flush()
    append(actor, "user.invited", object_id=user.id, version=user.revision)
    return user, secret


def reset_user(actor: Actor, user_id: UUID) -> tuple[User, str]:
    """For a lost password or phone: ends every session and every old way in, and returns the secret of a link that works for a short time.

    The user is told. The administrator never learns or chooses a password or an app's secret (SECURITY N16).
    """
    throttle.check_resets(actor.user_id)
    user = load_for_change(actor, user_id)
    check_may_reset(actor, user)
    secret = begin_reset(actor, user)
    db.session.flush()
    append(actor, "user.reset", object_id=user.id, version=user.revision)
    end_sessions_of(actor, user.id, EndedWhy.RESET)
    telling.tell(actor, telling.RESET, user.id)
    return user, secret


def change_roles(actor: Actor, user_id: UUID, roles: frozenset[Role]) -> tuple[User, Given]:
    """The roles that a user of one's own organisation is to hold in the partnership in hand.

    What is taken away ends at once, by one person, and with it the user's sessions; what is given waits for a second.
    """
    user = load_for_change(actor, user_id)
    check_may_change_roles(actor, user)
    now = clock.now()
    rows = db.session.scalars(
        sa.select(RoleHolding)
        .where(RoleHolding.user_id == user.id, RoleHolding.partnership_id == actor.partnership_id)
        .with_for_update()
    ).all()
    held = {Role(row.role): row for row in rows}
    had = {role for role, row in held.items() if row.ended_at is None or row.ended_at > now}
    if roles == had:
        raise Invalid("no_change", errors={"roles": "These are the roles already"})
    for role in had - roles:
        held[role].ended_at = now
        append(actor, "role.ended", object_id=user.id, facts={"role": role.value})
    db.session.flush()
    given = give_roles(actor, user, roles - had)
    if given.granted or had - roles:
        end_sessions_of(actor, user.id, EndedWhy.ROLE)
    return user, given


def end_sessions(actor: Actor, user_id: UUID) -> tuple[User, int]:
    """Signs a user of one's own organisation out everywhere; how many sessions that were."""
    user = load_for_change(actor, user_id)
    if user.id == actor.user_id:
        raise Conflict("own_sessions", "Your own sessions are under your account.")
    return user, end_sessions_of(actor, user.id, EndedWhy.ADMINISTRATOR)


def disable_user(actor: Actor, user_id: UUID) -> User:
    """Closes the account: sessions end at once, links and roles are of no use any more. The name stays in the records."""
    user = load_for_change(actor, user_id)
    check_may_disable(actor, user)
    close_accounts(actor, [user], DisabledWhy.LEFT)
    return user
