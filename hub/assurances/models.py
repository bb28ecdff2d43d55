"""Partner assurance: the answers that an organisation gives on how it keeps what is shared, reviewed by a partner, until a day."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Mapped

from hub.assurances.vocabulary import AssuranceState
from hub.core.schema import TIMESTAMP, Base, Holds, Keyed, Revised, holds, one_of, reference_to


class Assurance(Keyed, Revised, Base):
    """One answered questionnaire. The latest accepted one counts, until `valid_until`."""

    __tablename__ = "assurance"

    organisation_id: Mapped[UUID] = reference_to("organisation.id")
    form_version: Mapped[int] = holds(Holds.COUNT, sa.Integer)
    # question code → {"answer": yes|no|partly|not_applicable, "evidence": text}
    answers: Mapped[dict[str, Any]] = holds(Holds.LABEL, postgresql.JSONB)
    state: Mapped[str] = holds(Holds.CODE, sa.Text, default=AssuranceState.SUBMITTED)
    submitted_by: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    submitted_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    reviewed_by: Mapped[UUID | None] = reference_to("app_user.id", what=Holds.STAFF)
    reviewed_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    review_note: Mapped[str] = holds(Holds.LABEL, sa.Text, default="")
    valid_until: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (
        one_of("state", AssuranceState),
        sa.CheckConstraint("(reviewed_at IS NULL) = (state = 'submitted')", name="reviewed_unless_submitted"),
        sa.CheckConstraint("(reviewed_at IS NULL) = (reviewed_by IS NULL)", name="reviewed_pair"),
        sa.CheckConstraint("(valid_until IS NOT NULL) = (state = 'accepted')", name="accepted_until"),
        sa.CheckConstraint("reviewed_by IS NULL OR reviewed_by <> submitted_by", name="reviewed_by_another"),
        sa.Index("ix_assurance_organisation", "organisation_id", "id"),
    )
