"""A file on its way into the store: sealed as it streams in, stored, and only then written down by whoever keeps its row.

The one exception to "flush, never commit": no transaction is held over a stream, so storing commits twice before the caller
does. First the ledger's row, before the first byte goes to the store; the file's own row comes last, after the right has
been checked again. Whatever fails in between leaves no row, and an object that the sweep finds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
import structlog
from flask import current_app

from hub.access.actor import Actor
from hub.attachments.file_policy import check_taken_here
from hub.attachments.limits import Room, room_for
from hub.attachments.models import StoredObject
from hub.attachments.naming import clean_name, extension_of
from hub.attachments.sealed_reader import open_sealed
from hub.attachments.types import PEEK_BYTES, TAKEN, Taken, check_type
from hub.attachments.vocabulary import ScanState
from hub.audit.reading import UncommittedWork
from hub.config import Settings
from hub.core import clock
from hub.core.errors import Conflict, Invalid, Unavailable
from hub.core.ids import new_id
from hub.crypto import keyring, wrapping
from hub.crypto.errors import Unsealable
from hub.crypto.randomness import new_key
from hub.crypto.stream import attachment_context, encrypt_chunks
from hub.extensions import db
from hub.inspection.inspecting import TEXTS, inspect
from hub.inspection.text import watched
from hub.storage import uploads
from hub.storage.errors import ObjectChanged, ObjectMissing
from hub.storage.s3 import new_object_key
from hub.web.store import object_store

NOT_READ_BACK = (
    "The file could not be read back from the store as it was sent. Nothing was kept. Try again in a minute."
)
Row = TypeVar("Row")

log = structlog.get_logger("hub.attachments")


@dataclass(frozen=True)
class Incoming:
    """What is known of a file before its first byte is stored. Its key is wrapped by the record's, or the partnership's."""

    partnership_id: UUID
    record_id: UUID | None
    name: str
    media_type: str
    blocks: Iterable[bytes]
    version: int = 1
    id: UUID = field(default_factory=new_id)
    object_key: str = field(default_factory=new_object_key)
    key: bytes = field(default_factory=new_key, repr=False)

    @property
    def extension(self) -> str:
        return extension_of(self.name)

    @property
    def context(self) -> bytes:
        return attachment_context(self.partnership_id, self.id, self.version)


class _Measured:
    """The blocks as they pass: hashed, counted, and stopped at the first byte over the limit."""

    def __init__(self, blocks: Iterable[bytes], room: Room) -> None:
        self.blocks = blocks
        self.room = room
        self.digest = hashlib.sha256()
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for block in self.blocks:
            self.size += len(block)
            self.room.check(self.size)
            self.digest.update(block)
            yield block


def incoming(
    partnership_id: UUID,
    record_id: UUID | None,
    name: str,
    blocks: Iterable[bytes],
    *,
    version: int = 1,
    taken: Mapping[str, Taken] = TAKEN,
) -> Incoming:
    """The file, once its name and its first bytes say that it may be taken. Raises `Invalid`."""
    name = clean_name(name)
    head, blocks = _peek(blocks)
    if not head:
        raise Invalid("file_empty", errors={"file": "The file is empty"})
    media_type = check_type(name, head, taken)
    check_taken_here(partnership_id, extension_of(name))
    return Incoming(partnership_id, record_id, name, media_type, blocks, version)


def store(actor: Actor, file: Incoming, keep: Callable[[dict[str, Any]], Row]) -> Row:
    """Seals and stores the file, looks through it, then has `keep` write its row from the columns that all files have.

    `Invalid` where it is not what its name says, all through; `Invalid` or `Conflict` for more bytes than there is room for;
    `Unavailable` without the store. May only be called with nothing uncommitted in the session; the caller commits.
    """
    if db.session.new or db.session.dirty or db.session.deleted:
        raise UncommittedWork("a file may not be stored with uncommitted work in the session")
    room = room_for(actor, file.partnership_id, file.media_type)
    _announce(actor, file)
    measured = _Measured(watched(file.blocks) if file.extension in TEXTS else file.blocks, room)
    kept = False
    try:
        stored = object_store().put_stream(file.object_key, encrypt_chunks(file.key, file.context, measured))
        room_for(actor, file.partnership_id, file.media_type).check(measured.size)
        _look_through(file, stored)
        row = keep(_columns(file, measured, stored))
        _mark_kept(file.object_key)
        kept = True
    finally:
        if not kept:
            _take_back(file.object_key)
    return row


def _peek(blocks: Iterable[bytes]) -> tuple[bytes, Iterable[bytes]]:
    """The first bytes, and the whole again."""
    source = iter(blocks)
    begun: list[bytes] = []
    size = 0
    while size < PEEK_BYTES and (block := next(source, None)) is not None:
        begun.append(block)
        size += len(block)
    return b"".join(begun)[:PEEK_BYTES], chain(begun, source)


def _announce(actor: Actor, file: Incoming) -> None:
    """The ledger's row, committed before the store hears of the object; and the key above, so that none is made later."""
    keyring.data_key(db.session(), file.partnership_id, file.record_id)
    db.session.execute(
        sa.insert(StoredObject).values(
            object_key=file.object_key, organisation_id=actor.organisation_id, begun_at=clock.now()
        )
    )
    db.session.commit()


def _look_through(file: Incoming, stored: uploads.StoredObject) -> None:
    """The whole file, read back from the store: what a list at its end says can't be known before its last byte."""
    reader = open_sealed(
        object_store(),
        file.key,
        file.context,
        object_key=file.object_key,
        version=stored.version_id,
        size=stored.size,
    )
    try:
        inspect(file.extension, reader)
    except (Unsealable, ObjectChanged, ObjectMissing) as error:
        raise Unavailable("not_read_back", NOT_READ_BACK) from error


def _columns(file: Incoming, measured: _Measured, stored: uploads.StoredObject) -> dict[str, Any]:
    held = keyring.data_key(db.session(), file.partnership_id, file.record_id)
    return {
        "id": file.id,
        "version": file.version,
        "sealed_name": wrapping.seal_text(held.key, file.name, purpose="file-name", ids=(file.id,)),
        "media_type": file.media_type,
        "size": measured.size,
        "sha256": measured.digest.hexdigest(),
        "stored_size": stored.size,
        "stored_sha256": stored.sha256,
        "object_key": file.object_key,
        "object_version": stored.version_id or "",
        "data_key_id": held.id,
        "wrapped_key": wrapping.wrap(held.key, file.key, purpose="file", ids=(file.id, str(file.version))),
        "scan_state": _first_scan_state().value,
    }


def _first_scan_state() -> ScanState:
    """A demonstration without a scanner says so on every file; elsewhere a file waits until one has seen it."""
    settings: Settings = current_app.config["HUB_SETTINGS"]
    return ScanState.NOT_SCANNED if settings.demo and settings.clamd is None else ScanState.PENDING


def _mark_kept(object_key: str) -> None:
    loose = sa.and_(StoredObject.object_key == object_key, StoredObject.removed_at.is_(None))
    kept = sa.update(StoredObject).where(loose).values(kept_at=clock.now()).returning(StoredObject.object_key)
    if db.session.execute(kept).scalar() is None:
        raise Conflict("swept", "The upload took so long that it was given up. Nothing was saved. Try again.")


def _take_back(object_key: str) -> None:
    """Best effort: what this misses the sweep finds."""
    db.session.rollback()
    try:
        object_store().delete(object_key, None)
    except Unavailable as error:
        log.warning("object_left_behind", kind=error.code)
