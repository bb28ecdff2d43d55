"""Months of the log: what the archive holds of one, and giving one up in the database. As the owner; nothing is dropped."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Self
from uuid import UUID

import psycopg
from psycopg import sql

from hub.audit.archive_checking import Archive
from hub.crypto.tlog.tiles import WIDTH

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
# a UUIDv7 begins with the time, so that the month's leaves are found by their ids
_LEAVES = """
    SELECT min(idx), max(idx), count(*) FROM audit.leaf
    WHERE event_id >= %(low)s AND event_id < %(high)s AND event_at >= %(since)s AND event_at < %(before)s
"""
_EVENTS = """
    SELECT l.idx, l.event_at, e.body FROM audit.leaf l
        LEFT JOIN audit.event e ON e.id = l.event_id AND e.at = l.event_at
    WHERE l.idx BETWEEN %s AND %s ORDER BY l.idx
"""
_OURS = "SELECT idx FROM audit.leaf WHERE idx BETWEEN %s AND %s AND event_at >= %s AND event_at < %s"
_ATTACHED = """
    SELECT 1 FROM pg_inherits i WHERE i.inhparent = 'audit.event'::regclass AND i.inhrelid = to_regclass(%s)
"""
_REVISIONS = """
    INSERT INTO audit.archived_revision (object_type, object_id, version)
    SELECT DISTINCT object_type, object_id, object_version FROM audit.event
    WHERE at >= %s AND at < %s AND outcome = 'ok' AND category <> 'consultation'
        AND object_type IS NOT NULL AND object_id IS NOT NULL AND object_version IS NOT NULL
    ON CONFLICT DO NOTHING
"""
LOCK_WAIT = "5s"


class Refused(Exception):
    """The month stays where it is; the text says why."""


@dataclass(frozen=True)
class Month:
    """A calendar month in UTC, as the log's partitions are cut."""

    first: date

    @classmethod
    def parse(cls, text: str) -> Self:
        found = _MONTH.fullmatch(text)
        if found is None or int(found[1]) < 2000:
            raise ValueError("a month is written as 2026-05")
        return cls(date(int(found[1]), int(found[2]), 1))

    def later(self, months: int) -> Month:
        years, month = divmod(self.first.month - 1 + months, 12)
        return Month(date(self.first.year + years, month + 1, 1))

    @property
    def since(self) -> datetime:
        return datetime(self.first.year, self.first.month, 1, tzinfo=UTC)

    @property
    def before(self) -> datetime:
        return self.later(1).since

    @property
    def partition(self) -> str:
        return f"event_{self.first:%Y_%m}"

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"


def leaves_of(connection: psycopg.Connection[Any], month: Month) -> tuple[int, int, int] | None:
    """First and last leaf of the month, and how many there are; between them may stand a few of its neighbours."""
    given = {
        "low": _lowest_id(month.since),
        "high": _lowest_id(month.before),
        "since": month.since,
        "before": month.before,
    }
    row = connection.execute(_LEAVES, given).fetchone()
    return (row[0], row[1], row[2]) if row and row[2] else None


def _lowest_id(at: datetime) -> UUID:
    return UUID(int=int(at.timestamp() * 1000) << 80)


def entries_of(
    connection: psycopg.Connection[Any], archive: Archive, month: Month, extent: tuple[int, int]
) -> Iterator[bytes]:
    """The archived events of the month alone, in the tree's order: its leaves say which they are, in the database or not."""
    first, last = extent
    for start in range(first - first % WIDTH, last + 1, WIDTH):
        low, high = max(first, start), min(last, start + WIDTH - 1)
        ours = {index for (index,) in connection.execute(_OURS, [low, high, month.since, month.before])}
        yield from (body for index, body in archive.entries(low, high) if index in ours)


def compare(
    connection: psycopg.Connection[Any],
    archive: Archive,
    month: Month,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """How many events of the month lie in the archive byte for byte as in the database; the rest is in the report."""
    extent = leaves_of(connection, month)
    held = _count(connection, month)
    if extent is None:
        if held:
            archive.report.add("unsequenced", f"{held} events of {month} have no leaf.")
        return 0
    first, last, leaves = extent
    same = 0
    for start in range(first - first % WIDTH, last + 1, WIDTH):
        low, high = max(first, start), min(last, start + WIDTH - 1)
        archived = dict(archive.entries(low, high))
        for index, at, body in connection.execute(_EVENTS, [low, high]):
            ours = month.since <= at < month.before
            if body is None and ours:
                archive.report.add("not_in_database", f"The event of leaf {index} is not in the database.")
            elif index in archived and body is not None and bytes(body) != archived[index]:
                archive.report.add("differs", f"The event of leaf {index} differs from the archived one.")
            elif ours and index in archived:
                same += 1
        progress(same)
    if not held == leaves == same:
        words = f"{month}: {held} events in the database, {leaves} leaves, {same} the same in the archive."
        archive.report.add("incomplete", words)
    return same


def _count(connection: psycopg.Connection[Any], month: Month) -> int:
    """Through the parent: a partition by itself shows nothing to anybody."""
    row = connection.execute(
        "SELECT count(*) FROM audit.event WHERE at >= %s AND at < %s", [month.since, month.before]
    ).fetchone()
    return int(row[0]) if row else 0


def check_may_go(
    connection: psycopg.Connection[Any], month: Month, *, online_months: int, now: datetime
) -> None:
    """Raises `Refused` where the month is too young, or no partition of the log."""
    until = month.later(1 + online_months).since
    if now < until:
        raise Refused(f"{month} stays in the database until {until:%Y-%m-%d}.")
    if not connection.execute(_ATTACHED, [f"audit.{month.partition}"]).fetchone():
        raise Refused(f"The log has no month {month}, or it was detached before.")


def detach(
    connection: psycopg.Connection[Any],
    archive: Archive,
    month: Month,
    *,
    online_months: int,
    now: datetime,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Takes the month out of the log where the archive was just found to hold all of it; how many events.

    Its table stays, readable by the owner alone. Leaves and tiles stay where they are.
    """
    check_may_go(connection, month, online_months=online_months, now=now)
    extent = leaves_of(connection, month)
    if extent is not None and extent[1] >= archive.size - archive.size % WIDTH:
        raise Refused(f"The last events of {month} are not in a full bundle of the archive yet.")
    same = compare(connection, archive, month, progress)
    if not archive.report.ok:
        raise Refused(f"The archive does not hold {month} as it should: see the problems.")
    table = sql.Identifier("audit", month.partition)
    with connection.transaction():
        connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(LOCK_WAIT)))
        if _count(connection, month) != same:
            raise Refused(f"Events were written into {month} during the check.")
        connection.execute(_REVISIONS, [month.since, month.before])
        if extent is not None:
            connection.execute(
                "INSERT INTO audit.archived_month (month, first_idx, last_idx, events, size) VALUES (%s, %s, %s, %s, %s)",
                [month.first, extent[0], extent[1], same, archive.size],
            )
        connection.execute(sql.SQL("ALTER TABLE audit.event DETACH PARTITION {}").format(table))
        connection.execute(
            sql.SQL("CREATE POLICY hub_owner_all ON {} TO hub_owner USING (true)").format(table)
        )
    return same
