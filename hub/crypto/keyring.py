"""The keys of records and partnerships in hand: found or made, unwrapped through their epoch and the root key.

Root → epoch (per partnership, 30 days) → data key (random, per record or per partnership) → file key (random, per version).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from hub.core import clock
from hub.core.errors import Unavailable
from hub.core.ids import new_id
from hub.crypto import wrapping
from hub.crypto.errors import KeeperUnavailable, KeyDestroyed, Unsealable
from hub.crypto.models import DataKey, KeyEpoch
from hub.crypto.randomness import new_key
from hub.crypto.rootkey import RootKey
from hub.crypto.wrapping import RootWrapped

EPOCH_DAYS = 30
# An open epoch key stays in a process's memory so long at most: asking the keeper at every request would be slow. A destroyed
# one is refused at once, by its row; what is left of it in another process's memory opens nothing that the hub asks for.
EPOCH_SECONDS = 300.0
EPOCHS_AT_MOST = 1_000
_IN_HAND = "data_keys"
# whose partnership a record is in; access, beside this package, owns the table
_RECORD = sa.table("record", sa.column("id"), sa.column("partnership_id"))
_installed: dict[str, RootKey] = {}
_epochs: dict[UUID, _OpenEpoch] = {}


@dataclass(frozen=True)
class KeyInHand:
    """A data key, open."""

    id: UUID
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class _OpenEpoch:
    """An epoch's key as the keeper opened it, from these wrapped bytes."""

    wrapped: bytes
    until: float
    key: bytes = field(repr=False)


def install(root: RootKey) -> None:
    """Gives this process its root key keeper."""
    _installed["root"] = root
    _epochs.clear()


def data_key(session: Session, partnership_id: UUID, record_id: UUID | None = None) -> KeyInHand:
    """The key of a record, or of the partnership itself. Made at first need; `Unavailable` where it was destroyed."""
    in_hand: dict[tuple[UUID, UUID | None], KeyInHand] = session.info.setdefault(_IN_HAND, {})
    wanted = (partnership_id, record_id)
    if wanted not in in_hand:
        in_hand[wanted] = _find(session, partnership_id, record_id) or _make(
            session, partnership_id, record_id
        )
    return in_hand[wanted]


def key_by_id(session: Session, key_id: UUID) -> KeyInHand:
    """A data key by its id, to open what was sealed under it."""
    row = session.get(DataKey, key_id)
    if row is None:
        raise Unavailable("no_such_key", "The key of this file is not there any more.")
    return _open(session, row)


def forget(session: Session) -> None:
    """Drops the open keys at the end of a request."""
    session.info.pop(_IN_HAND, None)


@event.listens_for(Session, "after_rollback")
def _forget_unmade(session: Session) -> None:
    """A key that was made in a transaction that was rolled back does not exist."""
    forget(session)


def _find(session: Session, partnership_id: UUID, record_id: UUID | None) -> KeyInHand | None:
    own = sa.and_(DataKey.partnership_id == partnership_id, DataKey.record_id.is_(None))
    # a record's key is its own wherever the reader works: partners write to records of other partnerships
    row = session.scalar(sa.select(DataKey).where(DataKey.record_id == record_id if record_id else own))
    return _open(session, row) if row is not None else None


def _open(session: Session, row: DataKey) -> KeyInHand:
    epoch = session.get(KeyEpoch, row.epoch_id)
    if row.wrapped is None or epoch is None or epoch.wrapped is None:
        raise KeyDestroyed
    return KeyInHand(row.id, _unwrap(open_epoch(epoch), row))


def _unwrap(epoch_key: bytes, row: DataKey) -> bytes:
    assert row.wrapped is not None  # noqa: S101 - checked by the only caller
    return wrapping.unwrap(epoch_key, row.wrapped, purpose="data", ids=(row.partnership_id, row.id))


def _make(session: Session, partnership_id: UUID, record_id: UUID | None) -> KeyInHand:
    if record_id is not None:
        partnership_id = (
            session.scalar(sa.select(_RECORD.c.partnership_id).where(_RECORD.c.id == record_id))
            or partnership_id
        )
    epoch = _current_epoch(session, partnership_id)
    key_id = new_id()
    wrapped = wrapping.wrap(open_epoch(epoch), new_key(), purpose="data", ids=(partnership_id, key_id))
    session.execute(
        insert(DataKey)
        .values(
            id=key_id,
            created_at=clock.now(),
            partnership_id=partnership_id,
            record_id=record_id,
            epoch_id=epoch.id,
            wrapped=wrapped,
        )
        # somebody else may have been first: theirs is taken
        .on_conflict_do_nothing()
    )
    found = _find(session, partnership_id, record_id)
    if found is None:
        raise Unavailable("no_key", "No key could be made. Nothing was saved. Try again.")
    return found


def _current_epoch(session: Session, partnership_id: UUID) -> KeyEpoch:
    since = clock.now() - timedelta(days=EPOCH_DAYS)
    epoch = session.scalar(
        sa.select(KeyEpoch)
        .where(
            KeyEpoch.partnership_id == partnership_id,
            KeyEpoch.retired_at.is_(None),
            KeyEpoch.created_at > since,
        )
        .order_by(KeyEpoch.created_at.desc())
        .limit(1)
        # held to the end of the transaction: an epoch is not retired while a key is being made under it
        .with_for_update(read=True, key_share=True)
    )
    return epoch or make_epoch(session, partnership_id)


def make_epoch(session: Session, partnership_id: UUID) -> KeyEpoch:
    """A new epoch of a partnership, which wraps from here on."""
    epoch = KeyEpoch(id=new_id(), partnership_id=partnership_id)
    wrapped = root().wrap(new_key(), purpose="epoch", ids=(partnership_id, epoch.id))
    epoch.root_key_id, epoch.wrapped = wrapped.generation, wrapped.sealed
    session.add(epoch)
    session.flush()
    return epoch


def open_epoch(epoch: KeyEpoch) -> bytes:
    """The key of a living epoch: from this process's memory, or from the keeper."""
    if epoch.wrapped is None:
        raise KeyDestroyed
    known = _epochs.get(epoch.id)
    if known is not None and known.wrapped == epoch.wrapped and known.until > monotonic():
        return known.key
    wrapped = RootWrapped(epoch.root_key_id, epoch.wrapped)
    try:
        key = root().unwrap(wrapped, purpose="epoch", ids=(epoch.partnership_id, epoch.id))
    except Unsealable:
        # another keeper, another root key, or a generation that has ended: nothing below it can be told to be damaged
        raise KeeperUnavailable("unsealable") from None
    if len(_epochs) >= EPOCHS_AT_MOST:
        _epochs.clear()
    _epochs[epoch.id] = _OpenEpoch(epoch.wrapped, monotonic() + EPOCH_SECONDS, key)
    return key


def forget_epoch(epoch_id: UUID) -> None:
    """Drops an epoch's key from this process's memory."""
    _epochs.pop(epoch_id, None)


def root() -> RootKey:
    """This process's root key keeper."""
    try:
        return _installed["root"]
    except KeyError:
        raise Unavailable("no_root_key", "The key keeper is not available. Nothing was saved.") from None
