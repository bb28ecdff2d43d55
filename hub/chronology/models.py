"""The entry: what somebody did, saw, was told or decided, in the log of a case or an incident."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Mapped

from hub.access.facts import ItemFacts, item_constraints
from hub.chronology.vocabulary import EntryKind, EntryNature
from hub.core.schema import TIMESTAMP, Base, Holds, Keyed, holds, one_of, reference_to


class Entry(Keyed, ItemFacts, Base):
    """Never edited: a correction is a new entry that points at the old one, and both show (HANDBOOK 7.5)."""

    __tablename__ = "entry"

    kind: Mapped[str] = holds(Holds.CODE, sa.Text)
    nature: Mapped[str] = holds(Holds.CODE, sa.Text, default=EntryNature.FACT)
    occurred_on: Mapped[str] = holds(Holds.TIME, sa.Text)
    # the time of day as HH:MM, where it is known
    occurred_time: Mapped[str | None] = holds(Holds.TIME, sa.Text)
    # the earliest moment that the two may mean: what the log sorts by
    occurred_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    text: Mapped[str] = holds(Holds.FREE_TEXT, sa.Text)
    significant: Mapped[bool] = holds(Holds.CODE, sa.Boolean, default=False)
    corrects_id: Mapped[UUID | None] = reference_to("entry.id")
    # the contributor's team at the time, as it was called then
    contributor_team_id: Mapped[UUID] = reference_to("team.id")
    words: Mapped[str] = holds(
        Holds.FREE_TEXT,
        postgresql.TSVECTOR,
        sa.Computed("to_tsvector('english'::regconfig, text)", persisted=True),
    )

    __table_args__ = (
        *item_constraints("entry"),
        one_of("kind", EntryKind),
        one_of("nature", EntryNature),
        sa.CheckConstraint(
            "occurred_time IS NULL OR occurred_time ~ '^[0-2][0-9]:[0-5][0-9]$'", name="time_of_day"
        ),
        sa.CheckConstraint("length(text) BETWEEN 1 AND 20000", name="text_length"),
        sa.Index("ix_entry_record_occurred", "record_id", sa.text("occurred_at DESC"), sa.text("id DESC")),
        sa.Index("ix_entry_words", "words", postgresql_using="gin"),
    )
