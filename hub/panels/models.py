"""A panel: a set of partners agreed beforehand, with what they are given. Its members accepted by joining."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from hub.access.models import SECTIONS_KNOWN
from hub.access.vocabulary import Purpose
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


class Panel(Keyed, Revised, Base):
    """What a share with this panel is: agreement, purpose, sections, how long. One organisation offers it."""

    __tablename__ = "panel"

    name: Mapped[str] = holds(Holds.LABEL, sa.Text)
    partnership_id: Mapped[UUID] = reference_to("partnership.id")
    organisation_id: Mapped[UUID] = reference_to("organisation.id")
    agreement_id: Mapped[UUID] = reference_to("agreement.id")
    purpose: Mapped[str] = holds(Holds.CODE, sa.Text)
    sections: Mapped[list[str]] = holds(Holds.ACCESS_FACT, TEXT_ARRAY)
    max_marking: Mapped[int] = holds(Holds.ACCESS_FACT, sa.SmallInteger)
    may_contribute: Mapped[bool] = holds(Holds.ACCESS_FACT, sa.Boolean, default=False)
    lasts_days: Mapped[int] = holds(Holds.COUNT, sa.Integer)
    made_by: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    ended_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (
        sa.UniqueConstraint("organisation_id", "partnership_id", "name"),
        one_of("purpose", Purpose),
        sa.CheckConstraint(f"{SECTIONS_KNOWN} AND 'summary' = ANY (sections)", name="sections_known"),
        sa.CheckConstraint("max_marking IN (0, 1)", name="marking_known"),
        sa.CheckConstraint("lasts_days BETWEEN 1 AND 365", name="lasts_a_year_at_most"),
    )


class PanelMember(Keyed, Base):
    """A partner's seat: an organisation, or one of its teams. It takes shares from `accepted_at` until it leaves."""

    __tablename__ = "panel_member"

    panel_id: Mapped[UUID] = reference_to("panel.id")
    organisation_id: Mapped[UUID] = reference_to("organisation.id")
    team_id: Mapped[UUID | None] = reference_to("team.id")
    accepted_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    accepted_by: Mapped[UUID | None] = reference_to("app_user.id", what=Holds.STAFF)
    left_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (
        sa.CheckConstraint("(accepted_at IS NULL) = (accepted_by IS NULL)", name="accepted_pair"),
        sa.Index("ix_panel_member_panel", "panel_id"),
        sa.Index("ix_panel_member_organisation", "organisation_id"),
    )
