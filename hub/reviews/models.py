"""Tables of reviews, beside the log: alerts, which the database makes, the thresholds of their rules, and samples with the
accesses whose users are asked.

They are written by hand (migrations/sql/0003/5_reviews.sql, 0005/5_desk.sql). Row security shows each organisation its own, and nobody an
alert about themselves. A note or an answer is sealed beside the event that tells of it; its id stands here.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from hub.core.schema import TIMESTAMP, UUID_ARRAY, Base, Holds, Keyed, Revised, holds


class Alert(Keyed, Revised, Base):
    """That a rule was met by one user on one day. Made by the database's function alone; the application writes its review."""

    __tablename__ = "alert"

    organisation_id: Mapped[UUID] = holds(Holds.KEY, sa.Uuid)
    user_id: Mapped[UUID] = holds(Holds.STAFF, sa.Uuid)
    rule: Mapped[str] = holds(Holds.CODE, sa.Text)
    day: Mapped[date] = holds(Holds.TIME, sa.Date)
    part: Mapped[int] = holds(Holds.COUNT, sa.SmallInteger)
    first_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    last_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    events: Mapped[int] = holds(Holds.COUNT, sa.Integer)
    records: Mapped[int] = holds(Holds.COUNT, sa.Integer)
    # fifty at most; those that must not be named are only counted
    event_ids: Mapped[list[UUID]] = holds(Holds.KEY, UUID_ARRAY)
    reviewed_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    reviewed_by: Mapped[UUID | None] = holds(Holds.STAFF, sa.Uuid)
    decision: Mapped[str | None] = holds(Holds.CODE, sa.Text)
    review_event_id: Mapped[UUID | None] = holds(Holds.KEY, sa.Uuid)

    __table_args__ = {"schema": "audit", "info": {"written_by": "database"}}


class AlertSetting(Keyed, Base):
    """An organisation's own threshold of a rule, from a day on. Only added to: what was in force when stays readable."""

    __tablename__ = "alert_setting"

    organisation_id: Mapped[UUID] = holds(Holds.KEY, sa.Uuid)
    rule: Mapped[str] = holds(Holds.CODE, sa.Text)
    threshold: Mapped[int] = holds(Holds.COUNT, sa.Integer)
    valid_from: Mapped[date] = holds(Holds.TIME, sa.Date)
    set_by: Mapped[UUID] = holds(Holds.STAFF, sa.Uuid)

    __table_args__ = {"schema": "audit", "info": {"written_by": "database"}}


class Sample(Keyed, Base):
    """Accesses drawn by chance: the seed, the period and the filter give the same ones again."""

    __tablename__ = "sample"

    organisation_id: Mapped[UUID] = holds(Holds.KEY, sa.Uuid)
    drawn_by: Mapped[UUID] = holds(Holds.STAFF, sa.Uuid)
    seed: Mapped[int] = holds(Holds.CODE, sa.BigInteger)
    since: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    before: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    category: Mapped[str | None] = holds(Holds.CODE, sa.Text)
    act: Mapped[str | None] = holds(Holds.CODE, sa.Text)
    size: Mapped[int] = holds(Holds.COUNT, sa.SmallInteger)
    due_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = {"schema": "audit", "info": {"written_by": "database"}}


class SampledAccess(Keyed, Revised, Base):
    """One access of a sample: what its user answered, and whether that was accepted."""

    __tablename__ = "sampled_access"

    sample_id: Mapped[UUID] = holds(Holds.KEY, sa.Uuid)
    organisation_id: Mapped[UUID] = holds(Holds.KEY, sa.Uuid)
    place: Mapped[int] = holds(Holds.COUNT, sa.SmallInteger)
    event_id: Mapped[UUID] = holds(Holds.KEY, sa.Uuid)
    event_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    act: Mapped[str] = holds(Holds.CODE, sa.Text)
    object_type: Mapped[str | None] = holds(Holds.CODE, sa.Text)
    object_id: Mapped[UUID | None] = holds(Holds.KEY, sa.Uuid)
    user_id: Mapped[UUID] = holds(Holds.STAFF, sa.Uuid)
    answered_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    answer_event_id: Mapped[UUID | None] = holds(Holds.KEY, sa.Uuid)
    verdict: Mapped[str | None] = holds(Holds.CODE, sa.Text)
    judged_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    judged_by: Mapped[UUID | None] = holds(Holds.STAFF, sa.Uuid)
    verdict_event_id: Mapped[UUID | None] = holds(Holds.KEY, sa.Uuid)

    __table_args__ = {"schema": "audit", "info": {"written_by": "database"}}
