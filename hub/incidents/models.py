"""The incident: one thing that happened or was told to us (HANDBOOK 7.1)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Mapped

from hub.access.facts import RecordFacts, facts_key
from hub.core.schema import TIMESTAMP, Base, Holds, Keyed, Revised, holds, one_of, reference_to
from hub.incidents.vocabulary import IncidentKind, IncidentSource


class Incident(Keyed, Revised, RecordFacts, Base):
    """Its id is its record's; its people, places and vehicles are involvements."""

    __tablename__ = "incident"

    reference: Mapped[str] = holds(Holds.REFERENCE, sa.Text, unique=True)
    kind: Mapped[str] = holds(Holds.CODE, sa.Text)
    # without personal data: made from kind and ward, or from an import's words
    title: Mapped[str] = holds(Holds.LABEL, sa.Text)
    description: Mapped[str] = holds(Holds.FREE_TEXT, sa.Text)
    # partial dates as ISO text; a time of day where it is known
    occurred_from: Mapped[str] = holds(Holds.TIME, sa.Text)
    occurred_to: Mapped[str | None] = holds(Holds.TIME, sa.Text)
    occurred_time: Mapped[str | None] = holds(Holds.TIME, sa.Text)
    # the earliest moment that `occurred_from` may mean: what lists sort by
    occurred_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    reported_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    source: Mapped[str] = holds(Holds.CODE, sa.Text)
    told_by: Mapped[str] = holds(Holds.FREE_TEXT, sa.Text, default="")
    source_system: Mapped[str | None] = holds(Holds.CODE, sa.Text)
    source_reference: Mapped[str | None] = holds(Holds.REFERENCE, sa.Text)
    outcome: Mapped[str] = holds(Holds.LABEL, sa.Text, default="")
    logged_by: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    words: Mapped[str] = holds(
        Holds.FREE_TEXT,
        postgresql.TSVECTOR,
        sa.Computed("to_tsvector('english'::regconfig, (title || ' '::text) || description)", persisted=True),
    )

    __table_args__ = (
        facts_key("id", "incident"),
        sa.ForeignKeyConstraint(["reference"], ["record.reference"], name="fk_incident_record_reference"),
        one_of("kind", IncidentKind),
        one_of("source", IncidentSource),
        sa.CheckConstraint("(source_system IS NULL) = (source_reference IS NULL)", name="source_pair"),
        sa.CheckConstraint("length(description) <= 20000", name="description_length"),
        sa.UniqueConstraint(
            "owner_organisation_id", "source_system", "source_reference", name="uq_incident_source_reference"
        ),
        sa.Index(
            "ix_incident_lead_team_occurred", "lead_team_id", sa.text("occurred_at DESC"), sa.text("id DESC")
        ),
        sa.Index("ix_incident_words", "words", postgresql_using="gin"),
        sa.Index("ix_incident_occurred", sa.text("occurred_at DESC"), sa.text("id DESC")),
    )
