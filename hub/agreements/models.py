"""What was done about an agreement, by which organisation and when: its history, which every party may read.

The agreement itself, its parties and purposes stand in `hub.access`, which asks them whether a share holds.
"""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from hub.agreements.vocabulary import Step
from hub.core.schema import Base, Holds, Keyed, holds, one_of, reference_to


class AgreementStep(Keyed, Base):
    """One act, with the reason that was given. `days` stands on a warning alone: each is given once."""

    __tablename__ = "agreement_step"

    agreement_id: Mapped[UUID] = reference_to("agreement.id")
    step: Mapped[str] = holds(Holds.CODE, sa.Text)
    organisation_id: Mapped[UUID] = reference_to("organisation.id")
    user_id: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    why: Mapped[str] = holds(Holds.LABEL, sa.Text, default="")
    days: Mapped[int | None] = holds(Holds.COUNT, sa.Integer)

    __table_args__ = (
        one_of("step", Step),
        sa.CheckConstraint("(days IS NOT NULL) = (step = 'warned')", name="days_of_warning"),
        sa.Index("ix_agreement_step_agreement", "agreement_id", "id"),
        sa.Index(
            "uq_agreement_step_warning",
            "agreement_id",
            "days",
            unique=True,
            postgresql_where=sa.text("step = 'warned'"),
        ),
    )
