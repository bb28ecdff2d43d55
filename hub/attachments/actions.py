"""Attaches a file to a record: sealed as it streams in, stored, and only then written down.

The one exception to "flush, never commit": no transaction is held over a stream, so `attach` commits twice before the
caller does. First the ledger's row, before the first byte goes to the store; the attachment's own row comes last, after
the right has been checked again. Whatever fails in between leaves no row, and an object that the sweep finds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from uuid import UUID

import sqlalchemy as sa
import structlog
from flask import current_app

from hub.access.actions import item_of
from hub.access.actor import Actor
from hub.access.models import Record
from hub.access.permissions import Permission
from hub.access.queries import check_may_add
from hub.access.vocabulary import Marking, RecordKind, Section
from hub.attachments.limits import MAX_FILES, max_bytes, too_large
from hub.attachments.models import Attachment, StoredObject
from hub.attachments.naming import clean_name
from hub.attachments.types import PEEK_BYTES, check_type
from hub.attachments.vocabulary import DocumentKind, ScanState
from hub.audit.reading import UncommittedWork
from hub.audit.recording import StoredFile, append
from hub.cases.models import Case
from hub.cases.vocabulary import ENDED, CaseStatus
from hub.core import clock
from hub.core.errors import Conflict, Denied, Invalid, NotVisible, Unavailable
from hub.core.ids import new_id
from hub.crypto import keyring, wrapping
from hub.crypto.randomness import new_key
from hub.crypto.stream import attachment_context, encrypt_chunks
from hub.extensions import db
from hub.notifications.actions import notify
from hub.notifications.vocabulary import NotificationKind
from hub.storage import uploads
from hub.storage.s3 import new_object_key
from hub.web.store import object_store

VERSION = 1

log = structlog.get_logger("hub.attachments")


@dataclass(frozen=True)
class _File:
    """One file on its way: what is known before its first byte is stored."""

    record_id: UUID
    partnership_id: UUID
    name: str
    kind: DocumentKind
    description: str
    marking: Marking | None
    media_type: str
    id: UUID = field(default_factory=new_id)
    object_key: str = field(default_factory=new_object_key)
    key: bytes = field(default_factory=new_key, repr=False)

    @property
    def context(self) -> bytes:
        return attachment_context(self.partnership_id, self.id, VERSION)


class _Measured:
    """The blocks as they pass: hashed, counted, and stopped at the first byte over the limit."""

    def __init__(self, blocks: Iterable[bytes], limit: int) -> None:
        self.blocks = blocks
        self.limit = limit
        self.digest = hashlib.sha256()
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for block in self.blocks:
            self.size += len(block)
            if self.size > self.limit:
                raise too_large(self.limit)
            self.digest.update(block)
            yield block


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
) -> Attachment:
    """Seals, stores and writes down a file; the caller commits. `media_type` is the sender's claim: the content decides.

    `Invalid` for a file that is not taken, `Conflict` where the record takes none now, `Unavailable` without the store.
    May only be called with nothing uncommitted in the session.
    """
    if db.session.new or db.session.dirty or db.session.deleted:
        raise UncommittedWork("a file may not be attached with uncommitted work in the session")
    record = _check_may_attach(actor, record_id, marking)
    name = clean_name(name)
    head, blocks = _peek(blocks)
    if not head:
        raise Invalid("file_empty", errors={"file": "The file is empty"})
    checked = check_type(name, head)
    file = _File(record_id, record.partnership_id, name, kind, description, marking, checked)
    _announce(actor, file)
    measured = _Measured(blocks, max_bytes())
    kept = False
    try:
        stored = object_store().put_stream(file.object_key, encrypt_chunks(file.key, file.context, measured))
        attachment = _keep(actor, file, measured, stored)
        kept = True
    finally:
        if not kept:
            _take_back(file.object_key)
    return attachment


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
    files = sa.select(Attachment.id).where(Attachment.record_id == record_id).limit(MAX_FILES).subquery()
    if (session.scalar(sa.select(sa.func.count()).select_from(files)) or 0) >= MAX_FILES:
        raise Conflict(
            "too_many_files", f"This record holds {MAX_FILES:,} files, which is as many as it can."
        )
    return record


def _peek(blocks: Iterable[bytes]) -> tuple[bytes, Iterable[bytes]]:
    """The first bytes, and the whole again."""
    source = iter(blocks)
    begun: list[bytes] = []
    size = 0
    while size < PEEK_BYTES and (block := next(source, None)) is not None:
        begun.append(block)
        size += len(block)
    return b"".join(begun)[:PEEK_BYTES], chain(begun, source)


def _announce(actor: Actor, file: _File) -> None:
    """The ledger's row, committed before the store hears of the object; and the record's key, so that none is made later."""
    keyring.data_key(db.session(), file.partnership_id, file.record_id)
    db.session.execute(
        sa.insert(StoredObject).values(
            object_key=file.object_key, organisation_id=actor.organisation_id, begun_at=clock.now()
        )
    )
    db.session.commit()


def _keep(actor: Actor, file: _File, measured: _Measured, stored: uploads.StoredObject) -> Attachment:
    """The attachment's row, in the caller's transaction, after the right has been checked again."""
    record = _check_may_attach(actor, file.record_id, file.marking)
    held = keyring.data_key(db.session(), file.partnership_id, file.record_id)
    marking = Marking(record.marking) if file.marking is None else file.marking
    attachment = Attachment(
        id=file.id,
        **item_of(actor, record, Section.FILES, marking=marking),
        version=VERSION,
        sealed_name=wrapping.seal_text(held.key, file.name, purpose="file-name", ids=(file.id,)),
        kind=file.kind.value,
        description=file.description,
        media_type=file.media_type,
        size=measured.size,
        sha256=measured.digest.hexdigest(),
        stored_size=stored.size,
        stored_sha256=stored.sha256,
        object_key=file.object_key,
        object_version=stored.version_id or "",
        data_key_id=held.id,
        wrapped_key=wrapping.wrap(held.key, file.key, purpose="file", ids=(file.id, str(VERSION))),
        scan_state=_first_scan_state().value,
    )
    db.session.add(attachment)
    db.session.flush()
    _mark_kept(file.object_key)
    append(
        actor,
        "attachment.added",
        object_id=file.id,
        version=VERSION,
        records=[file.record_id],
        file=StoredFile(file.id, stored.size, stored.sha256),
        facts={"kind": file.kind.value},
    )
    _tell_lead(actor, record)
    return attachment


def _first_scan_state() -> ScanState:
    """A demonstration has no scanner and says so on every file; elsewhere a file waits until one has seen it."""
    return ScanState.NOT_SCANNED if current_app.config["HUB_SETTINGS"].demo else ScanState.PENDING


def _mark_kept(object_key: str) -> None:
    loose = sa.and_(StoredObject.object_key == object_key, StoredObject.removed_at.is_(None))
    kept = sa.update(StoredObject).where(loose).values(kept_at=clock.now()).returning(StoredObject.object_key)
    if db.session.execute(kept).scalar() is None:
        raise Conflict("swept", "The upload took so long that it was given up. Nothing was saved. Try again.")


def _tell_lead(actor: Actor, record: Record) -> None:
    """A partner's file on a case is told to its lead officer."""
    if record.kind != RecordKind.CASE or record.owner_organisation_id == actor.organisation_id:
        return
    officer = db.session.scalar(sa.select(Case.lead_officer_id).where(Case.id == record.id))
    if officer is not None:
        address = f"/cases/{record.id}/files"
        notify(actor, [officer], NotificationKind.FILE_ADDED, reference=record.reference, address=address)


def _take_back(object_key: str) -> None:
    """Best effort: what this misses the sweep finds."""
    db.session.rollback()
    try:
        object_store().delete(object_key, None)
    except Unavailable as error:
        log.warning("object_left_behind", kind=error.code)
