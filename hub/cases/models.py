"""The case, the history of its states, and the incidents that belong to it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Mapped

from hub.access.facts import ItemFacts, RecordFacts, facts_key, item_constraints
from hub.cases.vocabulary import (
    CaseKind,
    CaseOutcome,
    CaseSource,
    CaseStatus,
    ClosureReason,
    Priority,
    RiskLevel,
    VictimTold,
)
from hub.core.schema import TIMESTAMP, Base, Holds, Keyed, Revised, holds, one_of, reference_to


class Case(Keyed, Revised, RecordFacts, Base):
    """Planned work about a person, household or dispute. Its id is its record's (HANDBOOK 7.2)."""

    __tablename__ = "case_record"

    reference: Mapped[str] = holds(Holds.REFERENCE, sa.Text, unique=True)
    kind: Mapped[str] = holds(Holds.CODE, sa.Text)
    # without personal data: "Noise, Ward X"
    title: Mapped[str] = holds(Holds.LABEL, sa.Text)
    status: Mapped[str] = holds(Holds.CODE, sa.Text, default=CaseStatus.NEW)
    priority: Mapped[str] = holds(Holds.CODE, sa.Text, default=Priority.ROUTINE)
    risk_level: Mapped[str] = holds(Holds.CODE, sa.Text, default=RiskLevel.NOT_ASSESSED)
    source: Mapped[str] = holds(Holds.CODE, sa.Text)
    summary: Mapped[str] = holds(Holds.FREE_TEXT, sa.Text, default="")
    lead_officer_id: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    reported_on: Mapped[str] = holds(Holds.TIME, sa.Text)
    opened_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    status_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    # when a hold or a monitoring period ends
    status_until: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    next_review_on: Mapped[str | None] = holds(Holds.TIME, sa.Text)
    closed_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    closure_reason: Mapped[str | None] = holds(Holds.CODE, sa.Text)
    words: Mapped[str] = holds(
        Holds.FREE_TEXT,
        postgresql.TSVECTOR,
        sa.Computed("to_tsvector('english'::regconfig, (title || ' '::text) || summary)", persisted=True),
    )
    # last change by anybody who may add: what lists sort by
    changed_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (
        facts_key("id", "case_record"),
        sa.ForeignKeyConstraint(["reference"], ["record.reference"], name="fk_case_record_record_reference"),
        one_of("kind", CaseKind),
        one_of("status", CaseStatus),
        one_of("priority", Priority),
        one_of("risk_level", RiskLevel),
        one_of("source", CaseSource),
        sa.CheckConstraint(
            f"closure_reason IS NULL OR closure_reason IN ({', '.join(repr(r.value) for r in ClosureReason)})",
            name="closure_reason_known",
        ),
        sa.CheckConstraint("(closed_at IS NULL) = (status <> 'closed')", name="closed_at_when_closed"),
        sa.CheckConstraint("closed_at IS NULL OR closure_reason IS NOT NULL", name="closed_with_reason"),
        sa.CheckConstraint(
            "status NOT IN ('on_hold', 'monitoring') OR status_until IS NOT NULL", name="hold_ends"
        ),
        sa.Index(
            "ix_case_record_lead_team_changed", "lead_team_id", sa.text("changed_at DESC"), sa.text("id DESC")
        ),
        sa.Index("ix_case_record_words", "words", postgresql_using="gin"),
        sa.Index("ix_case_record_changed", sa.text("changed_at DESC"), sa.text("id DESC")),
        sa.Index("ix_case_record_officer", "lead_officer_id", "status"),
    )


class StatusChange(Keyed, ItemFacts, Base):
    """One move of a case along the state table: the history that replaces overwriting."""

    __tablename__ = "case_status_change"

    from_status: Mapped[str | None] = holds(Holds.CODE, sa.Text)
    to_status: Mapped[str] = holds(Holds.CODE, sa.Text)
    reason: Mapped[str] = holds(Holds.FREE_TEXT, sa.Text, default="")
    until: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    # of a move towards closure: what came of it, and whether the victim was told
    outcome: Mapped[str | None] = holds(Holds.CODE, sa.Text)
    victim_told: Mapped[str | None] = holds(Holds.CODE, sa.Text)

    __table_args__ = (
        *item_constraints("case_status_change"),
        one_of("to_status", CaseStatus),
        one_of("outcome", CaseOutcome),
        one_of("victim_told", VictimTold),
    )


class CaseIncident(Keyed, ItemFacts, Base):
    """An incident that belongs to a case. The link is the case's item; the incident keeps its own rule."""

    __tablename__ = "case_incident"

    incident_id: Mapped[UUID] = reference_to("incident.id")

    __table_args__ = (
        *item_constraints("case_incident"),
        sa.UniqueConstraint("record_id", "incident_id"),
        sa.Index("ix_case_incident_incident", "incident_id"),
    )
