"""Whether an account is closed: by somebody, or because its last day with access has passed (which needs no job to run); and
closing it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.accounts.models import User, UserSession
from hub.accounts.vocabulary import DisabledWhy
from hub.audit.recording import Written, append_each
from hub.core import clock
from hub.extensions import db


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


def close_accounts(actor: Actor, users: Sequence[User], why: DisabledWhy) -> None:
    """Closes accounts that the caller has locked and may close: sessions end at once, and links let nobody in. An event each."""
    now = clock.now()
    for user in users:
        user.disabled_at, user.disabled_why = now, why.value
        user.enrolment_hash = user.enrolment_expires_at = None
    db.session.flush()
    db.session.execute(
        sa.update(UserSession)
        .where(UserSession.user_id.in_([user.id for user in users]), UserSession.ended_at.is_(None))
        .values(ended_at=now)
        .execution_options(synchronize_session=False)
    )
    append_each(actor, "user.disabled", [Written(user.id, user.revision, (), {}) for user in users])
