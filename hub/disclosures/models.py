"""The schedule of a case, a line a file, and each bundle that was asked for."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from hub.access.facts import RecordFacts, facts_key
from hub.core.schema import TIMESTAMP, UUID_ARRAY, Base, Holds, Keyed, Revised, holds, one_of, reference_to
from hub.disclosures.vocabulary import Relevance, Sensitivity


class DisclosureLine(Keyed, Revised, RecordFacts, Base):
    """What the lead team thinks of one file. Kept as a draft for as long as the case is."""

    __tablename__ = "disclosure_line"

    record_id: Mapped[UUID] = holds(Holds.KEY, sa.Uuid)
    attachment_id: Mapped[UUID] = reference_to("attachment.id", unique=True)
    relevance: Mapped[str] = holds(Holds.CODE, sa.Text, default=Relevance.NOT_ASSESSED)
    sensitivity: Mapped[str] = holds(Holds.CODE, sa.Text, default=Sensitivity.NOT_ASSESSED)
    note: Mapped[str] = holds(Holds.FREE_TEXT, sa.Text, default="")
    assessed_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    assessed_by: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)

    __table_args__ = (
        facts_key("record_id", "disclosure_line"),
        one_of("relevance", Relevance),
        one_of("sensitivity", Sensitivity),
        sa.Index("ix_disclosure_line_record", "record_id"),
    )


class Disclosure(Keyed, Revised, RecordFacts, Base):
    """A bundle for one organisation: its files are settled when it is asked for, and never grow afterwards."""

    __tablename__ = "disclosure"

    record_id: Mapped[UUID] = holds(Holds.KEY, sa.Uuid)
    to_organisation_id: Mapped[UUID] = reference_to("organisation.id")
    sealed_reason: Mapped[bytes] = holds(Holds.SEALED, sa.LargeBinary)
    data_key_id: Mapped[UUID] = reference_to("data_key.id")
    # the files of the schedule, and those of them that go along as they are
    file_ids: Mapped[list[UUID]] = holds(Holds.KEY, UUID_ARRAY)
    original_ids: Mapped[list[UUID]] = holds(Holds.KEY, UUID_ARRAY)
    asked_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    asked_by: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    approved_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    approved_by: Mapped[UUID | None] = reference_to("app_user.id", what=Holds.STAFF)
    released_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (
        facts_key("record_id", "disclosure"),
        sa.CheckConstraint("num_nulls(approved_at, approved_by) IN (0, 2)", name="approved_by_somebody"),
        sa.CheckConstraint("approved_by IS NULL OR approved_by <> asked_by", name="two_people"),
        sa.CheckConstraint(
            "released_at IS NULL OR approved_by IS NOT NULL OR cardinality(file_ids) <= 50",
            name="bulk_approved",
        ),
        sa.Index("ix_disclosure_record", "record_id", "asked_at"),
    )
