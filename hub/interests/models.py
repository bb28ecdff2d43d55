"""Declared interests: people, surnames and addresses that a user must not look up. The database turns them into exclusions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from hub.core.schema import TIMESTAMP, Base, Holds, Keyed, Revised, holds, one_of, reference_to
from hub.interests.vocabulary import InterestKind, Relation


class DeclaredInterest(Keyed, Revised, Base):
    """Itself confidential: read by the user and by the supervisors of their organisation."""

    __tablename__ = "declared_interest"

    user_id: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    organisation_id: Mapped[UUID] = reference_to("organisation.id")
    kind: Mapped[str] = holds(Holds.CODE, sa.Text)
    relation: Mapped[str] = holds(Holds.CODE, sa.Text)
    given_names: Mapped[str] = holds(Holds.NAME, sa.Text, default="")
    family_name: Mapped[str] = holds(Holds.NAME, sa.Text, default="")
    date_of_birth: Mapped[str] = holds(Holds.PERSONAL, sa.Text, default="")
    address: Mapped[str] = holds(Holds.PERSONAL, sa.Text, default="")
    postcode: Mapped[str] = holds(Holds.PERSONAL, sa.Text, default="")
    # the family name or the address, folded by the database as it folds the names that it compares with it
    words: Mapped[str] = holds(Holds.NAME, sa.Text, default="")
    ended_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    ended_by: Mapped[UUID | None] = reference_to("app_user.id", what=Holds.STAFF)

    __table_args__ = (
        one_of("kind", InterestKind),
        one_of("relation", Relation),
        sa.CheckConstraint("words <> ''", name="something_to_match"),
        sa.CheckConstraint("kind <> 'person' OR given_names <> ''", name="person_with_both_names"),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_pair"),
        sa.CheckConstraint("ended_by IS NULL OR ended_by <> user_id", name="ended_by_another"),
        sa.Index("ix_declared_interest_user", "user_id"),
        sa.Index("ix_declared_interest_words", "words", postgresql_where=sa.text("ended_at IS NULL")),
    )


class StoppedLook(Keyed, Base):
    """That a look of a user's met a declared interest, not at what: until the worker has told the supervisors of it.

    Written and taken by the database's functions alone, so that the answer to the look takes as long as any refusal.
    """

    __tablename__ = "stopped_look"

    user_id: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    organisation_id: Mapped[UUID] = reference_to("organisation.id")
    partnership_id: Mapped[UUID] = reference_to("partnership.id")
