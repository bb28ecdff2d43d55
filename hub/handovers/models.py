"""A hand-over: one organisation offers the lead of a record to another, which restates its basis and takes it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from hub.access.facts import RecordFacts, facts_key
from hub.access.vocabulary import Purpose, Section
from hub.core.schema import (
    TEXT_ARRAY,
    TIMESTAMP,
    Base,
    Holds,
    Keyed,
    Revised,
    holds,
    one_of,
    reference_to,
)
from hub.handovers.vocabulary import HandOverState


class HandOver(Keyed, Revised, RecordFacts, Base):
    """What goes is all but the sections in `stays`, which remain with whoever contributed them."""

    __tablename__ = "hand_over"

    record_id: Mapped[UUID] = holds(Holds.KEY, sa.Uuid)
    record_reference: Mapped[str] = holds(Holds.REFERENCE, sa.Text)
    # in words: all that is told of what the case is about before it is accepted
    case_kind: Mapped[str] = holds(Holds.LABEL, sa.Text)
    from_organisation_id: Mapped[UUID] = reference_to("organisation.id", what=Holds.ACCESS_FACT)
    from_team_id: Mapped[UUID] = reference_to("team.id", what=Holds.ACCESS_FACT)
    to_organisation_id: Mapped[UUID] = reference_to("organisation.id", what=Holds.ACCESS_FACT)
    to_team_id: Mapped[UUID] = reference_to("team.id", what=Holds.ACCESS_FACT)
    agreement_id: Mapped[UUID | None] = reference_to("agreement.id", what=Holds.ACCESS_FACT)
    purpose: Mapped[str | None] = holds(Holds.CODE, sa.Text)
    gateway: Mapped[str | None] = holds(Holds.CODE, sa.Text)
    lawful_basis: Mapped[str | None] = holds(Holds.CODE, sa.Text)
    stays: Mapped[list[str]] = holds(Holds.ACCESS_FACT, TEXT_ARRAY)
    reason: Mapped[str] = holds(Holds.FREE_TEXT, sa.Text)
    state: Mapped[str] = holds(Holds.CODE, sa.Text, default=HandOverState.OFFERED)
    offered_by: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    answered_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    answered_by: Mapped[UUID | None] = reference_to("app_user.id", what=Holds.STAFF)
    # as the new lead states them
    answer: Mapped[str] = holds(Holds.FREE_TEXT, sa.Text, default="")
    restated_gateway: Mapped[str | None] = holds(Holds.CODE, sa.Text)
    restated_basis: Mapped[str | None] = holds(Holds.CODE, sa.Text)

    __table_args__ = (
        facts_key("record_id", "hand_over"),
        one_of("state", HandOverState),
        one_of("purpose", Purpose),
        sa.CheckConstraint(
            f"stays <@ ARRAY[{', '.join(repr(s.value) for s in Section)}]::text[] AND NOT 'summary' = ANY (stays)",
            name="stays_known",
        ),
        sa.CheckConstraint(
            "from_organisation_id = to_organisation_id OR (agreement_id IS NOT NULL AND purpose IS NOT NULL"
            " AND gateway IS NOT NULL AND lawful_basis IS NOT NULL)",
            name="outside_needs_agreement",
        ),
        sa.CheckConstraint("from_team_id <> to_team_id", name="to_another_team"),
        sa.CheckConstraint(
            "state <> 'accepted' OR from_organisation_id = to_organisation_id"
            " OR (restated_gateway IS NOT NULL AND restated_basis IS NOT NULL)",
            name="basis_restated",
        ),
        sa.CheckConstraint("(state = 'offered') = (answered_at IS NULL)", name="answered_unless_offered"),
        sa.CheckConstraint("length(btrim(reason)) > 0", name="reason_given"),
        # one offer at a time
        sa.Index(
            "uq_hand_over_offered", "record_id", unique=True, postgresql_where=sa.text("state = 'offered'")
        ),
        sa.Index("ix_hand_over_to_team", "to_team_id", "state"),
        sa.Index("ix_hand_over_record", "record_id"),
    )
