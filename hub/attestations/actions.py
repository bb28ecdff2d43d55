"""Writes of the access list: confirmed by an administrator, and an account opened again. Flush, never commit."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.accounts.changing import load_for_change as load_account
from hub.accounts.models import User
from hub.accounts.vocabulary import DisabledWhy
from hub.attestations.models import Attestation, AttestationLine
from hub.attestations.queries import is_only_administrator
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Conflict, Denied, Invalid, NotVisible
from hub.extensions import db


def load_for_change(actor: Actor, attestation_id: UUID) -> Attestation:
    """A list of the actor's organisation, locked; `NotVisible` for any other."""
    found = db.session.scalar(
        sa.select(Attestation)
        .where(Attestation.id == attestation_id, Attestation.organisation_id == actor.organisation_id)
        .with_for_update()
    )
    if found is None:
        raise NotVisible
    return found


def confirm_users(actor: Actor, attestation_id: UUID, user_ids: Sequence[UUID]) -> int:
    """These users still need their access. One's own is for another administrator, unless there is none.

    Who is confirmed already, or has no account any more, changes nothing. Returns how many were confirmed now.
    """
    actor.check_may(Permission.ACCOUNT_MANAGE)
    found = load_for_change(actor, attestation_id)
    if found.closed_at is not None:
        raise Conflict(
            "list_closed", "This list was closed when it fell due. A suspended account can be opened again."
        )
    if not user_ids:
        raise Invalid("nobody_chosen", errors={"user": "Tick at least one person who still needs access"})
    if actor.user_id in user_ids and not is_only_administrator(actor):
        raise Denied(
            "own_access", "Another administrator confirms that you still need access. Nothing was confirmed."
        )
    lines = db.session.scalars(
        sa.select(AttestationLine)
        .join(User, User.id == AttestationLine.user_id)
        .where(
            AttestationLine.attestation_id == attestation_id,
            AttestationLine.user_id.in_(user_ids),
            AttestationLine.confirmed_at.is_(None),
            User.disabled_at.is_(None),
        )
        .order_by(AttestationLine.user_id)
        .with_for_update(of=AttestationLine)
    ).all()
    for line in lines:
        line.confirmed_at, line.confirmed_by = clock.now(), actor.user_id
    db.session.flush()
    append(
        actor,
        "attestation.confirmed",
        object_id=found.id,
        version=found.revision,
        counted=len(lines),
        facts={"users": len(lines)},
    )
    return len(lines)


def reinstate_user(actor: Actor, user_id: UUID) -> User:
    """Opens an account again that was suspended: nobody had confirmed it, or used it. This confirms it."""
    user = load_account(actor, user_id)
    if user.disabled_why not in (DisabledWhy.NOT_ATTESTED, DisabledWhy.DORMANT):
        raise Conflict("not_suspended", "This account is not suspended, so it cannot be opened again here.")
    user.disabled_at = user.disabled_why = None
    user.reinstated_at = clock.now()
    db.session.execute(
        sa.update(AttestationLine)
        .where(AttestationLine.user_id == user_id, AttestationLine.suspended_at.is_not(None))
        .values(suspended_at=None, confirmed_at=clock.now(), confirmed_by=actor.user_id)
    )
    db.session.flush()
    append(actor, "user.reinstated", object_id=user.id, version=user.revision)
    return user
