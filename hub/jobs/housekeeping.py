"""What the hub does for itself: partitions of the log ahead of time, and forgetting what has no more use."""

from __future__ import annotations

from datetime import timedelta
from threading import Event
from typing import Any

import sqlalchemy as sa
import structlog

from hub.accounts import service
from hub.accounts.models import Ceremony, User, UserSession
from hub.audit.recording import append
from hub.core import clock
from hub.extensions import db
from hub.web import once
from hub.web.models import Draft, Throttle

MONTHS_AHEAD = 3
DRAFTS_KEPT = timedelta(days=30)
# by them it is known how long an account was not used: longer than any time after which it is suspended (hub/settings/catalogue.py)
SESSIONS_KEPT = timedelta(days=90)

log = structlog.get_logger("hub.housekeeping")


def ensure_partitions(_stop: Event) -> int:
    """The log's partitions for the next months; an alarm where one is missing all the same. How many were made."""
    made = db.session.scalar(sa.select(sa.func.audit.ensure_partitions(MONTHS_AHEAD))) or 0
    db.session.commit()
    missing = db.session.scalar(sa.select(sa.func.audit.missing_partitions(1))) or 0
    db.session.commit()
    if missing:
        log.error("log_partition_missing", missing=missing)
    return int(made)


def forget_old(stop: Event) -> int:
    """Drafts nobody came back to, form keys, proofs never finished, throttles and sessions that ended long ago. How many went."""
    gone = forget_drafts(stop)
    gone += once.forget_old()
    db.session.commit()
    gone += _deleted(sa.delete(Ceremony).where(Ceremony.expires_at < clock.now()))
    gone += _deleted(sa.delete(Throttle).where(Throttle.expires_at < clock.now()))
    gone += _deleted(sa.delete(UserSession).where(UserSession.expires_at < clock.now() - SESSIONS_KEPT))
    return gone


def forget_drafts(stop: Event) -> int:
    """Drafts hold what people wrote: their end is an erasure, written down for each organisation."""
    before = clock.now() - DRAFTS_KEPT
    owners = db.session.scalars(
        sa.select(User.organisation_id)
        .join(Draft, Draft.user_id == User.id)
        .where(Draft.updated_at < before)
        .distinct()
    ).all()
    gone = 0
    for organisation_id in owners:
        if stop.is_set():
            break
        with service.acting_for(organisation_id) as actor:
            users = sa.select(User.id).where(User.organisation_id == organisation_id)
            old = sa.delete(Draft).where(Draft.updated_at < before, Draft.user_id.in_(users))
            count = _executed(old)
            append(actor, "draft.forgotten", counted=count)
            db.session.commit()
            gone += count
    return gone


def _deleted(statement: sa.Delete) -> int:
    count = _executed(statement)
    db.session.commit()
    return count


def _executed(statement: sa.Delete) -> int:
    result: Any = db.session.execute(statement.execution_options(synchronize_session=False))
    return int(result.rowcount)
