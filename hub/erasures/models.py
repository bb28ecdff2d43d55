"""A record's erasure: who asked, who decided, and that it was done. It holds nothing of what was erased."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from hub.core.schema import TIMESTAMP, Base, Holds, Keyed, holds, one_of, reference_to
from hub.erasures.vocabulary import ErasureGround


class RecordErasure(Keyed, Base):
    """One request to erase one record: waiting, refused, or approved and with that done."""

    __tablename__ = "record_erasure"

    record_id: Mapped[UUID] = reference_to("record.id")
    record_reference: Mapped[str] = holds(Holds.REFERENCE, sa.Text)
    organisation_id: Mapped[UUID] = reference_to("organisation.id")
    partnership_id: Mapped[UUID] = reference_to("partnership.id")
    ground: Mapped[str] = holds(Holds.CODE, sa.Text)
    asked_by: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    approved_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    approved_by: Mapped[UUID | None] = reference_to("app_user.id", what=Holds.STAFF)
    refused_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    refused_by: Mapped[UUID | None] = reference_to("app_user.id", what=Holds.STAFF)
    # when the last of its objects had left the store
    objects_gone_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (
        one_of("ground", ErasureGround),
        sa.CheckConstraint("num_nulls(approved_at, approved_by) IN (0, 2)", name="approved_by_somebody"),
        sa.CheckConstraint("num_nulls(refused_at, refused_by) IN (0, 2)", name="refused_by_somebody"),
        sa.CheckConstraint("approved_at IS NULL OR refused_at IS NULL", name="one_answer"),
        sa.CheckConstraint("approved_by <> asked_by", name="two_people"),
        sa.CheckConstraint("objects_gone_at IS NULL OR approved_at IS NOT NULL", name="approved_first"),
        # one that waits or was carried out, whatever was refused before
        sa.Index(
            "uq_record_erasure_record",
            "record_id",
            unique=True,
            postgresql_where=sa.text("refused_at IS NULL"),
        ),
        sa.Index("ix_record_erasure_organisation", "organisation_id", "id"),
    )
