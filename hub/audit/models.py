"""Tables of the log. Rows are made by the database's own function alone (`audit.record_event`), never by the application."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from hub.core.schema import TIMESTAMP, UUID_ARRAY, Base, Holds, holds


class XID8(sa.types.UserDefinedType[str]):
    """PostgreSQL's 64-bit transaction id, read as text."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "xid8"


class Event(Base):
    """One event: the canonical bytes, their hash, and columns drawn from them for searching.

    Partitioned by month. No foreign keys into live data: the log outlives what it tells of.
    """

    __tablename__ = "event"

    id: Mapped[UUID] = holds(Holds.KEY, sa.Uuid, primary_key=True)
    at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP, primary_key=True)
    # the transaction that wrote it
    xid: Mapped[str] = holds(Holds.COUNT, XID8())
    category: Mapped[str] = holds(Holds.CODE, sa.Text)
    act: Mapped[str] = holds(Holds.CODE, sa.Text)
    outcome: Mapped[str] = holds(Holds.CODE, sa.Text)
    source: Mapped[str] = holds(Holds.CODE, sa.Text)
    user_id: Mapped[UUID | None] = holds(Holds.STAFF, sa.Uuid)
    organisation_id: Mapped[UUID | None] = holds(Holds.STAFF, sa.Uuid)
    team_id: Mapped[UUID | None] = holds(Holds.STAFF, sa.Uuid)
    object_type: Mapped[str | None] = holds(Holds.CODE, sa.Text)
    object_id: Mapped[UUID | None] = holds(Holds.KEY, sa.Uuid)
    object_version: Mapped[int | None] = holds(Holds.COUNT, sa.Integer)
    record_ids: Mapped[list[UUID]] = holds(Holds.KEY, UUID_ARRAY)
    person_ids: Mapped[list[UUID]] = holds(Holds.KEY, UUID_ARRAY)
    # the actor's organisation, the owners of the records, and the recipients: whose auditors may read it
    organisation_ids: Mapped[list[UUID]] = holds(Holds.KEY, UUID_ARRAY)
    body: Mapped[bytes] = holds(Holds.STAFF, sa.LargeBinary)
    hash: Mapped[bytes] = holds(Holds.KEY, sa.LargeBinary)

    __table_args__ = {"schema": "audit", "info": {"written_by": "database"}}


class EventText(Base):
    """The text behind a salted commitment in an event, sealed. Erasing the row erases the content, never the event."""

    __tablename__ = "event_text"

    event_id: Mapped[UUID] = holds(Holds.KEY, sa.Uuid, primary_key=True)
    name: Mapped[str] = holds(Holds.CODE, sa.Text, primary_key=True)
    salt: Mapped[bytes] = holds(Holds.SECRET, sa.LargeBinary)
    data_key_id: Mapped[UUID] = holds(Holds.KEY, sa.Uuid)
    sealed: Mapped[bytes] = holds(Holds.SEALED, sa.LargeBinary)

    __table_args__ = {"schema": "audit", "info": {"written_by": "database"}}


class Leaf(Base):
    """Which event is which leaf of the tree. Written by the sequencer alone, as all tables below."""

    __tablename__ = "leaf"

    idx: Mapped[int] = holds(Holds.COUNT, sa.BigInteger, primary_key=True)
    event_id: Mapped[UUID] = holds(Holds.KEY, sa.Uuid, unique=True)
    event_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = {"schema": "audit", "info": {"written_by": "database"}}


class Tile(Base):
    """Up to 256 hashes of one level of the tree (C2SP tlog-tiles)."""

    __tablename__ = "tile"

    level: Mapped[int] = holds(Holds.COUNT, sa.SmallInteger, primary_key=True)
    number: Mapped[int] = holds(Holds.COUNT, sa.BigInteger, primary_key=True)
    hashes: Mapped[bytes] = holds(Holds.KEY, sa.LargeBinary)

    __table_args__ = {"schema": "audit", "info": {"written_by": "database"}}


class Checkpoint(Base):
    """A head of the tree; without a note until it is signed."""

    __tablename__ = "checkpoint"

    size: Mapped[int] = holds(Holds.COUNT, sa.BigInteger, primary_key=True)
    root: Mapped[bytes] = holds(Holds.KEY, sa.LargeBinary)
    note: Mapped[str | None] = holds(Holds.KEY, sa.Text)
    at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = {"schema": "audit", "info": {"written_by": "database"}}


class Cosignature(Base):
    """A witness's signature line under a checkpoint."""

    __tablename__ = "cosignature"

    size: Mapped[int] = holds(Holds.COUNT, sa.BigInteger, primary_key=True)
    name: Mapped[str] = holds(Holds.CODE, sa.Text, primary_key=True)
    line: Mapped[str] = holds(Holds.KEY, sa.Text)
    at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = {"schema": "audit", "info": {"written_by": "database"}}


class WitnessKey(Base):
    """A public key of a witness of the log."""

    __tablename__ = "witness_key"

    vkey: Mapped[str] = holds(Holds.KEY, sa.Text, primary_key=True)
    since: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = {"schema": "audit", "info": {"written_by": "database"}}


class LogKey(Base):
    """A public key of the log, as others keep it in their policy."""

    __tablename__ = "log_key"

    vkey: Mapped[str] = holds(Holds.KEY, sa.Text, primary_key=True)
    since: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = {"schema": "audit", "info": {"written_by": "database"}}
