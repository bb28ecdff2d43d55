"""How the keys of a partnership stand: ages and numbers, never a key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.accounts.models import Partnership
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import NotVisible
from hub.crypto import keyring
from hub.crypto.models import DataKey, KeyDestruction, KeyEpoch, RootGeneration
from hub.crypto.rootkey import Checked, check
from hub.extensions import db


@dataclass(frozen=True)
class EpochRow:
    """One epoch: its age, what it wraps, and what has been decided about it."""

    id: UUID
    partnership: str
    made_at: datetime
    keys: int
    root_key: str
    retired_at: datetime | None
    destroyed_at: datetime | None
    destruction_asked: bool
    overdue: bool

    @property
    def state(self) -> str:
        if self.destroyed_at:
            return "destroyed"
        return "retired" if self.retired_at else "in use"


@dataclass(frozen=True)
class GenerationRow:
    """One generation of the root key."""

    name: str
    first_at: datetime
    left_at: datetime | None
    final_at: datetime | None


@dataclass(frozen=True)
class KeyStatus:
    """All epochs and generations, oldest first, and whether the keeper wraps and opens."""

    epochs: list[EpochRow]
    generations: list[GenerationRow]
    keeper: Checked


def open_status(actor: Actor, partnership_code: str | None = None) -> KeyStatus:
    """How the keys stand, of one partnership or of all; written down. Raises `NotVisible` for an unknown code."""
    actor.check_may(Permission.KEY_MANAGE)
    wanted = find_partnerships(actor, partnership_code)
    append(actor, "keys.viewed")
    db.session.commit()
    keys = (
        sa.select(sa.func.count())
        .select_from(DataKey)
        .where(DataKey.epoch_id == KeyEpoch.id, DataKey.wrapped.is_not(None))
        .scalar_subquery()
    )
    asked = sa.select(KeyDestruction.id).where(KeyDestruction.epoch_id == KeyEpoch.id).exists()
    rows = db.session.execute(
        sa.select(KeyEpoch, keys, asked)
        .where(KeyEpoch.partnership_id.in_(wanted))
        .order_by(KeyEpoch.partnership_id, KeyEpoch.created_at)
    ).all()
    due = clock.now() - timedelta(days=keyring.EPOCH_DAYS)
    epochs = [
        EpochRow(
            id=one.id,
            partnership=wanted[one.partnership_id],
            made_at=one.created_at,
            keys=count,
            root_key=one.root_key_id,
            retired_at=one.retired_at,
            destroyed_at=one.destroyed_at,
            destruction_asked=pending,
            overdue=one.retired_at is None and one.created_at <= due,
        )
        for one, count, pending in rows
    ]
    generations = db.session.scalars(sa.select(RootGeneration).order_by(RootGeneration.first_at)).all()
    return KeyStatus(
        epochs,
        [GenerationRow(one.name, one.first_at, one.left_at, one.final_at) for one in generations],
        check(keyring.root()),
    )


def find_partnerships(actor: Actor, code: str | None = None) -> dict[UUID, str]:
    """Codes of all partnerships by id, or of the one with this code; no more than the register of them."""
    actor.check_may(Permission.KEY_MANAGE)
    wanted = sa.select(Partnership.id, Partnership.code).order_by(Partnership.code)
    if code is not None:
        wanted = wanted.where(Partnership.code == code.upper())
    found: dict[UUID, str] = dict(db.session.execute(wanted).tuples().all())
    if not found:
        raise NotVisible
    return found
