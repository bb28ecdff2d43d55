"""Writes of accounts by administrators: invite, give a new link, close. Each only in the own organisation."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.accounts.actions import new_enrolment
from hub.accounts.models import RoleHolding, TeamMembership, User, UserSession
from hub.accounts.queries import find_user_by_email
from hub.accounts.vocabulary import DisabledWhy
from hub.admin.forms import InviteForm
from hub.admin.policy import check_may_disable, check_may_renew
from hub.assurances.policy import Standing
from hub.assurances.queries import find_standing
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Conflict, Invalid, NotVisible
from hub.extensions import db

NOT_ASSURED = {
    Standing.LAPSED: "Your organisation’s assurance has lapsed, so no new users can be invited. Answer it anew under "
    "Assurance; once a partner has accepted it, invite again.",
    Standing.MISSING: "No partner has accepted your organisation’s assurance yet, so no new users can be invited. Answer "
    "it under Assurance; once a partner has accepted it, invite again.",
}


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
    _check_assured(actor)
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


def _check_assured(actor: Actor) -> None:
    """Partners rely on it: without an assurance that one of them has accepted, nobody new is let in."""
    standing = find_standing(actor)
    if standing.blocks:
        raise Conflict("not_assured", NOT_ASSURED[standing])


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
    user.disabled_at, user.disabled_why = now, DisabledWhy.LEFT.value
    user.enrolment_hash = user.enrolment_expires_at = None
    db.session.execute(
        sa.update(UserSession)
        .where(UserSession.user_id == user.id, UserSession.ended_at.is_(None))
        .values(ended_at=now)
    )
    db.session.flush()
    append(actor, "user.disabled", object_id=user.id, version=user.revision)
    return user
