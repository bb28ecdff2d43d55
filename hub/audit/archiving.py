"""Copies what the tree has gained to a second place, a bucket under Object Lock, in the sequencer's process and role.

Events first, then tiles, the checkpoint last, and only then the books: whatever is cut off is copied again, which adds a
version and harms nothing. A tree that does not extend the archived one, or an event that is not what its leaf says, is
not copied: what lies in the archive is the last sound state, and a person must look.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from hub.audit.archive_format import (
    CHECKPOINT,
    COSIGNED,
    LONGEST,
    NOTE_KIND,
    bundle_key,
    entry_key,
    partial_place,
    write_bundle,
)
from hub.audit.sequencing import tile_reader
from hub.crypto.tlog.checkpoints import Checkpoint
from hub.crypto.tlog.hashing import HASH_SIZE, NotProven, check_consistency, leaf_hash
from hub.crypto.tlog.notes import Verifier, open_note
from hub.crypto.tlog.tiles import WIDTH, Tree, tile_path
from hub.storage.errors import ObjectMissing
from hub.storage.locked import LockedBucket

# one copier for a database
LOCK = 0x68_75_62_61_72_63_68
BUNDLES_AT_ONCE = 16

_HEAD = "SELECT size, root, note FROM audit.checkpoint WHERE note IS NOT NULL ORDER BY size DESC LIMIT 1"
_COSIGNED = """
    SELECT c.size, c.root, c.note FROM audit.checkpoint c JOIN audit.cosignature s USING (size)
    WHERE c.note IS NOT NULL AND c.size <= %s ORDER BY c.size DESC LIMIT 1
"""
_BODIES = """
    SELECT l.idx, e.body FROM audit.leaf l LEFT JOIN audit.event e ON e.id = l.event_id AND e.at = l.event_at
    WHERE l.idx >= %s AND l.idx < %s ORDER BY l.idx
