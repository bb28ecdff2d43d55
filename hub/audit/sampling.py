"""Draws accesses by chance, so that anybody can draw the same again: in the order of SHA-256 of the seed and the event's id."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.audit.models import Event
from hub.extensions import db

# people by themselves: background work and loads ask nobody
NOBODYS = ("job", "load")


@dataclass(frozen=True)
class Draw:
    """What is drawn from: the seed, the period and the filter."""

    seed: int
    since: datetime
    before: datetime
    category: str | None = None
    act: str | None = None


@dataclass(frozen=True)
class Drawn:
    """One access that was drawn."""

    event_id: UUID
    at: datetime
    act: str
    user_id: UUID
    object_type: str | None
    object_id: UUID | None


def new_seed() -> int:
    """A number that nobody chose, short enough to be read out."""
    return 1 + secrets.randbelow(10**12)


def draw(actor: Actor, asked: Draw, most: int) -> list[Drawn]:
    """Accesses by people of the actor's own organisation, the first so many in the order that the seed gives."""
    actor.check_may(Permission.AUDIT_READ)
    order = sa.func.sha256(
        sa.func.convert_to(sa.func.concat(str(asked.seed), sa.cast(Event.id, sa.Text)), "UTF8")
    )
    exact = ((Event.category, asked.category), (Event.act, asked.act))
    rows = db.session.execute(
        sa.select(Event.id, Event.at, Event.act, Event.user_id, Event.object_type, Event.object_id)
        .where(
            Event.organisation_id == actor.organisation_id,
            Event.user_id.is_not(None),
            Event.at >= asked.since,
            Event.at < asked.before,
            Event.outcome == "ok",
            Event.source.not_in(NOBODYS),
            *(column == value for column, value in exact if value is not None),
        )
        .order_by(order, Event.id)
        .limit(most)
    )
    return [
        Drawn(key, at, act, user_id, kind, about)
        for key, at, act, user_id, kind, about in rows
        if user_id is not None
    ]


def same(accesses: Sequence[UUID], drawn: Sequence[Drawn]) -> bool:
    """Whether a second draw gave the same accesses in the same order."""
    return list(accesses) == [one.event_id for one in drawn]
