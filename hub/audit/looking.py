"""When a reader last looked at something: what makes "since you last looked" true. Costs one index look-up."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.audit.models import Event
from hub.core import clock
from hub.extensions import db

# Pages opened one after the other are one look; and what was last seen a quarter ago is as good as new.
ONE_LOOK = timedelta(minutes=15)
AS_GOOD_AS_NEW = timedelta(days=92)


def last_looked(actor: Actor, object_id: UUID, *, act: str) -> datetime | None:
    """When the actor opened it last, before the look that is going on; None where that was long ago or never."""
    now = clock.now()
    return db.session.scalar(
        sa.select(Event.at)
        .where(
            Event.object_id == object_id,
            Event.at < now - ONE_LOOK,
            Event.at > now - AS_GOOD_AS_NEW,
            Event.user_id == actor.user_id,
            Event.act == act,
            Event.outcome == "ok",
        )
        .order_by(Event.at.desc())
        .limit(1)
    )


def last_looks(actor: Actor, object_ids: Collection[UUID], *, acts: Collection[str]) -> dict[UUID, datetime]:
    """When the actor opened each of them last; those not opened for long, or never, are left out. One query."""
    rows = db.session.execute(
        sa.select(Event.object_id, sa.func.max(Event.at))
        .where(
            Event.object_id.in_(object_ids),
            Event.at > clock.now() - AS_GOOD_AS_NEW,
            Event.user_id == actor.user_id,
            Event.act.in_(acts),
            Event.outcome == "ok",
        )
        .group_by(Event.object_id)
    )
    return {key: at for key, at in rows if key is not None}


def acts_on(actor: Actor, record_id: UUID, *, by: UUID, since: datetime, until: datetime) -> dict[str, int]:
    """What one user did with a record in a while, act by act with its number, as far as the reader's log tells it.

    For whoever reviews an emergency access: found by the user and the time, which row security lets an index answer.
    """
    rows = db.session.execute(
        sa.select(Event.act, sa.func.count())
        .where(
            Event.user_id == by,
            Event.at.between(since, until),
            Event.record_ids.contains([record_id]),
            Event.outcome == "ok",
            Event.act.not_like("emergency.%"),
        )
        .group_by(Event.act)
        .order_by(sa.func.count().desc(), Event.act)
    )
    return {row[0]: row[1] for row in rows}
