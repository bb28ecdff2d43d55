"""Reads of attachments: the files of a record, and one file as a stream of verified plaintext."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from flask import Flask, current_app

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.access.queries import right_to
from hub.accounts.queries import organisation_names, user_names
from hub.attachments.models import Attachment
from hub.attachments.releasing import FileMeta, OpenedAttachment, Released, note_unsound, releasable
from hub.attachments.vocabulary import DOCUMENT_KIND_LABELS, DocumentKind, ScanState
from hub.audit.reading import Shown, opened
from hub.audit.recording import Basis, StoredFile, append
from hub.core.errors import Conflict, NotVisible, Unavailable
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.crypto import keyring, wrapping
from hub.crypto.errors import Unsealable
from hub.crypto.stream import attachment_context, decrypt_chunks, plaintext_length
from hub.extensions import db
from hub.storage.errors import ObjectChanged, ObjectMissing
from hub.web.store import object_store

UNREADABLE_NAME = "A file whose name cannot be read"
UNSOUND = (
    "This file failed its integrity check: what is stored is not what was attached. Nothing of it was sent, and it has"
    " been written down. Tell your administrator."
)


@dataclass(frozen=True)
class FileRow:
    """One file as a list shows it."""

    id: UUID
    record_id: UUID
    name: str
    kind: str
    description: str
    media_type: str
    size: int
    sha256: str
    marking: int
    scan_state: ScanState
    at: datetime
    by: str
    organisation: str
    releasable: bool

    @property
    def href(self) -> str:
        return f"/cases/{self.record_id}/files/{self.id}"


def find_attachments(
    actor: Actor, record_id: UUID, *, kind: DocumentKind | None = None, cursor: Cursor | None = None
) -> Page[FileRow]:
    """The files of one record that the actor may read, newest first. The page that shows them logs the reading."""
    wanted = sa.select(Attachment).where(Attachment.record_id == record_id)
    if kind is not None:
        wanted = wanted.where(Attachment.kind == kind.value)
    if cursor is not None:
        last = sa.tuple_(sa.literal(cursor.at), sa.literal(cursor.id))
        wanted = wanted.where(sa.tuple_(Attachment.contributed_at, Attachment.id) < last)
    wanted = wanted.order_by(Attachment.contributed_at.desc(), Attachment.id.desc()).limit(PAGE_SIZE + 1)
    found = db.session.scalars(wanted).all()
    shown = found[:PAGE_SIZE]
    people = user_names(one.contributed_by for one in shown)
    organisations = organisation_names(one.contributor_organisation_id for one in shown)
    rows = [
        FileRow(
            id=one.id,
            record_id=one.record_id,
            name=_name_of(one),
            kind=DOCUMENT_KIND_LABELS[DocumentKind(one.kind)],
            description=one.description,
            media_type=one.media_type,
            size=one.size,
            sha256=one.sha256,
            marking=one.item_marking,
            scan_state=ScanState(one.scan_state),
            at=one.contributed_at,
            by=people.get(one.contributed_by, ""),
            organisation=organisations.get(one.contributor_organisation_id, ""),
            releasable=releasable(one.scan_state),
        )
        for one in shown
    ]
    following = str(Cursor(rows[-1].at, rows[-1].id)) if len(found) > PAGE_SIZE else None
    return Page(rows, following)


def open_attachment(actor: Actor, record_id: UUID, attachment_id: UUID) -> OpenedAttachment:
    """Opens one file of one record: the event is committed before the first byte is fetched.

    `NotVisible` where it is hidden or belongs to another record, `Conflict` where the scan does not allow it, and
    `Unavailable` where the store does not answer or what it holds is not what was stored.
    """
    actor.check_may(Permission.FILE_DOWNLOAD)
    found = db.session.execute(
        sa.select(Attachment.id, Attachment.scan_state).where(
            Attachment.id == attachment_id, Attachment.record_id == record_id
        )
    ).one_or_none()
    if found is None:
        opened(actor, "attachment.downloaded", attachment_id, None)
        raise NotVisible
    if not releasable(found.scan_state):
        append(actor, "attachment.downloaded", outcome="denied", object_id=attachment_id, records=[record_id])
        db.session.commit()
        raise Conflict(
            "not_scanned", "This file has not been found free of malware, so it cannot be downloaded."
        )
    shown = Shown(records=[record_id], basis=_basis(actor, record_id), version=1)
    opened(actor, "attachment.downloaded", attachment_id, shown)
    row = db.session.scalar(
        sa.select(Attachment).where(Attachment.id == attachment_id, Attachment.record_id == record_id)
    )
    if row is None:  # taken away between the two steps
        append(
            actor, "attachment.downloaded", outcome="withheld", object_id=attachment_id, records=[record_id]
        )
        db.session.commit()
        raise NotVisible
    return _release(actor, row)


def _basis(actor: Actor, record_id: UUID) -> Basis:
    right = right_to(actor, record_id, session=db.session())
    if right is None:  # the share has ended, and one's own contribution stays readable
        return Basis("contribution")
    grant = right.grant
    return Basis(right.via, grant.agreement_id, grant.id) if grant else Basis(right.via)


def _name_of(row: Attachment) -> str:
    held = keyring.data_key(db.session(), row.partnership_id, row.record_id)
    try:
        return wrapping.open_text(held.key, row.sealed_name, purpose="file-name", ids=(row.id,))
    except Unsealable:
        return UNREADABLE_NAME


def _release(actor: Actor, row: Attachment) -> OpenedAttachment:
    stored = StoredFile(row.id, row.stored_size, row.stored_sha256)
    meta = FileMeta(row.id, row.record_id, _name_of(row), row.media_type, row.size, row.sha256, stored)
    application: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    try:
        held = keyring.key_by_id(db.session(), row.data_key_id)
        key = wrapping.unwrap(held.key, row.wrapped_key, purpose="file", ids=(row.id, str(row.version)))
        if plaintext_length(row.stored_size) != row.size:
            raise Unsealable
        sealed = object_store().stream(row.object_key, row.object_version or None, row.stored_size)
        plain = decrypt_chunks(key, attachment_context(row.partnership_id, row.id, row.version), sealed)
        # the header and the first chunk are verified before anything is promised to the reader
        first = next(plain, b"")
    except (Unsealable, ObjectChanged, ObjectMissing) as error:
        note_unsound(application, actor, meta)
        raise Unavailable("file_unsound", UNSOUND) from error
    db.session.commit()
    return OpenedAttachment(meta, Released(application, actor, meta, first, plain))
