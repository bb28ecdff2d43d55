"""Attaches a file to a record, replaces one, and refuses one. How a file gets into the store is in `hub.attachments.storing`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actions import item_of
from hub.access.actor import Actor
from hub.access.models import Record
from hub.access.permissions import Permission
from hub.access.queries import check_may_add
from hub.access.vocabulary import Audience, Marking, RecordKind, Section
from hub.attachments.changing import check_audience, check_case_live, load_own_for_change
from hub.attachments.file_policy import policy_of
from hub.attachments.forms import FileDetails
from hub.attachments.limits import room_for
from hub.attachments.models import Attachment
from hub.attachments.storing import incoming, store
from hub.attachments.vocabulary import DocumentKind
from hub.audit.recording import StoredFile, append
from hub.cases.models import Case
from hub.core import clock
from hub.core.errors import Conflict, Denied, NotVisible
from hub.extensions import db
from hub.notifications.actions import notify
from hub.notifications.vocabulary import NotificationKind

REPLACED = "Somebody has replaced this file already. Look at the newest version, then decide."
HIDDEN = "This file is hidden. Restore it first."


@dataclass(frozen=True)
class _Wanted:
    """What is said of a file that comes in, and what it replaces."""

    kind: DocumentKind
    description: str
    marking: Marking | None
    details: FileDetails
    replaces: UUID | None = None
    reason: str = ""
    version: int = 1


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
    details: FileDetails | None = None,
    announced: int = 1,
) -> Attachment:
    """Seals, stores and writes down a file; the caller commits. `media_type` is the sender's claim: the content decides.
    So is `announced`, its size: what claims to be too large is refused unread, and what comes is counted.

    `Invalid` for a file that is not taken, `Conflict` where the record takes none now, `Unavailable` without the store.
    May only be called with nothing uncommitted in the session.
    """
    wanted = _Wanted(kind, description, marking, details or FileDetails())
    return _take_in(actor, record_id, wanted, name, blocks, announced)


def replace_file(
    actor: Actor,
    record_id: UUID,
    attachment_id: UUID,
    *,
    name: str,
    reason: str,
    blocks: Iterable[bytes],
    announced: int = 1,
) -> Attachment:
    """A new version beside the old one, which stays as it was. As `attach`; only for the file's own organisation.

    `Conflict` where it was replaced or hidden meanwhile.
    """
    actor.check_may(Permission.FILE_CHANGE)
    old = _replaceable(actor, record_id, attachment_id)
    wanted = _Wanted(
        DocumentKind(old.kind),
        old.description,
        Marking(old.item_marking),
        FileDetails(
            old.taken_on,
            old.source,
            old.exhibit,
            Section(old.section),
            Audience(old.audience) if old.audience else None,
        ),
        attachment_id,
        reason,
        old.version + 1,
    )
    # the lock goes with this: none is held over the stream
    db.session.rollback()
    return _take_in(actor, record_id, wanted, name, blocks, announced)


def refuse_file(actor: Actor, record_id: UUID, why: str) -> None:
    """Writes down that a file was not taken. The caller commits."""
    actor.check_may(Permission.FILE_ATTACH)
    append(actor, "attachment.refused", outcome="denied", object_id=record_id, facts={"why": why})


def _take_in(
    actor: Actor, record_id: UUID, wanted: _Wanted, name: str, blocks: Iterable[bytes], announced: int
) -> Attachment:
    record = _check_may_attach(actor, record_id, wanted)
    room_for(actor, record.partnership_id).check(announced)
    file = incoming(record.partnership_id, record_id, name, blocks, version=wanted.version)
    return store(actor, file, partial(_keep, actor, record_id, wanted))


def _replaceable(actor: Actor, record_id: UUID, attachment_id: UUID) -> Attachment:
    old = load_own_for_change(actor, record_id, attachment_id)
    if old.superseded_at is not None:
        raise Conflict("replaced_already", REPLACED)
    if old.hidden_at is not None:
        raise Conflict("hidden", HIDDEN)
    return old


def _check_may_attach(actor: Actor, record_id: UUID, wanted: _Wanted) -> Record:
    actor.check_may(Permission.FILE_ATTACH)
    session = db.session()
    check_may_add(actor, record_id, wanted.details.section, session=session)
    record = session.scalar(sa.select(Record).where(Record.id == record_id))
    if record is None:
        raise NotVisible
    if wanted.marking is not None and wanted.marking > actor.clearance:
        raise Denied("above_clearance", "You cannot give a marking that is above your own clearance.")
    check_audience(actor, wanted.details.audience)
    check_case_live(record, "so no file can be added")
    most = policy_of(record.partnership_id).max_files
    files = sa.select(Attachment.id).where(Attachment.record_id == record_id).limit(most).subquery()
    if (session.scalar(sa.select(sa.func.count()).select_from(files)) or 0) >= most:
        raise Conflict("too_many_files", f"This record holds {most:,} files, which is as many as it can.")
    return record


def _keep(actor: Actor, record_id: UUID, wanted: _Wanted, columns: dict[str, Any]) -> Attachment:
    """The attachment's row, in the caller's transaction, after the right has been checked again."""
    record = _check_may_attach(actor, record_id, wanted)
    if wanted.replaces is not None:
        _replaceable(actor, record_id, wanted.replaces).superseded_at = clock.now()
    details = wanted.details
    attachment = Attachment(
        **columns,
        **item_of(
            actor,
            record,
            details.section,
            marking=Marking(record.marking) if wanted.marking is None else wanted.marking,
            audience=details.audience.value if details.audience else None,
        ),
        kind=wanted.kind.value,
        description=wanted.description,
        taken_on=details.taken_on,
        source=details.source,
        exhibit=details.exhibit,
        replaces_id=wanted.replaces,
        replaced_reason=wanted.reason,
    )
    db.session.add(attachment)
    db.session.flush()
    _tell(actor, attachment)
    _tell_lead(actor, record)
    return attachment


def _tell(actor: Actor, attachment: Attachment) -> None:
    """The event of the new file, or of the new version with what it replaces and why."""
    file = StoredFile(attachment.id, attachment.stored_size, attachment.stored_sha256)
    if attachment.replaces_id is None:
        append(
            actor,
            "attachment.added",
            object_id=attachment.id,
            version=attachment.version,
            records=[attachment.record_id],
            file=file,
            facts={"kind": attachment.kind, "original": attachment.sha256},
        )
        return
    append(
        actor,
        "attachment.replaced",
        object_id=attachment.id,
        version=attachment.version,
        records=[attachment.record_id],
        file=file,
        facts={
            "kind": attachment.kind,
            "original": attachment.sha256,
            "replaces": attachment.replaces_id,
        },
        texts={"reason": attachment.replaced_reason},
        key_of=attachment.record_id,
    )


def _tell_lead(actor: Actor, record: Record) -> None:
    """A partner's file on a case is told to its lead officer."""
    if record.kind != RecordKind.CASE or record.owner_organisation_id == actor.organisation_id:
        return
    officer = db.session.scalar(sa.select(Case.lead_officer_id).where(Case.id == record.id))
    if officer is not None:
        address = f"/cases/{record.id}/files"
        notify(actor, [officer], NotificationKind.FILE_ADDED, reference=record.reference, address=address)
