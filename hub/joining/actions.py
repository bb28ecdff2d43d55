"""Writes of the conditions of an account: terms accepted, details changed, opened again with a new last day, roles ended."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.accounts.changing import load_for_change
from hub.accounts.models import RoleHolding, User
from hub.accounts.queries import administrators_of
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Invalid
from hub.extensions import db
from hub.joining.forms import ConditionsForm, DetailsForm, stored
from hub.joining.policy import check_may_change, check_may_end, check_may_reopen
from hub.joining.terms import IN_FORCE
from hub.notifications.actions import notify
from hub.notifications.vocabulary import NotificationKind


def accept_terms(actor: Actor, version: str) -> None:
    """The actor accepts the terms that were shown. `Invalid` where others are in force by now."""
    if version != IN_FORCE:
        raise Invalid("other_terms", "The terms have changed. Read them again, then accept them.")
    user = db.session.get_one(User, actor.user_id, with_for_update=True, populate_existing=True)
    if user.terms_version == version:
        return
    user.terms_version, user.terms_accepted_at = version, clock.now()
    db.session.flush()
    append(actor, "terms.accepted", object_id=user.id, version=user.revision, facts={"terms": version})


def change_details(actor: Actor, user_id: UUID, form: DetailsForm) -> User:
    """Name, job and conditions of a user of one's own organisation. `NotVisible`, `Conflict` or `Invalid`."""
    user = load_for_change(actor, user_id)
    check_may_change(actor, user)
    wanted = {"name": form.name, "job_title": form.job_title}
    changes = {
        field: (getattr(user, field), value)
        for field, value in wanted.items()
        if getattr(user, field) != value
    }
    anew = form.conditions != stored(user)
    if not changes and not anew:
        return user
    if form.conditions.access_ends_on != user.access_ends_on:
        check_may_end(actor, user, form.conditions.access_ends_on)
    for field in changes:
        setattr(user, field, wanted[field])
    if anew:
        set_conditions(actor, user, form.conditions)
    db.session.flush()
    if changes:
        append(actor, "user.changed", object_id=user.id, version=user.revision, changes=changes)
    if anew:
        write_conditions(actor, user, form.conditions)
    return user


def set_conditions(actor: Actor, user: User, form: ConditionsForm) -> None:
    """On the row in hand, which may be new; the caller flushes, and writes the event."""
    user.trained_on = form.trained_on
    user.vetting, user.vetting_expires_on = form.vetting, form.vetting_expires_on
    user.access_ends_on = form.access_ends_on
    user.conditions_set_at, user.conditions_set_by = clock.now(), actor.user_id


def write_conditions(actor: Actor, user: User, form: ConditionsForm) -> None:
    """The event of what was set; flushed before, so that it bears the revision."""
    append(actor, "user.conditions_set", object_id=user.id, version=user.revision, facts=form.facts)


def reopen_user(actor: Actor, user_id: UUID, last_day: date) -> User:
    """Opens an account again that was closed after its last day, until another."""
    user = load_for_change(actor, user_id)
    check_may_reopen(actor, user)
    user.disabled_at = user.disabled_why = None
    user.reinstated_at = clock.now()
    user.access_ends_on = last_day
    user.conditions_set_at, user.conditions_set_by = clock.now(), actor.user_id
    db.session.flush()
    append(actor, "user.reinstated", object_id=user.id, version=user.revision)
    write_conditions(actor, user, stored(user))
    return user


def end_roles(actor: Actor, user: User) -> int:
    """Ends every role that a user still holds, in every partnership, and tells the administrators; how many. That the actor
    may is the caller's to check."""
    now = clock.now()
    held = db.session.scalars(
        sa.select(RoleHolding)
        .where(
            RoleHolding.user_id == user.id,
            sa.or_(RoleHolding.ended_at.is_(None), RoleHolding.ended_at > now),
        )
        .order_by(RoleHolding.partnership_id, RoleHolding.role)
        .with_for_update()
    ).all()
    for one in held:
        one.ended_at = now
    db.session.flush()
    for one in held:
        append(actor, "role.ended", object_id=user.id, facts={"role": one.role})
    if held:
        notify(
            actor,
            db.session.scalars(administrators_of([user.organisation_id])).all(),
            NotificationKind.ROLES_ENDED,
            reference="account-reopened",
            address=f"/admin/users/{user.id}",
        )
    return len(held)
