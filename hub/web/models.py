"""Tables of the web layer: drafts that survive a time-out, forms that act once, and throttles."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from hub.core.schema import TIMESTAMP, Base, Holds, Keyed, holds, reference_to


class Draft(Keyed, Base):
    """What a user has typed into one form and not yet saved, sealed under the partnership's key."""

    __tablename__ = "draft"

    user_id: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    partnership_id: Mapped[UUID] = reference_to("partnership.id")
    form: Mapped[str] = holds(Holds.CODE, sa.Text)
    sealed: Mapped[bytes] = holds(Holds.SEALED, sa.LargeBinary)
    updated_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (sa.UniqueConstraint("user_id", "form"),)


class Submission(Base):
    """A form that has been carried out: sent again with the same key, it only leads to where the first one led."""

    __tablename__ = "submission"

    key: Mapped[UUID] = holds(Holds.KEY, sa.Uuid, primary_key=True)
    user_id: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    endpoint: Mapped[str] = holds(Holds.CODE, sa.Text)
    location: Mapped[str] = holds(Holds.REFERENCE, sa.Text, default="")
    submitted_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (sa.Index("ix_submission_submitted_at", "submitted_at"),)


class Throttle(Base):
    """How often something was tried in the window that ends at `expires_at`. Unlogged: a crash may forget it."""

    __tablename__ = "throttle"

    key: Mapped[bytes] = holds(Holds.SECRET, sa.LargeBinary, primary_key=True)
    tries: Mapped[int] = holds(Holds.COUNT, sa.Integer)
    expires_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = ({"prefixes": ["UNLOGGED"]},)
