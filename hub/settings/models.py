"""What partnerships have set, each from a day on. Rows are only added; a coming one can be withdrawn, and stays readable."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from hub.core.schema import TIMESTAMP, Base, Holds, Keyed, holds, reference_to


class SettingValue(Keyed, Base):
    """One value of one setting. The latest day that has come holds; of one day's, what was set last."""

    __tablename__ = "setting"

    partnership_id: Mapped[UUID] = reference_to("partnership.id")
    code: Mapped[str] = holds(Holds.CODE, sa.Text)
    value: Mapped[str] = holds(Holds.CODE, sa.Text)
    # a day in London, from its first moment
    effective_from: Mapped[date] = holds(Holds.TIME, sa.Date)
    # in the order in which they were set, for the partnership and the setting: the key tells it only to the millisecond
    number: Mapped[int] = holds(Holds.COUNT, sa.Integer)
    set_by: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    withdrawn_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    withdrawn_by: Mapped[UUID | None] = reference_to("app_user.id", what=Holds.STAFF)

    __table_args__ = (
        sa.UniqueConstraint("partnership_id", "code", "number"),
        sa.CheckConstraint("code ~ '^[a-z_]{1,40}$' AND value ~ '^[a-z0-9_]{1,40}$'", name="codes"),
        sa.CheckConstraint(
            "effective_from >= (created_at AT TIME ZONE 'Europe/London')::date", name="not_backdated"
        ),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by IS NULL)"
            " AND (withdrawn_at AT TIME ZONE 'Europe/London')::date < effective_from",
            name="withdrawn_before_its_day",
        ),
        sa.Index("ix_setting_in_force", "partnership_id", "code", "effective_from", "number"),
    )
