"""Attaches a file to a record, and refuses one. How a file gets into the store is in `hub.attachments.storing`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actions import item_of
from hub.access.actor import Actor
from hub.access.models import Record
from hub.access.permissions import Permission
from hub.access.queries import check_may_add
from hub.access.vocabulary import Marking, RecordKind, Section
from hub.attachments.file_policy import policy_of
from hub.attachments.limits import room_for
from hub.attachments.models import Attachment
from hub.attachments.storing import incoming, store
from hub.attachments.vocabulary import DocumentKind
from hub.audit.recording import StoredFile, append
from hub.cases.models import Case
from hub.cases.vocabulary import ENDED, CaseStatus
from hub.core.errors import Conflict, Denied, NotVisible
from hub.extensions import db
from hub.notifications.actions import notify
from hub.notifications.vocabulary import NotificationKind


def attach(
    actor: Actor,
    record_id: UUID,
    *,
    name: str,
    kind: DocumentKind,
    description: str,
    media_type: str,
    blocks: Iterable[bytes],
    marking: Marking | None = None,
    announced: int = 1,
) -> Attachment:
    """Seals, stores and writes down a file; the caller commits. `media_type` is the sender's claim: the content decides.
    So is `announced`, its size: what claims to be too large is refused unread, and what comes is counted.

    `Invalid` for a file that is not taken, `Conflict` where the record takes none now, `Unavailable` without the store.
    May only be called with nothing uncommitted in the session.
    """
    record = _check_may_attach(actor, record_id, marking)
    room_for(actor, record.partnership_id).check(announced)
    file = incoming(record.partnership_id, record_id, name, blocks)
    return store(actor, file, partial(_keep, actor, record_id, kind, description, marking))


def refuse_file(actor: Actor, record_id: UUID, why: str) -> None:
    """Writes down that a file was not taken. The caller commits."""
    actor.check_may(Permission.FILE_ATTACH)
    append(actor, "attachment.refused", outcome="denied", object_id=record_id, facts={"why": why})


def _check_may_attach(actor: Actor, record_id: UUID, marking: Marking | None) -> Record:
    actor.check_may(Permission.FILE_ATTACH)
    session = db.session()
    check_may_add(actor, record_id, Section.FILES, session=session)
    record = session.scalar(sa.select(Record).where(Record.id == record_id))
    if record is None:
        raise NotVisible
    if marking is not None and marking > actor.clearance:
        raise Denied("above_clearance", "You cannot give a marking that is above your own clearance.")
    if record.kind == RecordKind.CASE:
        status = session.scalar(sa.select(Case.status).where(Case.id == record_id))
        if status is None or CaseStatus(status) in ENDED:
            raise Conflict("case_ended", "This case is closed, so no file can be added. Reopen it first.")
    most = policy_of(record.partnership_id).max_files
    files = sa.select(Attachment.id).where(Attachment.record_id == record_id).limit(most).subquery()
    if (session.scalar(sa.select(sa.func.count()).select_from(files)) or 0) >= most:
        raise Conflict("too_many_files", f"This record holds {most:,} files, which is as many as it can.")
    return record


def _keep(
    actor: Actor,
    record_id: UUID,
    kind: DocumentKind,
    description: str,
    wanted: Marking | None,
    columns: dict[str, Any],
) -> Attachment:
    """The attachment's row, in the caller's transaction, after the right has been checked again."""
    record = _check_may_attach(actor, record_id, wanted)
    marking = Marking(record.marking) if wanted is None else wanted
    attachment = Attachment(
        **columns,
        **item_of(actor, record, Section.FILES, marking=marking),
        kind=kind.value,
        description=description,
    )
    db.session.add(attachment)
    db.session.flush()
    append(
        actor,
        "attachment.added",
        object_id=attachment.id,
        version=attachment.version,
        records=[record_id],
        file=StoredFile(attachment.id, attachment.stored_size, attachment.stored_sha256),
        facts={"kind": kind.value},
    )
    _tell_lead(actor, record)
    return attachment


def _tell_lead(actor: Actor, record: Record) -> None:
    """A partner's file on a case is told to its lead officer."""
    if record.kind != RecordKind.CASE or record.owner_organisation_id == actor.organisation_id:
        return
    officer = db.session.scalar(sa.select(Case.lead_officer_id).where(Case.id == record.id))
    if officer is not None:
        address = f"/cases/{record.id}/files"
        notify(actor, [officer], NotificationKind.FILE_ADDED, reference=record.reference, address=address)
