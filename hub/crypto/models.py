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
    root_key_id: Mapped[str] = holds(Holds.REFERENCE, sa.Text)
    wrapped: Mapped[bytes | None] = holds(Holds.SECRET, sa.LargeBinary)
    retired_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    destroyed_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (
        sa.CheckConstraint("(wrapped IS NULL) = (destroyed_at IS NOT NULL)", name="destroyed_holds_nothing"),
        sa.Index("ix_key_epoch_partnership", "partnership_id", "created_at"),
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
    )
