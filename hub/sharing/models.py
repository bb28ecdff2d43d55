"""The one fact of a minimum share (FEATURES T18): told to a recipient that is given nothing else of the record."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from hub.access.facts import RecordFacts, facts_key
from hub.core.schema import Base, Holds, Keyed, holds, one_of, reference_to
from hub.sharing.vocabulary import FactCode


class SharedFact(Keyed, RecordFacts, Base):
    """What happened, as one code and one line, with its dates and the address or name that the recipient must know it by."""

    __tablename__ = "shared_fact"

    record_id: Mapped[UUID] = holds(Holds.KEY, sa.Uuid)
    grant_id: Mapped[UUID] = reference_to("record_grant.id", unique=True)
    code: Mapped[str] = holds(Holds.SENSITIVE, sa.Text)
    concerning: Mapped[str] = holds(Holds.PERSONAL, sa.Text)
    wording: Mapped[str] = holds(Holds.FREE_TEXT, sa.Text, default="")
    from_on: Mapped[str] = holds(Holds.TIME, sa.Text)
    until_on: Mapped[str | None] = holds(Holds.TIME, sa.Text)

    __table_args__ = (
        facts_key("record_id", "shared_fact"),
        one_of("code", FactCode),
        sa.CheckConstraint("length(btrim(concerning)) > 0", name="concerns_someone"),
        sa.CheckConstraint("length(wording) <= 300", name="one_line"),
        sa.Index("ix_shared_fact_record", "record_id"),
    )
