"""A file on its way out: only what the scan allows, and only bytes that are verified."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import structlog
from flask import Flask, current_app

from hub.access.actor import Actor
from hub.access.guard import enter
from hub.attachments.models import Attachment, Paper
from hub.attachments.ranges import WHOLE, Asked, Span, tag_of
from hub.attachments.vocabulary import ScanState
from hub.audit.recording import StoredFile, append
from hub.core.errors import HubError, Unavailable
from hub.crypto import keyring, wrapping
from hub.crypto.errors import KeyDestroyed, Unsealable
from hub.crypto.stream import RangeReader, attachment_context, decrypt_chunks, plaintext_length
from hub.extensions import db
from hub.storage.errors import ObjectChanged, ObjectMissing
from hub.web.store import object_store

UNREADABLE_NAME = "A file whose name cannot be read"
ERASED_NAME = "A file that was erased"
UNSOUND = (
    "This file failed its integrity check: what is stored is not what was attached. Nothing of it was sent, and it has"
    " been written down. Tell your administrator."
)

log = structlog.get_logger("hub.attachments")


@dataclass(frozen=True)
class FileMeta:
    """What an opened file is: its own name and type, and its size in bytes."""

    id: UUID
    # none where it belongs to no record
    record_id: UUID | None
    name: str
    media_type: str
    size: int
    sha256: str
    stored: StoredFile
    # strong: the bytes of one version never change
    tag: str


@dataclass(frozen=True)
class OpenedAttachment:
    """A file, or a part of it, that may be read once: every byte of `blocks` is verified before it is given out."""

    meta: FileMeta
    # None where the range that was asked for lies outside the file
    span: Span | None
    blocks: Released


def name_of(row: Attachment | Paper, record_id: UUID | None) -> str:
    """The file's own name, under the key of its record or of the partnership."""
    try:
        held = keyring.data_key(db.session(), row.partnership_id, record_id)
        return wrapping.open_text(held.key, row.sealed_name, purpose="file-name", ids=(row.id,))
    except Unsealable:
        return UNREADABLE_NAME
    except KeyDestroyed:
        return ERASED_NAME


def release(
    actor: Actor, row: Attachment | Paper, record_id: UUID | None, asked: Asked = WHOLE
) -> OpenedAttachment:
    """The file, or what is asked of it, once its event stands in the log.

    `Unavailable` where what the store holds is not what was stored.
    """
    stored = StoredFile(row.id, row.stored_size, row.stored_sha256)
    tag = tag_of(row.id, row.version)
    meta = FileMeta(
        row.id, record_id, name_of(row, record_id), row.media_type, row.size, row.sha256, stored, tag
    )
    span = asked.of(row.size, tag)
    application: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    try:
        plain = _plain(row, span)
        # the header and the first chunk are verified before anything is promised to the reader
        first = next(plain, b"")
    except (Unsealable, ObjectChanged, ObjectMissing) as error:
        note_unsound(application, actor, meta)
        raise Unavailable("file_unsound", UNSOUND) from error
    db.session.commit()
    return OpenedAttachment(meta, span, Released(application, actor, meta, first, plain))


def _plain(row: Attachment | Paper, span: Span | None) -> Iterator[bytes]:
    """The verified plaintext of a part, or of the whole, of which nothing is fetched twice."""
    held = keyring.key_by_id(db.session(), row.data_key_id)
    key = wrapping.unwrap(held.key, row.wrapped_key, purpose="file", ids=(row.id, str(row.version)))
    context = attachment_context(row.partnership_id, row.id, row.version)
    if plaintext_length(row.stored_size) != row.size:
        raise Unsealable
    if span is None:
        return iter(())
    store, version = object_store(), row.object_version or None
    if not span.part:
        return decrypt_chunks(key, context, store.stream(row.object_key, version, row.stored_size))
    fetch = partial(store.read, row.object_key, version, whole=row.stored_size)
    return RangeReader(key, context, row.stored_size, fetch).read(span.first, span.beyond)


def releasable(state: str) -> bool:
    """Only what a scanner found clean leaves the hub; a demonstration has none and says so."""
    return state == ScanState.CLEAN or (
        state == ScanState.NOT_SCANNED and bool(current_app.config["HUB_SETTINGS"].demo)
    )


class Released:
    """The plaintext as it is verified. At the first byte that is not it ends with an error, and the log says so.

    It outlives the request that opened it, so it brings its own application context where it has to write.
    """

    def __init__(
        self, application: Flask, actor: Actor, meta: FileMeta, first: bytes, rest: Iterator[bytes]
    ) -> None:
        self.application = application
        self.actor = actor
        self.meta = meta
        self.first = first
        self.rest = rest

    def __iter__(self) -> Iterator[bytes]:
        try:
            if self.first:
                yield self.first
            yield from self.rest
        except (Unsealable, ObjectChanged, ObjectMissing):
            note_unsound(self.application, self.actor, self.meta)
            raise
        finally:
            self.close()

    def close(self) -> None:
        if isinstance(self.rest, Generator):
            self.rest.close()


def note_unsound(application: Flask, actor: Actor, meta: FileMeta) -> None:
    """Writes down, in a transaction of its own, that a stored file is not what was attached."""
    log.error("attachment_unsound", attachment=str(meta.id))
    with application.app_context():
        enter(db.session(), actor)
        try:
            append(
                actor,
                "attachment.unsound",
                outcome="error",
                object_id=meta.id,
                records=[meta.record_id] if meta.record_id else [],
                file=meta.stored,
            )
            db.session.commit()
        except HubError as error:  # the session may have ended meanwhile; the service's own log has it
            log.error("attachment_unsound_not_logged", attachment=str(meta.id), kind=error.code)
