"""Accounts that nobody has used for as long as the partnership says: suspended by the clock, and the administrators told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from threading import Event
from uuid import UUID

import sqlalchemy as sa
import structlog

from hub.access.actor import Actor, Source
from hub.accounts import service
from hub.accounts.closing import close_accounts
from hub.accounts.models import TeamMembership, User, UserSession
from hub.accounts.queries import administrators_of, is_person
from hub.accounts.several import values_by_organisation
from hub.accounts.vocabulary import DisabledWhy
from hub.core import clock
from hub.core.errors import Unavailable
from hub.extensions import db
from hub.notifications.actions import notify
from hub.notifications.vocabulary import NotificationKind
from hub.settings.catalogue import DORMANT_DAYS

ADDRESS = "/admin/users?state=closed"

log = structlog.get_logger("hub.dormant")


def suspend_dormant(stop: Event) -> int:
    """Suspends what was not used for so long, organisation by organisation; how many accounts."""
    now = clock.now()
    owners = _owners(now)
    db.session.commit()
    suspended = 0
    for organisation_id, before in owners:
        if stop.is_set():
            break
        try:
            with service.acting_for(organisation_id) as actor:
                suspended += _suspend(actor, now, before)
                db.session.commit()
        except Unavailable as error:  # one organisation's trouble keeps no other account open
            log.error("not_suspended", organisation=str(organisation_id), kind=error.code)
            db.session.rollback()
    return suspended


def _owners(now: datetime) -> list[tuple[UUID, datetime]]:
    """Organisations with an account that nobody has used since a moment: of several partnerships the shortest time counts."""
    alike: dict[datetime, list[UUID]] = defaultdict(list)
    for organisation_id, values in values_by_organisation().items():
        alike[now - timedelta(days=min(one[DORMANT_DAYS] for one in values))].append(organisation_id)
    return [
        (organisation_id, before)
        for before, organisations in alike.items()
        for organisation_id in db.session.scalars(
            sa.select(User.organisation_id)
            .where(User.organisation_id.in_(organisations), *_unused(before))
            .order_by(User.organisation_id)
            .distinct()
        )
    ]


def _unused(before: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """People with a place in a team. Sessions are kept for longer than any such time, so that none means none."""
    seen = sa.select(UserSession.id).where(
        UserSession.user_id == User.id,
        UserSession.kind == Source.WEB.value,
        UserSession.last_seen_at > before,
    )
    return (
        User.disabled_at.is_(None),
        User.created_at < before,
        sa.or_(User.reinstated_at.is_(None), User.reinstated_at < before),
        is_person(),
        sa.select(TeamMembership.user_id).where(TeamMembership.user_id == User.id).exists(),
        ~seen.exists(),
    )


def _suspend(actor: Actor, now: datetime, before: datetime) -> int:
    users = _spared(
        actor,
        db.session.scalars(
            sa.select(User)
            .where(User.organisation_id == actor.organisation_id, *_unused(before))
            .order_by(User.id)
            .with_for_update()
        ).all(),
    )
    if not users:
        return 0
    close_accounts(actor, users, DisabledWhy.DORMANT)
    administrators = db.session.scalars(administrators_of([actor.organisation_id])).all()
    notify(
        actor, administrators, NotificationKind.ACCOUNTS_UNUSED, reference="unused-accounts", address=ADDRESS
    )
    return len(users)


def _spared(actor: Actor, users: Sequence[User]) -> list[User]:
    """Where no administrator would be left, the administrators stay: without one nobody could open the others again."""
    administrators: set[UUID] = set(db.session.scalars(administrators_of([actor.organisation_id])))
    spared = administrators if administrators <= {user.id for user in users} else set()
    return [user for user in users if user.id not in spared]
