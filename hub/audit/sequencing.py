"""Puts committed events into the tree, in one order that none can slip past, and signs its head.

Order: `(xid, id)` below the oldest transaction still running. An event with a smaller xid that isn't committed yet
would hold the horizon back, so whatever is below it is there for good.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from hub.crypto.tlog.checkpoints import Checkpoint
from hub.crypto.tlog.hashing import NotProven, check_consistency, leaf_hash
from hub.crypto.tlog.notes import Signer, open_note, write_note
from hub.crypto.tlog.tiles import Reader, Tree, grown

# one sequencer for a database
LOCK = 0x68_75_62_74_72_65_65
AT_ONCE = 5_000
# the alias matters: ORDER BY takes a column of the result first, and as text 999 comes after 1000
_NEXT = """
    SELECT id, at, xid::text AS written_in, body FROM audit.event
    WHERE (xid, id) > (%s::xid8, %s) AND xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY xid, id LIMIT %s
"""


def tile_reader(connection: psycopg.Connection[Any]) -> Reader:
    """The tiles as this connection finds them."""

    def read(level: int, number: int) -> bytes:
        found = connection.execute(
            "SELECT hashes FROM audit.tile WHERE level = %s AND number = %s", [level, number]
        ).fetchone()
        return bytes(found[0]) if found else b""

    return read


class Forked(Exception):
    """The tree in the database does not extend what was signed before. Nothing is signed any more until a person looks."""


@dataclass
class Memory:
    """The last checkpoint that was signed, in a file out of the database's reach: a database set back is noticed."""

    path: Path

    def read(self, signer: Signer) -> Checkpoint | None:
        """None at the first start. `Forked` where the file is damaged: a lost memory is a person's decision."""
        if not self.path.exists():
            return None
        try:
            text, _ = open_note(self.path.read_bytes(), [signer.verifier])
            return Checkpoint.parse(text)
        except NotProven as why:
            raise Forked(
                f"{self.path.name} does not hold the last signed checkpoint of this key: {why}."
            ) from why

    def keep(self, note: str) -> None:
        """Written whole and flushed before the note is published."""
        draft = self.path.with_suffix(".new")
        with draft.open("w", encoding="utf-8") as file:
            file.write(note)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)


@dataclass
class Sequencer:
    """One connection of the role `hub_sequencer`. `step` is one transaction and one signature."""

    connection: psycopg.Connection[Any]
    signer: Signer
    memory: Memory
    at_once: int = AT_ONCE
    _size: int = field(default=0, init=False)
    _after: tuple[str, Any] = field(default=("0", None), init=False)

    def begin(self) -> None:
        """Takes the lock, checks the tree against what was signed last, and signs what a crash left unsigned."""
        if not self._one("SELECT pg_try_advisory_lock(%s)", LOCK)[0]:
            raise SystemExit("Another sequencer works on this database.")
        size, xid, event_id = self._one("SELECT size, xid::text, event_id FROM audit.tree")
        if self._one("SELECT xid >= pg_snapshot_xmax(pg_current_snapshot()) FROM audit.tree")[0]:
            raise Forked(
                "The database counts its transactions anew: it was filled from a dump, and new events would come before old"
                " ones. Restore it from a physical copy."
            )
        self._size, self._after = size, (xid, event_id)
        last = self.memory.read(self.signer)
        if last is not None:
            self._check_extends(last, size, self._tree(size).root())
        elif size and self._one("SELECT count(*) FROM audit.checkpoint WHERE note IS NOT NULL")[0]:
            raise Forked(f"{self.memory.path.name} is missing, though checkpoints were signed.")
        self.connection.execute(
            "INSERT INTO audit.log_key (vkey) VALUES (%s) ON CONFLICT DO NOTHING", [str(self.signer.verifier)]
        )
        self.connection.commit()
        unsigned = self.connection.execute(
            "SELECT size FROM audit.checkpoint WHERE note IS NULL ORDER BY size"
        ).fetchall()
        self.connection.commit()
        for (waiting,) in unsigned:
            self._sign(waiting, self._tree(waiting).root())

    def step(self) -> int:
        """Adds at most `at_once` events, then signs. Returns how many; 0 where none waited."""
        with self.connection.transaction():
            rows = self.connection.execute(_NEXT, [*self._after, self.at_once]).fetchall()
            if not rows:
                return 0
            size = self._size + len(rows)
            root = self._grow(rows, size)
        self._size, self._after = size, (rows[-1][2], rows[-1][0])
        self._sign(size, root)
        return len(rows)

    def run(self, *, every: float, stop: Any) -> None:
        """Until `stop` (an Event) is set: at least `every` seconds between two signatures, at once again after a full batch."""
        while not stop.is_set():
            began = time.monotonic()
            if self.step() < self.at_once:
                stop.wait(max(0.0, every - (time.monotonic() - began)))

    def _grow(self, rows: list[Any], size: int) -> bytes:
        with self.connection.cursor() as cursor:
            with cursor.copy("COPY audit.leaf (idx, event_id, event_at) FROM STDIN (FORMAT binary)") as copy:
                copy.set_types(["int8", "uuid", "timestamptz"])
                for number, (event_id, at, _, _) in enumerate(rows, start=self._size):
                    copy.write_row((number, event_id, at))
            changed = grown(
                tile_reader(self.connection), self._size, [leaf_hash(bytes(body)) for *_, body in rows]
            )
            cursor.executemany(
                "INSERT INTO audit.tile (level, number, hashes) VALUES (%s, %s, %s)"
                " ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes",
                [(level, number, hashes) for (level, number), hashes in changed.items()],
            )
        root = self._tree(size).root()
        last = rows[-1]
        self.connection.execute(
            "UPDATE audit.tree SET size = %s, xid = %s::xid8, event_id = %s", [size, last[2], last[0]]
        )
        self.connection.execute("INSERT INTO audit.checkpoint (size, root) VALUES (%s, %s)", [size, root])
        return root

    def _sign(self, size: int, root: bytes) -> None:
        """Only after the tree is committed, and only what extends the last signed head; remembered before it is published."""
        last = self.memory.read(self.signer)
        if last is not None:
            self._check_extends(last, size, root)
        text = Checkpoint(self.signer.name, size, root).text
        note = write_note(text, self.signer.sign(text))
        self.memory.keep(note)
        self.connection.execute(
            "UPDATE audit.checkpoint SET note = %s WHERE size = %s AND note IS NULL", [note, size]
        )
        self.connection.commit()

    def _check_extends(self, last: Checkpoint, size: int, root: bytes) -> None:
        if last.size > size:
            raise Forked(f"The tree has {size} leaves; {last.size} were signed. The database was set back.")
        try:
            proof = self._tree(size).consistency(last.size)
            check_consistency(last.size, size, proof, last.root, root)
        except NotProven as why:
            raise Forked(
                f"The tree of {size} leaves does not extend the signed one of {last.size}: {why}."
            ) from why
        finally:
            with suppress(psycopg.Error):
                self.connection.commit()

    def _tree(self, size: int) -> Tree:
        return Tree(tile_reader(self.connection), size)

    def _one(self, statement: str, *values: Any) -> Any:
        row = self.connection.execute(statement, values).fetchone()
        if row is None:
            raise RuntimeError("the database gave no row")
        return row
