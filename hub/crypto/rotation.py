"""Turning keys: data keys pass to a new epoch, epochs to a new generation of the root key, and what holds nothing is ended.

Each function is one short step that the caller commits; done again after a kill, a step goes on where it stopped. No object
and no file key is touched. Between two steps readers and writers find every key under one epoch or the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from hub.core import clock
from hub.core.errors import Conflict
from hub.crypto import keyring, wrapping
from hub.crypto.models import DataKey, KeyEpoch, RootGeneration
from hub.crypto.wrapping import RootWrapped

BATCH = 1_000
# When a record's key was destroyed its epoch is turned a day later, destroyed after two more, and the generation of the
# root key that wrapped it is ended 14 days after that (with a management service 7 more): 24 days, of the 30 that there are.
TURN_AFTER_ERASURE = timedelta(days=1)
RETIRED_FOR = timedelta(days=2)
# so long every backup opens
LEFT_FOR = timedelta(days=14)

_LIVING = KeyEpoch.wrapped.is_not(None)
_MOVED = (
    sa.func.unnest(
        sa.bindparam("ids", type_=postgresql.ARRAY(sa.Uuid)),
        sa.bindparam("keys", type_=postgresql.ARRAY(sa.LargeBinary)),
    )
    .table_valued(sa.column("id", sa.Uuid), sa.column("wrapped", sa.LargeBinary), name="moved")
    .render_derived()
)
_MOVE = (
    sa.update(DataKey)
    .where(DataKey.id == _MOVED.c.id)
    .values(epoch_id=sa.bindparam("into", type_=sa.Uuid()), wrapped=_MOVED.c.wrapped)
    .execution_options(synchronize_session=False)
)


def start_turn(session: Session, partnership_id: UUID) -> KeyEpoch:
    """The epoch that all keys of a partnership go to: a new one, or that of a turn which was broken off."""
    live = session.scalars(
        sa.select(KeyEpoch)
        .where(KeyEpoch.partnership_id == partnership_id, KeyEpoch.retired_at.is_(None), _LIVING)
        .order_by(KeyEpoch.created_at.desc(), KeyEpoch.id.desc())
    ).all()
    young = live and live[0].created_at > clock.now() - timedelta(days=keyring.EPOCH_DAYS)
    return live[0] if young and len(live) > 1 else keyring.make_epoch(session, partnership_id)


def move_keys(session: Session, epoch: KeyEpoch) -> int:
    """Wraps the next keys of the partnership under this epoch; how many. What somebody else moves is left to him."""
    rows = session.execute(
        sa.select(DataKey.id, DataKey.epoch_id, DataKey.wrapped)
        .where(
            DataKey.epoch_id.in_(_others(epoch)),
            DataKey.wrapped.is_not(None),
        )
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    if not rows:
        return 0
    epochs = session.scalars(sa.select(KeyEpoch).where(KeyEpoch.id.in_({row.epoch_id for row in rows})))
    opened = {one.id: keyring.open_epoch(one) for one in epochs}
    into, area = keyring.open_epoch(epoch), epoch.partnership_id
    moved = []
    for row in rows:
        bound = (area, row.id)
        key = wrapping.unwrap(opened[row.epoch_id], row.wrapped, purpose="data", ids=bound)
        moved.append(wrapping.wrap(into, key, purpose="data", ids=bound))
    session.execute(_MOVE, {"into": epoch.id, "ids": [row.id for row in rows], "keys": moved})
    return len(rows)


def retire_emptied(session: Session, epoch: KeyEpoch) -> list[UUID]:
    """Closes the earlier epochs of the partnership that wrap nothing any more: no key is made under them again."""
    earlier = session.scalars(
        sa.select(KeyEpoch)
        .where(KeyEpoch.id.in_(_others(epoch)), KeyEpoch.retired_at.is_(None))
        # waits for whoever is making a key under one of them, and is seen by whoever comes later
        .with_for_update()
    ).all()
    empty = [one for one in earlier if not count_keys(session, one.id)]
    for one in empty:
        one.retired_at = clock.now()
    session.flush()
    return [one.id for one in empty]


def count_keys(session: Session, epoch_id: UUID) -> int:
    """How many living keys an epoch wraps."""
    wanted = sa.and_(DataKey.epoch_id == epoch_id, DataKey.wrapped.is_not(None))
    return session.scalar(sa.select(sa.func.count()).select_from(DataKey).where(wanted)) or 0


def find_due(session: Session, now: datetime) -> Sequence[UUID]:
    """Partnerships whose keys are to be turned: old epochs that still wrap something, or keys that were destroyed in one."""
    old = KeyEpoch.created_at <= now - timedelta(days=keyring.EPOCH_DAYS)
    younger = aliased(KeyEpoch)
    left_behind = (
        sa.select(younger.id)
        .where(
            younger.partnership_id == KeyEpoch.partnership_id,
            younger.created_at > KeyEpoch.created_at,
            younger.retired_at.is_(None),
        )
        .exists()
    )
    destroyed = (
        sa.select(DataKey.id)
        .where(DataKey.epoch_id == KeyEpoch.id, DataKey.destroyed_at <= now - TURN_AFTER_ERASURE)
        .exists()
    )
    return session.scalars(
        sa.select(KeyEpoch.partnership_id)
        .where(_LIVING, KeyEpoch.retired_at.is_(None), sa.or_(old, left_behind, destroyed))
        .distinct()
    ).all()


def check_ended(session: Session, epoch: KeyEpoch) -> None:
    """`Conflict` where an epoch is not retired and empty, or destroyed already; the database asks the same."""
    if epoch.destroyed_at is not None:
        raise Conflict("epoch_destroyed", "This epoch’s key has been destroyed already.")
    if epoch.retired_at is None or count_keys(session, epoch.id):
        raise Conflict(
            "epoch_in_use", "Only an epoch that was turned and wraps nothing any more is destroyed."
        )


def destroy_epoch(session: Session, epoch_id: UUID) -> None:
    """Destroys the key of a retired, empty epoch."""
    epoch = session.scalars(sa.select(KeyEpoch).where(KeyEpoch.id == epoch_id).with_for_update()).one()
    check_ended(session, epoch)
    epoch.wrapped, epoch.destroyed_at = None, clock.now()
    session.flush()
    keyring.forget_epoch(epoch_id)


def find_ended_epochs(session: Session, now: datetime) -> Sequence[KeyEpoch]:
    """Epochs that have been retired for so long that they are destroyed without being asked."""
    return session.scalars(
        sa.select(KeyEpoch).where(_LIVING, KeyEpoch.retired_at <= now - RETIRED_FOR).order_by(KeyEpoch.id)
    ).all()


def turn_root(session: Session) -> str:
    """A new generation of the root key, unless epochs still wait for the last turn's; its name."""
    now = keyring.root().generation()
    _note(session, now)
    waiting = session.scalar(sa.select(KeyEpoch.id).where(_LIVING, KeyEpoch.root_key_id != now).limit(1))
    if waiting is None:
        now = keyring.root().turn()
        _note(session, now)
    return now


