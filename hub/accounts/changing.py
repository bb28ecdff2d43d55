"""The account that an administrator is about to change."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.accounts.models import User
from hub.accounts.queries import is_person
from hub.core.errors import NotVisible
from hub.extensions import db


def load_for_change(actor: Actor, user_id: UUID) -> User:
    """A person of the actor's organisation, locked; `NotVisible` for any other. `Denied` for who is no administrator."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    user = db.session.scalar(
        sa.select(User)
        .where(User.id == user_id, User.organisation_id == actor.organisation_id, is_person())
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if user is None:
        raise NotVisible
    return user
