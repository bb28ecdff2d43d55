"""Tables of directories: who may provision for an organisation, and what its directory calls our users and teams."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from hub.core.schema import TIMESTAMP, Base, Holds, Keyed, holds, reference_to


class Directory(Keyed, Base):
    """A token by which an organisation's directory provisions accounts in one partnership. It is stored as a hash."""

    __tablename__ = "directory"

    organisation_id: Mapped[UUID] = reference_to("organisation.id")
    partnership_id: Mapped[UUID] = reference_to("partnership.id")
    token_hash: Mapped[bytes] = holds(Holds.SECRET, sa.LargeBinary, unique=True)
    made_by: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    last_used_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    expires_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    ended_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (sa.Index("ix_directory_organisation", "organisation_id"),)


class DirectoryLink(Base):
    """What an organisation's directory calls one of our users or teams."""

    __tablename__ = "directory_link"

    # the user's or the team's
    id: Mapped[UUID] = holds(Holds.KEY, sa.Uuid, primary_key=True)
    organisation_id: Mapped[UUID] = reference_to("organisation.id")
    external_id: Mapped[str | None] = holds(Holds.STAFF, sa.Text)
    # when the directory changed it last, and when it deleted it: from then on the directory does not find it any more
    changed_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    gone_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (sa.Index("ix_directory_link_organisation", "organisation_id"),)
