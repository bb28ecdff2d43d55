"""What the tests of keys start from: records with keys, what they seal, and the clock set back for what has aged."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.crypto import keyring, wrapping
from hub.crypto.models import DataKey, KeyEpoch
from hub.extensions import db
from tests.fixtures.shares import led_record
from tests.fixtures.world import World, act_as

TEXT = "Canary-77f1 lives at 4 Mill Lane"


def records(world: World, number: int, *, user: str = "officer") -> dict[UUID, bytes]:
    """New records, each with a text sealed under its own key; committed."""
    actor = act_as(world, user)
    made = {}
    for _ in range(number):
        record_id = led_record(actor)
        held = keyring.data_key(db.session(), actor.partnership_id, record_id)
        made[record_id] = wrapping.seal_text(held.key, TEXT, purpose="test", ids=(held.id,))
    db.session.commit()
    keyring.forget(db.session())
    return made


def opened(world: World, record_id: UUID, sealed: bytes) -> str:
    """The text, by what the database says of the record's key now."""
    keyring.forget(db.session())
    db.session.expire_all()
    held = keyring.data_key(db.session(), world.partnerships["northbrook"], record_id)
    return wrapping.open_text(held.key, sealed, purpose="test", ids=(held.id,))


def epochs(world: World, partnership: str = "northbrook") -> list[KeyEpoch]:
    """Oldest first, read anew."""
    db.session.expire_all()
    return list(
        db.session.scalars(
            sa.select(KeyEpoch)
            .where(KeyEpoch.partnership_id == world.partnerships[partnership])
            .order_by(KeyEpoch.created_at)
        )
    )


def keys_of(epoch_id: UUID) -> int:
    wanted = sa.select(sa.func.count()).select_from(DataKey).where(DataKey.epoch_id == epoch_id)
    return db.session.scalar(wanted) or 0


def as_superuser(database: SimpleNamespace, statement: str, **values: Any) -> list[Any]:
    """Behind the application and all walls; nothing of ours holds a lock meanwhile."""
    db.session.rollback()
    engine = sa.create_engine(database.superuser, poolclass=sa.NullPool)
    with engine.begin() as connection:
        # the triggers that keep keys are for those who are not the clock
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        result = connection.execute(sa.text(statement), values)
        rows = list(result) if result.returns_rows else []
    engine.dispose()
    return rows


def acts(database: SimpleNamespace, prefix: str = "keys.") -> list[tuple[str, str]]:
    """Acts and outcomes in the log, in their order."""
    rows = as_superuser(
        database, "SELECT act, outcome FROM audit.event WHERE act LIKE :like ORDER BY id", like=prefix + "%"
    )
    return [(row.act, row.outcome) for row in rows]
