"""The monthly access attestation: per organisation, who has access to what, confirmed by its SPOC or suspended."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from hub.core.schema import TIMESTAMP, Base, Holds, Keyed, Revised, holds, reference_to


class Attestation(Keyed, Revised, Base):
    """One organisation's list of one month (`2026-11`). Lines that nobody confirmed by `due_at` are suspended."""

    __tablename__ = "attestation"

    organisation_id: Mapped[UUID] = reference_to("organisation.id")
    month: Mapped[str] = holds(Holds.TIME, sa.Text)
    due_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    closed_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (
        sa.UniqueConstraint("organisation_id", "month"),
        sa.CheckConstraint("month ~ '^[0-9]{4}-[0-9]{2}$'", name="month_shape"),
        sa.Index("ix_attestation_due", "due_at", postgresql_where=sa.text("closed_at IS NULL")),
    )


class AttestationLine(Base):
    """One user on the list."""

    __tablename__ = "attestation_line"

    attestation_id: Mapped[UUID] = reference_to("attestation.id", primary_key=True)
    user_id: Mapped[UUID] = reference_to("app_user.id", primary_key=True, what=Holds.STAFF)
    confirmed_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    confirmed_by: Mapped[UUID | None] = reference_to("app_user.id", what=Holds.STAFF)
    suspended_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (
        sa.CheckConstraint("(confirmed_at IS NULL) = (confirmed_by IS NULL)", name="confirmed_pair"),
        sa.CheckConstraint("confirmed_at IS NULL OR suspended_at IS NULL", name="confirmed_or_suspended"),
    )
