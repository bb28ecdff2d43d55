"""Checks that the log says today what was written: every event's bytes, hash and columns, and that none is missing.

It re-reads all events in constant memory. What it can't find is a rewriting by the database's owner that changes
bytes, hash and columns alike: only a tree whose head partners have witnessed shows that, and there is none yet.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn

import sqlalchemy as sa

from hub.audit.catalogue import EVENTS

AT_A_TIME = 2_000
MAX_KEPT = 1_000
TIME = "%Y-%m-%dT%H:%M:%S.%fZ"
NOT_DETECTED = (
    "A rewriting of bytes, hash and columns alike by the owner of the database is not detected:"
    " the log has no tree and no outside witnesses yet."
)

_EVENTS = sa.text("""
    SELECT e.id::text, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), e.category, e.act, e.outcome,
        e.source, e.user_id::text, e.organisation_id::text, e.team_id::text, e.object_type, e.object_id::text,
        e.object_version, e.record_ids::text, e.person_ids::text, e.organisation_ids::text, e.body, e.hash,
        (SELECT array_agg(t.name ORDER BY t.name) FROM audit.event_text t WHERE t.event_id = e.id)
    FROM audit.event e
    WHERE (CAST(:first AS uuid) IS NULL OR e.organisation_ids[1] = CAST(:first AS uuid))
        AND e.at >= coalesce(CAST(:since AS timestamptz), '-infinity')
    ORDER BY e.at, e.id
""")
_MISSING = sa.text(
    "SELECT object_type, object_id::text, version FROM audit.find_missing_revisions() LIMIT :most"
)
_COUNTED = sa.text("SELECT audit.count_revisions()")


@dataclass(frozen=True)
class Problem:
    """One thing that is not as it was written. `code` is for machines, `words` for people; ids only."""

    code: str
    words: str
    event_id: str | None = None


@dataclass
class Report:
    """What was checked and what was found. At most `MAX_KEPT` problems are kept; `found` counts all."""

    events: int = 0
    first: str | None = None
    last: str | None = None
    texts: int = 0
    texts_absent: int = 0
    revisions: int = 0
    found: int = 0
    problems: list[Problem] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return self.found == 0

    def add(self, code: str, words: str, event_id: str | None = None) -> None:
        self.found += 1
        if len(self.problems) < MAX_KEPT:
            self.problems.append(Problem(code, words, event_id))

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "events": self.events,
            "first": self.first,
            "last": self.last,
            "texts": {"present": self.texts, "absent": self.texts_absent},
            "revisions": self.revisions,
            "problems_found": self.found,
            "problems": [
                {"code": one.code, "words": one.words, "event": one.event_id} for one in self.problems
            ],
            "not_detected": NOT_DETECTED,
            "seconds": round(self.seconds, 3),
        }


def canonical(value: Any) -> bytes:
    """Canonical JSON under the log's rules, equal to RFC 8785."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


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


def _verify(
    connection: sa.Connection, report: Report, progress: Callable[[int], None] | None, which: dict[str, Any]
) -> Report:
    began = time.monotonic()
    now = datetime.now(UTC).strftime(TIME)
    for row in _stream(connection, which):
        report.events += 1
        report.first = min(report.first or row[1], row[1])
        report.last = max(report.last or row[1], row[1])
        _check(report, row, now)
        if progress is not None and report.events % AT_A_TIME == 0:
            progress(report.events)
    report.revisions += connection.execute(_COUNTED).scalar_one()
    for kind, key, version in connection.execute(_MISSING, {"most": MAX_KEPT}):
        report.add("revision_without_event", f"Revision {version} of the {kind} {key} has no event.")
    report.seconds += time.monotonic() - began
    return report


def _stream(connection: sa.Connection, which: dict[str, Any]) -> Iterator[Sequence[Any]]:
    """A server-side cursor: memory does not grow with the log. `first`: only events that name this organisation first."""
    options = {"stream_results": True, "yield_per": AT_A_TIME}
    result = connection.execute(_EVENTS, which, execution_options=options)
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
    for name, stored, said in _columns(row, told):
        if stored != said:
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
        told = json.loads(body, parse_float=_refuse, parse_constant=_refuse)
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


def _columns(row: Sequence[Any], told: Mapping[str, Any]) -> tuple[tuple[str, Any, Any], ...]:
    """Name, the column's value, the body's value."""
    actor, thing, shown = told["actor"] or {}, told["object"] or {}, told["shown"]
    whose = {
        *shown["owners"],
        *(one["organisation"] for one in told["recipients"]),
        actor.get("organisation"),
    }
    listed = set(row[14].strip("{}").split(",")) - {""}
    if told["outcome"] == "denied" and len(listed - whose) == 1:
        # the owner of what a refused look was aimed at reads of it, though its bytes don't say whose it was
        whose |= listed
    return (
        ("id", row[0], told["id"]),
        ("time", row[1], told["time"]),
        ("category", row[2], told["category"]),
        ("act", row[3], told["act"]),
        ("outcome", row[4], told["outcome"]),
        ("source", row[5], told["source"]["kind"]),
        ("user", row[6], actor.get("user")),
        ("organisation", row[7], actor.get("organisation")),
        ("team", row[8], actor.get("team")),
        ("type of object", row[9], thing.get("type")),
        ("object", row[10], thing.get("id")),
        ("version", row[11], thing.get("version")),
        ("list of records", row[12], _array(shown["records"])),
        ("list of people", row[13], _array(shown["people"])),
        ("list of organisations", listed, whose - {None}),
    )


def _array(ids: list[str]) -> str:
    return "{" + ",".join(ids) + "}"


def _milliseconds_of(key: str) -> str:
    """The time inside a UUIDv7, to the millisecond, written as an event's time is."""
    milliseconds = int(key[:8] + key[9:13], 16)
    seconds, part = divmod(milliseconds, 1000)
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{part:03d}"
    except (OverflowError, ValueError, OSError):
        return ""
