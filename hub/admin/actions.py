"""Writes of accounts by administrators: invite, give a new link, close. Each only in the own organisation."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.accounts.actions import new_enrolment
from hub.accounts.models import RoleHolding, TeamMembership, User, UserSession
from hub.accounts.queries import find_user_by_email
from hub.admin.forms import InviteForm
from hub.admin.policy import check_may_disable, check_may_renew
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Invalid, NotVisible
from hub.extensions import db


def load_for_change(actor: Actor, user_id: UUID) -> User:
    """A user of the actor's organisation, locked; `NotVisible` for any other."""
    user = db.session.scalar(
        sa.select(User)
        .where(User.id == user_id, User.organisation_id == actor.organisation_id)
        .with_for_update()
    )
    if user is None:
        raise NotVisible
    return user


def invite_user(actor: Actor, form: InviteForm) -> tuple[User, str]:
    """Makes the account with its team and roles. Returns it and the one-time secret of its enrolment link."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    if find_user_by_email(form.email) is not None:
        raise Invalid("email_taken", errors={"email": "There is an account with this email address already"})
    now = clock.now()
    user = User(
        organisation_id=actor.organisation_id, email=form.email, name=form.name, job_title=form.job_title
    )
    secret = new_enrolment(user)
    db.session.add(user)
    db.session.flush()
    db.session.add(TeamMembership(team_id=form.team_id, user_id=user.id, joined_at=now))
    for role in form.roles:
        held = RoleHolding(
            user_id=user.id, partnership_id=actor.partnership_id, role=role.value, granted_at=now
        )
        db.session.add(held)
    db.session.flush()
    append(actor, "user.invited", object_id=user.id, version=user.revision)
    for role in form.roles:
        append(actor, "role.granted", object_id=user.id, facts={"role": role.value})
    return user, secret


def renew_invitation(actor: Actor, user_id: UUID) -> tuple[User, str]:
    """A new link for somebody who has no password yet; the old one ends."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    user = load_for_change(actor, user_id)
    check_may_renew(actor, user)
    secret = new_enrolment(user)
    db.session.flush()
    append(actor, "user.invited", object_id=user.id, version=user.revision)
    return user, secret


def disable_user(actor: Actor, user_id: UUID) -> User:
    """Closes the account: sessions end at once, links and roles are of no use any more. The name stays in the records."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    user = load_for_change(actor, user_id)
    check_may_disable(actor, user)
    now = clock.now()
    user.disabled_at = now
    user.enrolment_hash = user.enrolment_expires_at = None
    db.session.execute(
        sa.update(UserSession)
        .where(UserSession.user_id == user.id, UserSession.ended_at.is_(None))
        .values(ended_at=now)
    )
    db.session.flush()
    append(actor, "user.disabled", object_id=user.id, version=user.revision)
    return user
