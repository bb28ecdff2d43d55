"""The order of events: a cursor on (xid, id) below the snapshot's horizon misses none, however writers overlap."""

from __future__ import annotations

import random
import threading
import time
from typing import Any
from uuid import UUID

import psycopg
import pytest

from hub.access.actor import Actor
from tests.audit.conftest import Connect, Door

WRITERS = 4
BELOW_HORIZON = (
    "SELECT id, xid::text AS written_in FROM audit.event WHERE (xid, id) > (%s::xid8, %s)"
    " AND xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid, id"
)


@pytest.mark.slow
def test_four_overlapping_writers_leave_no_gap(door: Door, connect: Connect, officer: Actor) -> None:
    owner = connect("owner")
    done = threading.Event()
    written: list[list[UUID]] = [[] for _ in range(WRITERS)]
    writers = [
        threading.Thread(
            target=_write, args=(door, connect("app", autocommit=False), done, written[number], number)
        )
        for number in range(WRITERS)
    ]
    before = {row[0] for row in owner.execute("SELECT id FROM audit.event").fetchall()}
    for writer in writers:
        writer.start()
    seen: list[UUID] = []
    last: tuple[str, UUID] = ("0", UUID(int=0))
    until = time.monotonic() + 3
    while time.monotonic() < until or any(writer.is_alive() for writer in writers):
        if time.monotonic() >= until:
            done.set()
        last = _follow(owner, last, seen)
        time.sleep(0.02)
    for writer in writers:
        writer.join()
    # the horizon is the cluster's: another database's transaction may hold it back for a moment
    while time.monotonic() < until + 30 and sum(map(len, written)) > len(seen) - len(before):
        last = _follow(owner, last, seen)
    committed = [one for mine in written for one in mine]
    assert len(committed) > 100
    assert len(seen) == len(set(seen))
    assert set(seen) - before == set(committed)


def _follow(owner: psycopg.Connection[Any], last: tuple[str, UUID], seen: list[UUID]) -> tuple[str, UUID]:
    rows = owner.execute(BELOW_HORIZON, last).fetchall()
    seen.extend(row[0] for row in rows)
    return (rows[-1][1], rows[-1][0]) if rows else last


def _write(
    door: Door, connection: psycopg.Connection[Any], done: threading.Event, written: list[UUID], number: int
) -> None:
    chance = random.Random(number)
    while not done.is_set():
        made = [door.record(connection) for _ in range(chance.randint(1, 3))]
        time.sleep(chance.random() * 0.02)
        if chance.random() < 0.1:
            connection.rollback()
        else:
            connection.commit()
            written.extend(made)
