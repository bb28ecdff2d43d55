"""The log as a folder for the regulator: events, tiles, the signed checkpoint, the policy, the verifier, and plain words."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.audit.export_page import Told, page, text
from hub.audit.verifier.databases import KEYS, NOTES, own_policy
from hub.audit.verifier.findings import Findings
from hub.audit.verifier.folders import (
    CHECKPOINT,
    MANIFEST,
    POLICY,
    Manifest,
    digest_of,
    event_line,
    events_path,
)
from hub.audit.verifier.heads import Heads, Unusable, judge_heads
from hub.audit.verifier.single import put_together
from hub.audit.verifying import tiles_of_database
from hub.crypto.tlog.checkpoints import Policy
from hub.crypto.tlog.hashing import HASH_SIZE
from hub.crypto.tlog.tiles import tile_path, tiles_of

VERIFIER = "hub-audit-verify.py"
AT_A_TIME = 2_000

_NOTES = sa.text(NOTES)
_NO_JIT = sa.text("SET LOCAL jit = off")
_KEYS = sa.text(KEYS)
# Events of months that the database gave up are in the archive alone.
_HERE = sa.text("SELECT coalesce(max(last_idx) + 1, 0) FROM audit.archived_month")
_RANGE = sa.text("""
    SELECT min(idx), max(idx) FROM audit.leaf WHERE idx < :size
        AND event_at >= coalesce(CAST(:since AS timestamptz), '-infinity')
        AND event_at < coalesce(CAST(:until AS timestamptz), 'infinity')
""")
_EVENTS = sa.text("""
    SELECT l.idx, e.body, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    FROM audit.leaf l CROSS JOIN LATERAL (
        SELECT e.body, e.at FROM audit.event e WHERE e.id = l.event_id AND e.at = l.event_at
            AND (CAST(:organisation AS uuid) IS NULL OR e.organisation_ids @> ARRAY[CAST(:organisation AS uuid)])
        OFFSET 0
    ) AS e
    WHERE l.idx >= :first AND l.idx < :stop ORDER BY l.idx
""")


@dataclass(frozen=True)
class Extent:
    """Of which time (ISO 8601, with a zone), and of which organisation's events; all where nothing is given."""

    since: str | None = None
    until: str | None = None
    organisation: UUID | None = None

    @property
    def asked(self) -> str:
        """As a code, for the event."""
        time = "period" if self.since or self.until else "all"
        return f"{time}_of_organisation" if self.organisation else time


@dataclass
class Exported:
    """What was written. `first` and `last` are the times of the first and the last event in it."""

    heads: Heads
    whole: range
    events: int = 0
    first: str = ""
    last: str = ""
    files: dict[str, str] = field(default_factory=dict)


def export_log(
    connection: sa.Connection, folder: Path, extent: Extent, policy: Policy | None = None
) -> Exported:
    """Writes what the connection's role may read. `Unusable` where there is no checkpoint or the folder isn't empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Unusable(f"{folder} is there already and is not an empty directory.")
    own = policy is None
    if policy is None:
        policy = own_policy(Findings(), "".join(f"{key}\n" for key in connection.execute(_KEYS).scalars()))
    notes = [note + (lines or "") for note, lines in connection.execute(_NOTES)]
    if policy is None or not notes:
        raise Unusable("There is no signed checkpoint yet: the sequencer has not run on this log.")
    policy, heads, note = _head(policy, notes, own)
    if heads.newest is None:
        raise Unusable("No checkpoint is signed by the log's key.")
    size = heads.newest.size
    done = Exported(heads, _range(connection, extent, size))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        _write_all(connection, folder, extent, done, note, policy)
    except (Unusable, OSError, sa.exc.SQLAlchemyError):
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return done


def _write_all(
    connection: sa.Connection, folder: Path, extent: Extent, done: Exported, note: str, policy: Policy
) -> None:
    """The manifest last: without it, it is no export."""
    connection.execute(_NO_JIT)
    _write_events(connection, folder, extent, done)
    _write_tiles(connection, folder, done.heads.size, done)
    told = Told(done.heads, policy, done.events, extent.organisation is not None, done.first, done.last)
    for name, content in (
        (CHECKPOINT, note),
        (POLICY, str(policy)),
        (VERIFIER, put_together()),
        ("README.txt", text(told)),
        ("index.html", page(told)),
    ):
        _write(folder, name, content.encode(), done)
    whole = range(0) if extent.organisation else done.whole
    (folder / MANIFEST).write_text(str(Manifest(whole, done.files)), encoding="ascii")


def _head(policy: Policy, notes: list[str], own: bool) -> tuple[Policy, Heads, str]:
    """The newest checkpoint that as many witnesses as can be had signed, and the policy that says so where it is our own."""
    for needed in range(len(policy.witnesses), policy.needed - 1, -1):
        stricter = replace(policy, needed=needed)
        for note in notes:
            heads = judge_heads(Findings(), stricter, [note])
            if heads.believed is not None:
                return stricter if own else policy, heads, note
    heads = judge_heads(Findings(), policy, notes)
    return policy, heads, heads.newest_note


def _range(connection: sa.Connection, extent: Extent, size: int) -> range:
    """The leaves of the period, and those between them: order is that of commits, times may overlap a little."""
    values = {"size": size, "since": extent.since, "until": extent.until}
    here = connection.execute(_HERE).scalar_one()
    if extent.since is None and extent.until is None:
        return range(min(here, size), size)
    first, last = connection.execute(_RANGE, values).one()
    return range(0) if first is None or last < here else range(max(first, here), last + 1)


def _write_events(connection: sa.Connection, folder: Path, extent: Extent, done: Exported) -> None:
    values = {"organisation": extent.organisation, "first": done.whole.start, "stop": done.whole.stop}
    lines: list[bytes] = []
    path = ""
    for index, body, at in _rows(connection, values):
        if events_path(index) != path:
            _flush(folder, path, lines, done)
            path = events_path(index)
        lines.append(event_line(index, bytes(body)))
        done.events += 1
        done.first = min(done.first or at, at)
        done.last = max(done.last, at)
    _flush(folder, path, lines, done)


def _flush(folder: Path, path: str, lines: list[bytes], done: Exported) -> None:
    """One file, of at most 10,000 events: what is held in memory at a time."""
    if lines:
        _write(folder, path, b"".join(lines), done)
    lines.clear()


def _rows(connection: sa.Connection, values: dict[str, Any]) -> Iterator[Any]:
    options = {"stream_results": True, "yield_per": AT_A_TIME}
    for part in connection.execute(_EVENTS, values, execution_options=options).partitions(AT_A_TIME):
        yield from part


def _write_tiles(connection: sa.Connection, folder: Path, size: int, done: Exported) -> None:
    read = tiles_of_database(connection)
    for level, number, count in tiles_of(size):
        _write(folder, tile_path(level, number, count), read(level, number)[: count * HASH_SIZE], done)


def _write(folder: Path, name: str, content: bytes, done: Exported) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    done.files[name] = digest_of(path)