"""


class Diverged(Exception):
    """The database and the archive disagree, or the database with itself. Nothing is copied until a person looks."""


class Busy(Exception):
    """Another process copies from this database."""


@dataclass(frozen=True)
class Head:
    """A signed checkpoint of the database, with its cosignatures as they are now."""

    size: int
    root: bytes
    note: str


@dataclass
class Copier:
    """One connection of the role `hub_sequencer`, in autocommit so that no transaction waits for the store; one bucket.

    `step` copies up to the newest signed checkpoint.
    """

    connection: psycopg.Connection[Any]
    bucket: LockedBucket
    keys: Sequence[Verifier]
    held: timedelta
    held_partial: timedelta
    _notes: dict[str, str] = field(default_factory=dict, init=False)

    def begin(self) -> None:
        """Takes the lock and sees that the bucket was made with Object Lock."""
        (got,) = self._one("SELECT pg_try_advisory_lock(%s)", LOCK)
        if not got:
            raise Busy("Another process copies this log.")
        self.bucket.check_lock()

    def step(self) -> int:
        """How many events are newly in the archive under a checkpoint."""
        size, entries, renewed_at = self._one("SELECT size, entries, renewed_at FROM audit.archive")
        head = self._head(_HEAD)
        if head is None:
            return 0
        now = datetime.now(UTC)
        renew = renewed_at is None or now - renewed_at > self.held_partial / 2
        if head.size > size or renew:
            self._check_extends(size, head)
            self._copy_entries(entries, head.size, now)
            self._copy_tiles(size, head.size, now, renew=renew)
        self._copy_notes(head, now)
        if head.size > size or renew:
            self._keep_books(head.size, now, renew)
        return max(0, head.size - int(size))

    def sweep(self, before: datetime, stop: threading.Event) -> int:
        """Deletes what full bundles and tiles have replaced, once its lock has ended; how many versions."""
        (size,) = self._one("SELECT size FROM audit.archive")
        gone = 0
        for one in self.bucket.versions("tile/"):
            if stop.is_set():
                break
            place = partial_place(one.key)
            if place is None or one.at > before:
                continue
            level, number = place
            if (number + 1) * WIDTH ** (level + 1) <= size:
                gone += self.bucket.delete(one.key, one.version_id)
        return gone

    def _check_extends(self, copied: int, head: Head) -> None:
        """The archive's own checkpoint is the measure, not what the database remembers of it."""
        try:
            archived = self.bucket.get(CHECKPOINT).body
        except ObjectMissing:
            if copied:
                raise Diverged("The archive's checkpoint is missing.") from None
            return
        try:
            text, _ = open_note(archived, self._believed())
            old = Checkpoint.parse(text)
            if old.size > head.size:
                raise Diverged(
                    f"The archive holds {old.size} leaves, the database {head.size}: it was set back."
                )
            proof = Tree(tile_reader(self.connection), head.size).consistency(old.size)
            check_consistency(old.size, head.size, proof, old.root, head.root)
        except NotProven as why:
            raise Diverged(
                f"The tree of {head.size} leaves does not extend the archived one: {why}."
            ) from why

    def _believed(self) -> list[Verifier]:
        rows = self.connection.execute("SELECT vkey FROM audit.log_key ORDER BY since").fetchall()
        return [*self.keys, *(Verifier.parse(row[0]) for row in rows)]

    def _copy_entries(self, entries: int, size: int, now: datetime) -> None:
        first, step = entries // WIDTH, BUNDLES_AT_ONCE
        for number in range(first, -(-size // WIDTH), step):
            until = min(size, (number + step) * WIDTH)
            for at, bodies in self._bundles(number * WIDTH, until):
                self._put_bundle(at, bodies, now)
            self.connection.execute("UPDATE audit.archive SET entries = %s", [until // WIDTH * WIDTH])

    def _bundles(self, first: int, until: int) -> Iterator[tuple[int, list[bytes]]]:
        rows = self.connection.execute(_BODIES, [first, until]).fetchall()
        if [row[0] for row in rows] != list(range(first, until)):
            raise Diverged(f"Leaves are missing between {first} and {until}.")
        for at in range(0, len(rows), WIDTH):
            for index, body in rows[at : at + WIDTH]:
                if body is None:
                    raise Diverged(f"The event of leaf {index} is missing.")
            yield (first + at) // WIDTH, [bytes(row[1]) for row in rows[at : at + WIDTH]]

    def _put_bundle(self, number: int, bodies: list[bytes], now: datetime) -> None:
        hashes = tile_reader(self.connection)(0, number)
        for place, body in enumerate(bodies):
            if hashes[place * HASH_SIZE : (place + 1) * HASH_SIZE] != leaf_hash(body):
                raise Diverged(f"The event of leaf {number * WIDTH + place} is not what the tree says.")
        for place, body in enumerate(bodies):
            if len(body) > LONGEST:
                self.bucket.put(entry_key(number * WIDTH + place), body, until=now + self.held)
        self._put(bundle_key(number, len(bodies)), write_bundle(bodies), len(bodies), now)

    def _copy_tiles(self, old: int, size: int, now: datetime, *, renew: bool) -> None:
        """Those that changed since the archived tree; to renew, all that are not full as well."""
        level = 0
        while size:
            if size > old or renew:
                for number in range(old // WIDTH, -(-size // WIDTH)):
                    count = min(WIDTH, size - number * WIDTH)
                    tile = tile_reader(self.connection)(level, number)[: count * HASH_SIZE]
                    self._put(tile_path(level, number, count), tile, count, now)
            level, old, size = level + 1, old // WIDTH, size // WIDTH

    def _put(self, key: str, body: bytes, count: int, now: datetime) -> None:
        self.bucket.put(key, body, until=now + (self.held if count == WIDTH else self.held_partial))

    def _copy_notes(self, head: Head, now: datetime) -> None:
        """The newest head; and the newest that a witness signed, which may be an older one."""
        for key, found in ((CHECKPOINT, head), (COSIGNED, self._head(_COSIGNED, head.size))):
            if found is not None and self._notes.get(key) != found.note:
                until = now + self.held
                version = self.bucket.put(key, found.note.encode(), until=until, kind=NOTE_KIND)
                self.bucket.check_held(key, version, until)
                self._notes[key] = found.note

    def _keep_books(self, size: int, now: datetime, renewed: bool) -> None:
        self.connection.execute(
            "UPDATE audit.archive SET size = %s, at = clock_timestamp(),"
            " renewed_at = CASE WHEN %s THEN %s ELSE renewed_at END",
            [size, renewed, now],
        )

    def _head(self, statement: str, *values: Any) -> Head | None:
        row = self.connection.execute(statement, values).fetchone()
        if row is None:
            return None
        size, root, note = row
        lines = self.connection.execute(
            "SELECT line FROM audit.cosignature WHERE size = %s ORDER BY at, name", [size]
        ).fetchall()
        return Head(size, bytes(root), note + "".join(f"{line.rstrip()}\n" for (line,) in lines))

    def _one(self, statement: str, *values: Any) -> Any:
        row = self.connection.execute(statement, values).fetchone()
        if row is None:
            raise RuntimeError("the database gave no row")
        return row
