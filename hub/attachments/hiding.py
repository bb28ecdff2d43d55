"""Hides a file with a reason and restores it. Nothing is deleted; a file under legal hold is not hidden. Flush, never commit."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.access.queries import right_to
from hub.access.sets import Expression
from hub.attachments.changing import load_own_for_change
from hub.attachments.models import Attachment
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Conflict
from hub.extensions import db

HELD = "This file is under legal hold, so it cannot be hidden. The hold must be lifted first."
HIDDEN = "This file is hidden, so it cannot be downloaded. Whoever added it can restore it."
# raised by the database, which sees every hold, whoever hides
_HELD = "ck_attachment_held"


def hide_file(
    actor: Actor, record_id: UUID, attachment_id: UUID, *, reason: str, revision: int | None = None
) -> Attachment:
    """Takes a file out of the list. `Conflict` where it is held or hidden already."""
    actor.check_may(Permission.FILE_CHANGE)
    row = load_own_for_change(actor, record_id, attachment_id, revision=revision)
    if row.hidden_at is not None:
        raise Conflict("hidden_already", "This file is hidden already.")
    row.hidden_at, row.hidden_by, row.hidden_reason = clock.now(), actor.user_id, reason
    try:
        db.session.flush()
    except IntegrityError as error:
        if getattr(getattr(error.orig, "diag", None), "constraint_name", None) != _HELD:
            raise
        db.session.rollback()
        raise Conflict("held", HELD) from error
    _tell(actor, "attachment.hidden", row, reason)
    return row


def restore_file(
    actor: Actor, record_id: UUID, attachment_id: UUID, *, reason: str, revision: int | None = None
) -> Attachment:
    """Puts a hidden file back into the list. `Conflict` where it is not hidden."""
    actor.check_may(Permission.FILE_CHANGE)
    row = load_own_for_change(actor, record_id, attachment_id, revision=revision)
    if row.hidden_at is None:
        raise Conflict("not_hidden", "This file is not hidden.")
    row.hidden_at, row.hidden_by, row.hidden_reason = None, None, ""
    db.session.flush()
    _tell(actor, "attachment.restored", row, reason)
    return row


def _tell(actor: Actor, act: str, row: Attachment, reason: str) -> None:
    append(
        actor,
        act,
        object_id=row.id,
        version=row.version,
        records=[row.record_id],
        texts={"reason": reason},
        key_of=row.record_id,
    )


def sees_hidden(actor: Actor, record_id: UUID) -> Expression:
    """Of hidden files one sees those of one's own organisation, and all where one leads the record."""
    right = right_to(actor, record_id, session=db.session())
    if right is not None and right.leads:
        return sa.true()
    return Attachment.contributor_organisation_id == actor.organisation_id