def root_is_due(session: Session) -> bool:
    """Whether the generation that wraps also wrapped an epoch that was destroyed: then old backups open until it ends."""
    wraps = KeyEpoch.root_key_id == keyring.root().generation()
    destroyed = sa.select(KeyEpoch.id).where(wraps, KeyEpoch.destroyed_at.is_not(None))
    return session.scalar(destroyed.limit(1)) is not None


def move_epoch(session: Session, generation: str) -> bool:
    """Wraps the next epoch under the generation that wraps now; False when there is none left."""
    epoch = session.scalar(
        sa.select(KeyEpoch)
        .where(_LIVING, KeyEpoch.root_key_id != generation)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if epoch is None or epoch.wrapped is None:
        return False
    bound, root = (epoch.partnership_id, epoch.id), keyring.root()
    key = root.unwrap(RootWrapped(epoch.root_key_id, epoch.wrapped), purpose="epoch", ids=bound)
    wrapped = root.wrap(key, purpose="epoch", ids=bound)
    epoch.root_key_id, epoch.wrapped = wrapped.generation, wrapped.sealed
    session.flush()
    return True


def generations_wait(session: Session) -> bool:
    """Whether there is a generation beside the one that wraps that has not been ended yet."""
    wanted = sa.select(RootGeneration.name).where(RootGeneration.ended_at.is_(None)).limit(2)
    return len(session.scalars(wanted).all()) > 1


def leave_generations(session: Session) -> None:
    """Notes since when each earlier generation wraps no living epoch."""
    current = keyring.root().generation()
    used = sa.select(KeyEpoch.root_key_id).where(_LIVING)
    unused = sa.and_(RootGeneration.name != current, RootGeneration.name.not_in(used))
    session.execute(
        sa.update(RootGeneration)
        .where(RootGeneration.left_at.is_(None), unused)
        .values(left_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    session.execute(
        sa.update(RootGeneration)
        .where(RootGeneration.left_at.is_not(None), RootGeneration.ended_at.is_(None), sa.not_(unused))
        .values(left_at=None)
        .execution_options(synchronize_session=False)
    )


def end_generation(session: Session, now: datetime) -> str | None:
    """Has the keeper end the oldest generation, where it was left long ago; its name, or None where it was not."""
    row = session.scalar(
        sa.select(RootGeneration)
        .where(RootGeneration.ended_at.is_(None))
        .order_by(RootGeneration.first_at)
        .limit(1)
        .with_for_update()
    )
    if row is None or row.left_at is None or row.left_at > now - LEFT_FOR:
        return None
    final_at = keyring.root().end(row.name)
    row.ended_at, row.final_at = clock.now(), final_at
    session.flush()
    return row.name


def _note(session: Session, generation: str) -> None:
    session.execute(
        insert(RootGeneration).values(name=generation, first_at=clock.now()).on_conflict_do_nothing()
    )


def _others(epoch: KeyEpoch) -> sa.Select[UUID]:
    """The other living epochs of the same partnership."""
    return sa.select(KeyEpoch.id).where(
        KeyEpoch.partnership_id == epoch.partnership_id, KeyEpoch.id != epoch.id, _LIVING
    )
