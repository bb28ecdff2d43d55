"""Entries of code lists as organisations and partnerships have changed them. A row is never renamed; only its end is set."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped

from hub.core.schema import Base, Holds, Keyed, holds, reference_to


class CodeListEntry(Keyed, Base):
    """What a code is called from a day until the end of another. The code stays, whatever it is called."""

    __tablename__ = "code_list_entry"

    list_code: Mapped[str] = holds(Holds.CODE, sa.Text)
    code: Mapped[str] = holds(Holds.CODE, sa.Text)
    label: Mapped[str] = holds(Holds.LABEL, sa.Text)
    # what a return to others calls it
    official_code: Mapped[str | None] = holds(Holds.CODE, sa.Text)
    valid_from: Mapped[date] = holds(Holds.TIME, sa.Date)
    # its last day; the day before its first where it was taken back before it began
    valid_to: Mapped[date | None] = holds(Holds.TIME, sa.Date)
    # whose list it stands in: one of the two
    organisation_id: Mapped[UUID | None] = reference_to("organisation.id")
    partnership_id: Mapped[UUID | None] = reference_to("partnership.id")
    created_by: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)

    __table_args__ = (
        sa.CheckConstraint("num_nonnulls(organisation_id, partnership_id) = 1", name="one_keeper"),
        sa.CheckConstraint("valid_to >= valid_from - 1", name="ends_after_it_begins"),
        sa.CheckConstraint("code ~ '^[a-z0-9_]{1,60}$'", name="code"),
        sa.CheckConstraint("char_length(label) BETWEEN 1 AND 200", name="label"),
        # no code is called two things on one day
        ExcludeConstraint(
            ("list_code", "="),
            ("code", "="),
            (sa.text("coalesce(organisation_id, partnership_id)"), "="),
            (sa.text("daterange(valid_from, valid_to + 1)"), "&&"),
            name="ex_code_list_entry_one_at_a_time",
            using="gist",
        ),
        sa.Index("ix_code_list_entry_keeper", "list_code", "organisation_id", "partnership_id"),
    )
