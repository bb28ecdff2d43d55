"""Asking for what an organisation holds: the request as the asker sees it, and the records that it is about, which he doesn't."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from hub.access.facts import RecordFacts, facts_key
from hub.access.vocabulary import Purpose
from hub.access_requests.vocabulary import RequestState, Urgency
from hub.core.schema import TIMESTAMP, Base, Holds, Keyed, Revised, holds, one_of, reference_to


class AccessRequest(Keyed, Revised, Base):
    """The form `information_request` (HANDBOOK 3.8), from a blind hit."""

    __tablename__ = "access_request"

    reference: Mapped[str] = holds(Holds.REFERENCE, sa.Text, unique=True)
    from_organisation_id: Mapped[UUID] = reference_to("organisation.id", what=Holds.ACCESS_FACT)
    from_team_id: Mapped[UUID] = reference_to("team.id", what=Holds.ACCESS_FACT)
    requested_by: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    to_organisation_id: Mapped[UUID] = reference_to("organisation.id", what=Holds.ACCESS_FACT)
    purpose: Mapped[str] = holds(Holds.CODE, sa.Text)
    urgency: Mapped[str] = holds(Holds.CODE, sa.Text)
    # whom or what was searched for, what is wanted of it, why it is needed
    sought: Mapped[str] = holds(Holds.PERSONAL, sa.Text)
    wanted: Mapped[str] = holds(Holds.FREE_TEXT, sa.Text)
    reason: Mapped[str] = holds(Holds.FREE_TEXT, sa.Text)
    due_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    state: Mapped[str] = holds(Holds.CODE, sa.Text, default=RequestState.WAITING)
    answered_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    answered_by: Mapped[UUID | None] = reference_to("app_user.id", what=Holds.STAFF)
    answer: Mapped[str] = holds(Holds.FREE_TEXT, sa.Text, default="")
    # when the owner was reminded that its time was over
    late_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (
        one_of("purpose", Purpose),
        one_of("urgency", Urgency),
        one_of("state", RequestState),
        sa.CheckConstraint("(state = 'waiting') = (answered_at IS NULL)", name="answered_unless_waiting"),
        sa.CheckConstraint("length(btrim(reason)) > 0", name="reason_given"),
        sa.CheckConstraint(
            "state NOT IN ('part', 'refused') OR length(btrim(answer)) > 0", name="refused_with_reason"
        ),
        sa.Index("ix_access_request_asker", "from_team_id", "id"),
        sa.Index("ix_access_request_owner", "to_organisation_id", "state", "due_at"),
    )


class SoughtRecord(Keyed, RecordFacts, Base):
    """A record that a request is about. Read by those who lead it, never by the asker; the database finds it."""

    __tablename__ = "sought_record"

    access_request_id: Mapped[UUID] = reference_to("access_request.id")
    record_id: Mapped[UUID] = holds(Holds.KEY, sa.Uuid)

    __table_args__ = (
        facts_key("record_id", "sought_record"),
        sa.UniqueConstraint("access_request_id", "record_id"),
        sa.Index("ix_sought_record_lead_team", "lead_team_id", "access_request_id"),
        sa.Index("ix_sought_record_record", "record_id"),
    )
