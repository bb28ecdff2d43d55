"""What files a partnership takes: which of the built-in types, how large, how many. It can narrow what the hub takes, never widen it.

Set by an administrator, from a moment on; the rules of before stay in the table. Without any, the hub's own hold.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.attachments.types import TAKEN
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Invalid
from hub.core.schema import TEXT_ARRAY, TIMESTAMP, Base, Holds, Keyed, holds, reference_to
from hub.extensions import db

MAX_FILES = 1000
GIB = 1024
# in MiB: what stands where no administrator has set anything
MAX_MIB = 4 * GIB
USER_QUOTA_MIB = 50 * GIB
ORGANISATION_QUOTA_MIB = 1024 * GIB


class FilePolicy(Keyed, Base):
    """One partnership's rules for files from a moment on. The latest that has begun holds."""

    __tablename__ = "file_policy"

    partnership_id: Mapped[UUID] = reference_to("partnership.id")
    extensions: Mapped[list[str]] = holds(Holds.CODE, TEXT_ARRAY)
    max_mib: Mapped[int] = holds(Holds.COUNT, sa.Integer)
    user_quota_mib: Mapped[int] = holds(Holds.COUNT, sa.Integer)
    organisation_quota_mib: Mapped[int] = holds(Holds.COUNT, sa.Integer)
    max_files: Mapped[int] = holds(Holds.COUNT, sa.Integer)
    effective_from: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    set_by: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)

    __table_args__ = (
        sa.CheckConstraint("cardinality(extensions) > 0", name="takes_something"),
        sa.CheckConstraint(
            "max_mib > 0 AND user_quota_mib > 0 AND organisation_quota_mib > 0 AND max_files > 0",
            name="takes_some",
        ),
        sa.Index("ix_file_policy_current", "partnership_id", "effective_from"),
    )


@dataclass(frozen=True)
class FileRules:
    """The rules in force. All sizes in MiB; a deployment's own limit on one file holds besides."""

    extensions: frozenset[str] = frozenset(TAKEN)
    max_mib: int = MAX_MIB
    user_quota_mib: int = USER_QUOTA_MIB
    organisation_quota_mib: int = ORGANISATION_QUOTA_MIB
    max_files: int = MAX_FILES
    effective_from: datetime | None = None
    set_by: UUID | None = None


def policy_of(partnership_id: UUID) -> FileRules:
    """The rules of a partnership now; the hub's own where it has set none."""
    held = db.session.scalars(
        sa.select(FilePolicy)
        .where(FilePolicy.partnership_id == partnership_id, FilePolicy.effective_from <= clock.now())
        .order_by(FilePolicy.effective_from.desc(), FilePolicy.id.desc())
        .limit(1)
    ).first()
    if held is None:
        return FileRules()
    return FileRules(
        extensions=frozenset(held.extensions) & frozenset(TAKEN),
        max_mib=held.max_mib,
        user_quota_mib=held.user_quota_mib,
        organisation_quota_mib=held.organisation_quota_mib,
        max_files=min(held.max_files, MAX_FILES),
        effective_from=held.effective_from,
        set_by=held.set_by,
    )


def check_taken_here(partnership_id: UUID, extension: str) -> None:
    """`Invalid` where the partnership has taken this type off its list."""
    if extension not in policy_of(partnership_id).extensions:
        raise Invalid(
            "file_not_here", errors={"file": f"Your partnership does not take files of the type .{extension}"}
        )


def set_policy(
    actor: Actor,
    *,
    extensions: Collection[str],
    max_mib: int,
    user_quota_mib: int,
    organisation_quota_mib: int,
    max_files: int,
) -> FilePolicy:
    """New rules for the actor's partnership, from now on. The caller commits."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    policy = FilePolicy(
        partnership_id=actor.partnership_id,
        extensions=sorted(set(extensions) & set(TAKEN)),
        max_mib=max_mib,
        user_quota_mib=user_quota_mib,
        organisation_quota_mib=organisation_quota_mib,
        max_files=max_files,
        effective_from=clock.now(),
        set_by=actor.user_id,
    )
    db.session.add(policy)
    db.session.flush()
    append(actor, "file_policy.set", object_id=policy.id, facts={"types": len(policy.extensions)})
    return policy
