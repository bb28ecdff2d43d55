"""A consent: one person's, for one purpose and one recipient, until it is withdrawn."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from hub.access.facts import ItemFacts, item_constraints
from hub.access.vocabulary import Purpose
from hub.consents.vocabulary import ConsentHow, GivenBy
from hub.core.schema import TIMESTAMP, Base, Holds, Keyed, Revised, holds, one_of, reference_to


class Consent(Keyed, Revised, ItemFacts, Base):
    """Withdrawing it ends the shares that stand on it in the same transaction (the database's trigger sees to it)."""

    __tablename__ = "consent"

    person_id: Mapped[UUID] = reference_to("person.id")
    purpose: Mapped[str] = holds(Holds.CODE, sa.Text)
    to_organisation_id: Mapped[UUID] = reference_to("organisation.id")
    given_on: Mapped[str] = holds(Holds.TIME, sa.Text)
    given_by: Mapped[str] = holds(Holds.CODE, sa.Text)
    given_how: Mapped[str] = holds(Holds.CODE, sa.Text)
    # what the person was told, and how they understood it (age, capacity)
    told: Mapped[str] = holds(Holds.FREE_TEXT, sa.Text)
    capacity: Mapped[str] = holds(Holds.FREE_TEXT, sa.Text, default="")
    person_view: Mapped[str] = holds(Holds.FREE_TEXT, sa.Text, default="")
    withdrawn_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    withdrawn_by: Mapped[UUID | None] = reference_to("app_user.id", what=Holds.STAFF)
    withdrawn_how: Mapped[str | None] = holds(Holds.CODE, sa.Text)

    __table_args__ = (
        *item_constraints("consent"),
        one_of("purpose", Purpose),
        one_of("given_by", GivenBy),
        one_of("given_how", ConsentHow),
        one_of("withdrawn_how", ConsentHow),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_by IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawn_how IS NULL)",
            name="withdrawn_together",
        ),
        sa.CheckConstraint("length(btrim(told)) > 0", name="told_something"),
        sa.Index("ix_consent_person", "person_id"),
    )
