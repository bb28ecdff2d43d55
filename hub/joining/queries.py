"""Reads of the conditions of an account: one's own, and those that an administrator is about to change."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.accounts.models import User
from hub.accounts.queries import is_person
from hub.audit.reading import Shown, opened
from hub.core.errors import NotVisible
from hub.extensions import db


def find_own(actor: Actor) -> User:
    return db.session.get_one(User, actor.user_id)


def open_user(actor: Actor, user_id: UUID) -> User:
    """A person of the actor's organisation; `NotVisible` for any other. The look is logged."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    mine = sa.select(User.id).where(
        User.id == user_id, User.organisation_id == actor.organisation_id, is_person()
    )
    opened(actor, "user.opened", user_id, Shown() if db.session.scalar(mine) else None)
    user = db.session.get(User, user_id)
    if user is None:
        raise NotVisible
    return user
