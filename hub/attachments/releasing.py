"""A file on its way out: only what the scan allows, and only bytes that are verified."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from uuid import UUID

import structlog
from flask import Flask, current_app

from hub.access.actor import Actor
from hub.access.guard import enter
from hub.attachments.vocabulary import ScanState
from hub.audit.recording import StoredFile, append
from hub.core.errors import HubError
from hub.crypto.errors import Unsealable
from hub.extensions import db
from hub.storage.errors import ObjectChanged

log = structlog.get_logger("hub.attachments")


@dataclass(frozen=True)
class FileMeta:
    """What an opened file is: its own name and type, and its size in bytes."""

    id: UUID
    record_id: UUID
    name: str
    media_type: str
    size: int
    sha256: str
    stored: StoredFile


@dataclass(frozen=True)
class OpenedAttachment:
    """A file that may be read once: every byte of `blocks` is verified before it is given out."""

    meta: FileMeta
    blocks: Released


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
        except (Unsealable, ObjectChanged):
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
                records=[meta.record_id],
                file=meta.stored,
            )
            db.session.commit()
        except HubError as error:  # the session may have ended meanwhile; the service's own log has it
            log.error("attachment_unsound_not_logged", attachment=str(meta.id), kind=error.code)
