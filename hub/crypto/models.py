"""Tables of wrapped keys: root → epoch (per partnership) → data key (per record, or the partnership's own) → file key."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from hub.core.schema import TIMESTAMP, Base, Holds, Keyed, holds, reference_to


class KeyEpoch(Keyed, Base):
    """A partnership's wrapping key for about 30 days, wrapped by the root key. Destroying it ends what it wrapped."""

    __tablename__ = "key_epoch"

    partnership_id: Mapped[UUID] = reference_to("partnership.id")
    # the generation of the root key that wraps it, or last did
    root_key_id: Mapped[str] = holds(Holds.REFERENCE, sa.Text)
    wrapped: Mapped[bytes | None] = holds(Holds.SECRET, sa.LargeBinary)
    retired_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    destroyed_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (
        sa.CheckConstraint("(wrapped IS NULL) = (destroyed_at IS NOT NULL)", name="destroyed_holds_nothing"),
        sa.CheckConstraint("destroyed_at IS NULL OR retired_at IS NOT NULL", name="retired_first"),
        sa.Index("ix_key_epoch_partnership", "partnership_id", "created_at"),
        sa.Index("ix_key_epoch_root_key", "root_key_id"),
    )


class DataKey(Keyed, Base):
    """The random key of one record (or of the partnership, where `record_id` is null), wrapped by an epoch's."""

    __tablename__ = "data_key"

    partnership_id: Mapped[UUID] = reference_to("partnership.id")
    record_id: Mapped[UUID | None] = reference_to("record.id")
    epoch_id: Mapped[UUID] = reference_to("key_epoch.id")
    wrapped: Mapped[bytes | None] = holds(Holds.SECRET, sa.LargeBinary)
    destroyed_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (
        sa.CheckConstraint("(wrapped IS NULL) = (destroyed_at IS NOT NULL)", name="destroyed_holds_nothing"),
        sa.Index(
            "uq_data_key_record", "record_id", unique=True, postgresql_where=sa.text("record_id IS NOT NULL")
        ),
        sa.Index(
            "uq_data_key_partnership",
            "partnership_id",
            unique=True,
            postgresql_where=sa.text("record_id IS NULL"),
        ),
        sa.Index("ix_data_key_epoch", "epoch_id"),
    )


class RootGeneration(Base):
    """A generation of the root key: what an old backup holds under it ends with it."""

    __tablename__ = "root_generation"

    name: Mapped[str] = holds(Holds.REFERENCE, sa.Text, primary_key=True)
    first_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    # when no living epoch was wrapped by it any more; when the keeper was told to end it, and when that is final
    left_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    ended_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    final_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (
        sa.CheckConstraint("ended_at IS NULL OR left_at IS NOT NULL", name="left_first"),
        sa.CheckConstraint("(ended_at IS NULL) = (final_at IS NULL)", name="ended_finally"),
    )


class KeyDestruction(Keyed, Base):
    """An epoch that one person asked to destroy before its time, and another let go."""

    __tablename__ = "key_destruction"

    epoch_id: Mapped[UUID] = reference_to("key_epoch.id", unique=True)
    asked_by: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    approved_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    approved_by: Mapped[UUID | None] = reference_to("app_user.id", what=Holds.STAFF)

    __table_args__ = (
        sa.CheckConstraint("num_nulls(approved_at, approved_by) IN (0, 2)", name="approved_by_somebody"),
        sa.CheckConstraint("approved_by <> asked_by", name="two_people"),
    )
