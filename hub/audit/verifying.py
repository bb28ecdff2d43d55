"""Checks that the log says today what was written: every event's bytes, hash and columns, and that none is missing.

It re-reads all events in constant memory. Who may read the whole log (`verify_log`) has them held against the tree in the same
pass: leaves, tiles, signed checkpoints, witnesses. Who sees one organisation's events (`verify`) has each held against the
hash that the tree has for it.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NoReturn

import sqlalchemy as sa

from hub.audit.catalogue import EVENTS
from hub.audit.verifier.databases import ARCHIVED, KEYS, NOTES, own_policy
from hub.audit.verifier.findings import MAX_KEPT, Findings
from hub.audit.verifier.heads import FIRST_SIGHT, NOT_DETECTED, Heads, judge_heads
from hub.audit.verifier.proving import GRACE_SECONDS, Prover
from hub.crypto.tlog.checkpoints import Checkpoint, Policy
from hub.crypto.tlog.hashing import HASH_SIZE, leaf_hash
from hub.crypto.tlog.tiles import WIDTH, Reader

__all__ = [
    "FIRST_SIGHT",
    "NOT_DETECTED",
    "Report",
    "canonical",
    "verify",
    "verify_each_organisation",
    "verify_log",
]

AT_A_TIME = 2_000
TIME = "%Y-%m-%dT%H:%M:%S.%fZ"

_COLUMNS = """
    e.id::text, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), e.category, e.act, e.outcome,
        e.source, e.user_id::text, e.organisation_id::text, e.team_id::text, e.object_type, e.object_id::text,
        e.object_version, e.record_ids::text, e.person_ids::text, e.organisation_ids::text, e.body, e.hash,
        (SELECT array_agg(t.name ORDER BY t.name) FROM audit.event_text t WHERE t.event_id = e.id)
"""
_EVENTS = sa.text(f"""
    SELECT {_COLUMNS}, (SELECT l.idx FROM audit.leaf l WHERE l.event_id = e.id) AS idx
    FROM audit.event e
    WHERE (CAST(:first AS uuid) IS NULL OR e.organisation_ids[1] = CAST(:first AS uuid))
        AND e.at >= coalesce(CAST(:since AS timestamptz), '-infinity')
    ORDER BY e.at, e.id
""")  # noqa: S608
# An event is looked up where its leaf says, else by its id alone: then its time was altered.
_LEAVES = sa.text(f"""
    SELECT e.*, l.idx, l.event_id::text, l.event_at < now() - make_interval(secs => {GRACE_SECONDS}),
        e.id IS NULL AND {ARCHIVED}
    FROM audit.leaf l LEFT JOIN LATERAL (
        (SELECT {_COLUMNS} FROM audit.event e WHERE e.id = l.event_id AND e.at = l.event_at
         UNION ALL SELECT {_COLUMNS} FROM audit.event e WHERE e.id = l.event_id) LIMIT 1
    ) AS e ON true ORDER BY l.idx
""")  # noqa: S608
_LEAFLESS = sa.text(f"""
    SELECT {_COLUMNS}, e.at < now() - make_interval(secs => {GRACE_SECONDS}) FROM audit.event e
    WHERE NOT EXISTS (SELECT FROM audit.leaf l WHERE l.event_id = e.id AND l.event_at = e.at)
""")  # noqa: S608
_NOTES = sa.text(NOTES)
_KEYS = sa.text(KEYS)
_TILE = sa.text("SELECT hashes FROM audit.tile WHERE level = :level AND number = :number")
_MISSING = sa.text(
    "SELECT object_type, object_id::text, version FROM audit.find_missing_revisions() LIMIT :most"
)
_COUNTED = sa.text("SELECT audit.count_revisions()")
# without compiling the statement, which would take longer than running it
_NO_JIT = sa.text("SET LOCAL jit = off")
_NAMES = (
    "id", "time", "category", "act", "outcome", "source", "user", "organisation", "team", "type of object", "object",
    "version", "list of records", "list of people",
)  # fmt: skip
_BODY = 15
_WIDTH = 18


@dataclass
class Report(Findings):
    """What was checked and what was found. `heads`: the checkpoints that the log was held against, if it was."""

    events: int = 0
    first: str | None = None
    last: str | None = None
    texts: int = 0
    texts_absent: int = 0
    revisions: int = 0
    heads: Heads | None = None
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return {
            **super().as_json(),
            "events": self.events,
            "first": self.first,
            "last": self.last,
            "texts": {"present": self.texts, "absent": self.texts_absent},
            "revisions": self.revisions,
            "tree": self.heads.as_json() if self.heads else None,
            "not_detected": NOT_DETECTED,
            "seconds": round(self.seconds, 3),
        }


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical(value: Any) -> bytes:
    """Canonical JSON under the log's rules, equal to RFC 8785."""
    return _ENCODER.encode(value).encode()


