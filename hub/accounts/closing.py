"""Whether an account is closed: by somebody, or because its last day with access has passed. The second needs no job to run."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from hub.accounts.models import User
from hub.core import clock


def has_ended(last_day: date | None) -> bool:
    """Has the last day with access passed, as days are in London?"""
    return last_day is not None and last_day < clock.today()


def is_closed(user: User) -> bool:
    return user.disabled_at is not None or has_ended(user.access_ends_on)


def not_closed() -> sa.ColumnElement[bool]:
    """The same of each user, as the database reads it."""
    return sa.and_(
        User.disabled_at.is_(None),
        sa.or_(User.access_ends_on.is_(None), User.access_ends_on >= clock.today()),
    )
