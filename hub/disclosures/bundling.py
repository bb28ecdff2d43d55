"""The bundle as a stream: the schedule, the fingerprints, and each original verified as it passes. Nothing touches a disk."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Flask

from hub.access.actor import Actor
from hub.access.guard import enter
from hub.attachments.models import Attachment
from hub.attachments.releasing import note_unsound, release
from hub.core import clock
from hub.core.errors import Unavailable
from hub.extensions import db

# what some systems don't take in a name
_UNSAFE = re.compile(r'[<>:"|?*\x00-\x1f]')


@dataclass(frozen=True)
class Original:
    """A file of the bundle, by its number in the schedule; the row is read already."""

    number: int
    name: str
    row: Attachment

    @property
    def path(self) -> str:
        return f"files/{self.number:04d} {_UNSAFE.sub('_', self.name)}"


class _Sink:
    """Where the archive is written to: what it holds is taken away at once. It can't be wound back, and says so."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is kept back."""

    def close(self) -> None:
        """Nothing is held open."""

    def take(self) -> Iterator[bytes]:
        parts, self.parts = self.parts, []
        yield from parts


def manifest(originals: Sequence[Original]) -> bytes:
    """As `sha256sum --check` reads it."""
    lines = (f"{one.row.sha256}  {one.path}\n" for one in originals)
    return "".join(lines).encode()


def stream_bundle(
    application: Flask, actor: Actor, made: Sequence[tuple[str, bytes]], originals: Sequence[Original]
) -> Iterator[bytes]:
    """The archive, a block at a time. What is not what was attached breaks it off, so that no half of it can be opened."""
    sink = _Sink()
    moment = clock.now()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for name, content in [*made, ("manifest.sha256", manifest(originals))]:
            archive.writestr(_entry(name, moment), content)
        yield from sink.take()
        for one in originals:
            with archive.open(_entry(one.path, moment), "w", force_zip64=True) as target:
                for block in _verified(application, actor, one):
                    target.write(block)
                    yield from sink.take()
            yield from sink.take()
    yield from sink.take()


def _entry(name: str, moment: datetime) -> zipfile.ZipInfo:
    local = moment.astimezone(clock.LONDON)
    return zipfile.ZipInfo(name, (local.year, local.month, local.day, local.hour, local.minute, local.second))


def _verified(application: Flask, actor: Actor, one: Original) -> Iterator[bytes]:
    """The original's plaintext. It outlives the request, so each file has an application context of its own."""
    with application.app_context():
        enter(db.session(), actor)
        released = release(actor, one.row, one.row.record_id)
    digest = hashlib.sha256()
    for block in released.blocks:
        digest.update(block)
        yield block
    if digest.hexdigest() != one.row.sha256:
        note_unsound(application, actor, released.meta)
        raise Unavailable("file_unsound")


def numbered(originals: Sequence[Attachment], names: dict[UUID, tuple[int, str]]) -> list[Original]:
    """The originals with their number and name in the schedule; one that left it meanwhile is left out."""
    return [Original(*names[row.id], row) for row in originals if row.id in names]