def verify(
    connection: sa.Connection, *, progress: Callable[[int], None] | None = None, since: datetime | None = None
) -> Report:
    """Checks every event (of the time since) that the connection's role may read, and every revision in its reach."""
    return _verify(connection, Report(), progress, {"first": None, "since": since})


def verify_each_organisation(
    connection: sa.Connection, *, progress: Callable[[int], None] | None = None
) -> Report:
    """The same as the service's role, which sees one organisation's events at a time. Each event is counted once."""
    report = Report()
    for organisation in (
        connection.execute(sa.text("SELECT id::text FROM organisation ORDER BY id")).scalars().all()
    ):
        connection.execute(
            sa.text("SELECT set_config('hub.organisation_id', :id, false)"), {"id": organisation}
        )
        _verify(connection, report, progress, {"first": organisation, "since": None})
    return report


def verify_log(
    connection: sa.Connection,
    *,
    policy: Policy | None = None,
    seen: Checkpoint | None = None,
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Checks the whole log and its tree, as a role that may read all of it. `seen`: the checkpoint of the check before."""
    report = Report()
    began = time.monotonic()
    now = datetime.now(UTC).strftime(TIME)
    connection.execute(_NO_JIT)
    if policy is None:
        policy = own_policy(report, "".join(f"{key}\n" for key in connection.execute(_KEYS).scalars()))
    notes = [note + (lines or "") for note, lines in connection.execute(_NOTES)]
    report.heads = judge_heads(report, policy, notes, seen)
    prover = Prover(report, tiles_of_database(connection), report.heads)
    for row in _stream(connection, _LEAVES, {}):
        index, event_id, old, archived = row[_WIDTH:]
        if row[0] is None:
            prover.entry(index, event_id, None, old=old, archived=archived)
        else:
            prover.entry(index, event_id, bytes(row[_BODY]), old=old)
            _check_row(report, row, now, progress)
    for row in _stream(connection, _LEAFLESS, {}):
        prover.without_leaf(row[0], bytes(row[_BODY]), old=row[_WIDTH])
        _check_row(report, row, now, progress)
    prover.finish()
    _check_revisions(connection, report)
    report.seconds = time.monotonic() - began
    return report


def tiles_of_database(connection: sa.Connection) -> Reader:
    def read(level: int, number: int) -> bytes:
        found = connection.execute(_TILE, {"level": level, "number": number}).scalar()
        return bytes(found) if found is not None else b""

    return read


def _verify(
    connection: sa.Connection, report: Report, progress: Callable[[int], None] | None, which: dict[str, Any]
) -> Report:
    began = time.monotonic()
    now = datetime.now(UTC).strftime(TIME)
    read = lru_cache(maxsize=64)(tiles_of_database(connection))
    for row in _stream(connection, _EVENTS, which):
        _check_row(report, row, now, progress)
        if row[_WIDTH] is not None:
            _check_leaf(report, read, row)
    _check_revisions(connection, report)
    report.seconds += time.monotonic() - began
    return report


def _check_leaf(report: Report, read: Reader, row: Sequence[Any]) -> None:
    """One event against the hash that the tree has for it. Whether the tree is the signed one, this does not show."""
    number, at = divmod(row[_WIDTH], WIDTH)
    if read(0, number)[at * HASH_SIZE : (at + 1) * HASH_SIZE] != leaf_hash(bytes(row[_BODY])):
        report.add(
            "event_altered", f"The event {row[0]} gives another hash than the tree has for it.", row[0]
        )


def _check_row(report: Report, row: Sequence[Any], now: str, progress: Callable[[int], None] | None) -> None:
    report.events += 1
    report.first = min(report.first or row[1], row[1])
    report.last = max(report.last or row[1], row[1])
    _check(report, row, now)
    if progress is not None and report.events % AT_A_TIME == 0:
        progress(report.events)


def _check_revisions(connection: sa.Connection, report: Report) -> None:
    report.revisions += connection.execute(_COUNTED).scalar_one()
    for kind, key, version in connection.execute(_MISSING, {"most": MAX_KEPT}):
        report.add("revision_without_event", f"Revision {version} of the {kind} {key} has no event.")


def _stream(
    connection: sa.Connection, statement: sa.TextClause, values: Mapping[str, Any]
) -> Iterator[Sequence[Any]]:
    """A server-side cursor: memory does not grow with the log."""
    options = {"stream_results": True, "yield_per": AT_A_TIME}
    result = connection.execute(statement, values, execution_options=options)
    for part in result.partitions(AT_A_TIME):
        yield from part


def _check(report: Report, row: Sequence[Any], now: str) -> None:
    key, body, digest, texts = row[0], bytes(row[15]), bytes(row[16]), row[17] or ()
    if hashlib.sha256(body).digest() != digest:
        report.add("hash", f"The hash of the event {key} is not that of its bytes.", key)
    told = _parsed(body)
    if told is None:
        report.add("bytes", f"The bytes of the event {key} are not those of an event.", key)
        return
    for name in _differing(row, told):
        report.add("column", f"The event {key} says another {name} than its column.", key)
    if _milliseconds_of(key) != row[1][:23]:
        report.add("time", f"The time of the event {key} is not the one in its id.", key)
    if row[1] > now:
        report.add("future", f"The event {key} is in the future.", key)
    kind = EVENTS.get(row[3])
    if kind is not None and kind.category.value != row[2]:
        report.add("category", f"The event {key} is not in the category of its act.", key)
    promised = told["commitments"]
    report.texts += len(texts)
    report.texts_absent += len(promised) - len(texts)
    if not set(texts) <= set(promised):
        report.add("text", f"A text lies beside the event {key} that it says nothing of.", key)


def _parsed(body: bytes) -> Mapping[str, Any] | None:
    """The event, where the bytes are canonical JSON of the right shape."""
    try:
        told = _DECODER.decode(body.decode())
        if canonical(told) != body or told["v"] != 1 or not isinstance(told["commitments"], dict):
            return None
        # named once, so that a body of another shape is found here
        _ = told["shown"]["records"], told["shown"]["people"], told["shown"]["owners"], told["source"]["kind"]
        _ = told["id"], told["time"], told["category"], told["act"], told["outcome"], told["recipients"]
        _ = told["actor"], told["object"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"not a number of an event: {text}")


# made once: to make them anew for each event would cost as much as their work
_DECODER = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse)


def _differing(row: Sequence[Any], told: Mapping[str, Any]) -> list[str]:
    """Names of the columns that say something else than the bytes."""
    actor, thing, shown = told["actor"] or {}, told["object"] or {}, told["shown"]
    said = (
        told["id"],
        told["time"],
        told["category"],
        told["act"],
        told["outcome"],
        told["source"]["kind"],
        actor.get("user"),
        actor.get("organisation"),
        actor.get("team"),
        thing.get("type"),
        thing.get("id"),
        thing.get("version"),
        _array(shown["records"]),
        _array(shown["people"]),
    )
    stored = tuple(row[: len(said)])
    differing = [] if stored == said else [_NAMES[at] for at, one in enumerate(said) if one != stored[at]]
    whose = {
        *shown["owners"],
        *(one["organisation"] for one in told["recipients"]),
        actor.get("organisation"),
    }
    listed = set(row[14].strip("{}").split(",")) - {""}
    if told["outcome"] == "denied" and len(listed - whose) == 1:
        # the owner of what a refused look was aimed at reads of it, though its bytes don't say whose it was
        whose |= listed
    return differing if listed == whose - {None} else [*differing, "list of organisations"]


def _array(ids: list[str]) -> str:
    return "{" + ",".join(ids) + "}"


def _milliseconds_of(key: str) -> str:
    """The time inside a UUIDv7, to the millisecond, written as an event's time is."""
    seconds, part = divmod(int(key[:8] + key[9:13], 16), 1000)
    return f"{_second(seconds)}.{part:03d}"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    except (OverflowError, ValueError, OSError):
        return ""
