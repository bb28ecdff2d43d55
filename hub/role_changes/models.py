"""A role that one administrator asks for on behalf of somebody, and what another decided."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from hub.access.permissions import Role
from hub.core.schema import TIMESTAMP, Base, Holds, Keyed, holds, one_of, reference_to
from hub.role_changes.vocabulary import Outcome


class RoleChange(Keyed, Base):
    """One role asked for, in one partnership: it waits, or it has an outcome. The database lets no role begin without it."""

    __tablename__ = "role_change"

    asked_by: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    user_id: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    organisation_id: Mapped[UUID] = reference_to("organisation.id")
    partnership_id: Mapped[UUID] = reference_to("partnership.id")
    role: Mapped[str] = holds(Holds.CODE, sa.Text)
    expires_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    decided_by: Mapped[UUID | None] = reference_to("app_user.id", what=Holds.STAFF)
    decided_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    outcome: Mapped[str | None] = holds(Holds.CODE, sa.Text)
    # the transaction of the decision, which the database writes: a role begins in no other
    decided_xid: Mapped[int | None] = holds(Holds.COUNT, sa.BigInteger)

    __table_args__ = (
        one_of("role", Role),
        one_of("outcome", Outcome),
        sa.CheckConstraint("(outcome IS NULL) = (decided_at IS NULL)", name="decided_whole"),
        sa.CheckConstraint(
            "(decided_by IS NULL) = (outcome IS NULL OR outcome = 'lapsed')", name="decided_by_somebody"
        ),
        sa.CheckConstraint("asked_by <> user_id", name="not_for_oneself"),
        sa.CheckConstraint(
            "outcome NOT IN ('approved', 'refused') OR (decided_by <> asked_by AND decided_by <> user_id)",
            name="two_people",
        ),
        sa.CheckConstraint("outcome NOT IN ('withdrawn', 'alone') OR decided_by = asked_by", name="own_hand"),
        sa.Index(
            "uq_role_change_waiting",
            "user_id",
            "partnership_id",
            "role",
            unique=True,
            postgresql_where=sa.text("outcome IS NULL"),
        ),
        sa.Index("ix_role_change_organisation", "organisation_id", "partnership_id", "id"),
    )
