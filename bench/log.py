"""What the log costs, how many events a second it takes, and how soon its tree covers them.

    .venv/bin/python -m bench.log [SECONDS]

`open`: the page of one case with the log and with it switched off, alternating. Off means: nothing appended, nothing committed,
a copy of the database whose policies have no gate, and one role for all statements.
`events`: eight writers, a commit for each event, on a server with its usual settings, while `hub sequencer` runs as a
process of its own; as fast as they can, then 500 a second, when the time from an event to the checkpoint that covers it counts.
"""

from __future__ import annotations

import os
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from bench.clause import Bench, application, filled
from bench.clause_data import READERS
from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.access.walls import FINDING, policies
from hub.accounts import sessions
from hub.accounts.models import Team, User
from hub.accounts.vocabulary import Method
from hub.app import ENGINE
from hub.audit import reading
from hub.cli.db import upgrade
from hub.core.ids import new_id
from hub.extensions import db
from hub.launcher.postgres import Postgres
from tests.fixtures import planting
from tests.fixtures.world import build_world

ROUNDS, WARMING = 60, 15
WRITERS = 8
STEADY = 500
AT_MOST, AT_LEAST, WITHIN_SECONDS = 1.2, 1500.0, 2.0
_EVENT = (
    "SELECT audit.record_event(%s, 'consultation', 'case.opened', 'ok', 'case', %s, 1, ARRAY[%s], '{}', 1, '[]',"
    ' \'{"via": "lead"}\', NULL, \'{"part": "summary"}\', \'[]\', \'{"ip": "192.0.2.1"}\')'
)


def audited_open(folder: Path, superuser_url: str, app_url: str) -> float:
    """The ratio with/without of medians of one case's page."""
    bench = Bench(application(app_url, folder), superuser_url)
    actor = bench.sign_in(READERS["10 %"][0])
    with bench.walls(True):
        client, _ = bench._page(actor)
        page = client.get("/cases").get_data(as_text=True)
    address = re.findall(r'href="(/cases/[0-9a-f-]{36})"', page)[3]
    engines = {True: bench.walled, False: _without_gate(bench, superuser_url, app_url)}
    times: dict[bool, list[float]] = {True: [], False: []}
    for number in range(WARMING + ROUNDS):
        for logged in (True, False):
            bench.walled = engines[logged]
            with bench.walls(True), _log(on=logged):
                client, _ = bench._page(actor)
                began = time.perf_counter()
                answer = client.get(address)
                taken = time.perf_counter() - began
            if answer.status_code != 200:
                raise SystemExit(f"{address} answered {answer.status_code} with the log {logged}")
            if number >= WARMING:
                times[logged].append(taken * 1000)
    for engine in (*engines.values(), bench.plain):
        engine.dispose()
    audited, plain = statistics.median(times[True]), statistics.median(times[False])
    print(f"open: {audited:.1f} ms with the log, {plain:.1f} ms without: {audited / plain:.2f}")
    return audited / plain


def _without_gate(bench: Bench, superuser_url: str, app_url: str) -> sa.Engine:
    """The application's way into a copy of the database that gives rows out without an event."""
    bench.walled.dispose()
    bench.plain.dispose()
    original, copy = (make_url(superuser_url).set(database=name) for name in ("postgres", "ungated"))
    with sa.create_engine(original, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool).connect() as admin:
        admin.exec_driver_sql(f"CREATE DATABASE ungated TEMPLATE {make_url(superuser_url).database}")
    engine = sa.create_engine(copy, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for (table, name), (_, text, _) in policies().items():
            if name == FINDING:
                connection.exec_driver_sql(
                    f"ALTER POLICY hub_read ON {table} USING ({text})".replace("%", "%%")
                )
    return sa.create_engine(make_url(app_url).set(database="ungated"), **ENGINE)


@contextmanager
def _log(*, on: bool) -> Iterator[None]:
    if on:
        yield
        return
    with (
        mock.patch.object(reading, "append", return_value=new_id()),
        mock.patch.object(reading, "db", SimpleNamespace(session=mock.Mock())),
    ):
        yield


class Writers:
    """Eight connections of the application's role that write one event a transaction."""

    def __init__(self, app_url: str, token: str) -> None:
        self.address, self.token = app_url.replace("+psycopg", ""), token
        self.written = 0
        self.lock = threading.Lock()

    def run(self, seconds: float, a_second: float | None = None) -> float:
        """Events a second, over that many seconds."""
        self.written = 0
        until = time.monotonic() + seconds
        threads = [threading.Thread(target=self._write, args=(until, a_second)) for _ in range(WRITERS)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        return self.written / seconds

    def _write(self, until: float, a_second: float | None) -> None:
        with psycopg.connect(self.address, autocommit=True, prepare_threshold=1) as connection:
            due = time.monotonic()
            while (now := time.monotonic()) < until:
                if a_second is not None:
                    due += WRITERS / a_second
                    time.sleep(max(0.0, due - now))
                record = new_id()
                connection.execute(_EVENT, [self.token, record, record])
                with self.lock:
                    self.written += 1


@contextmanager
def running(folder: Path) -> Iterator[tuple[Any, str]]:
    """A server with its usual settings (it waits for the disk), its tables, an actor's token, and the sequencer."""
    server = Postgres(folder, test=False)
    address = server.start()
    key = folder / "log.key"
    key.write_bytes(secrets.token_bytes(32))
    try:
        upgrade(address.owner_url)
        app = application(address.app_url, folder)
        with app.app_context():
            planting.serve(address.superuser_url)
            world = build_world()
            enter(db.session(), NOBODY)
            token = sessions.start(
                db.session.get_one(User, world.users["officer"]),
                db.session.get_one(Team, world.teams["safety"]),
                method=Method.OPERATOR,
            )
            db.session.commit()
            db.session.remove()
            db.engine.dispose()
        sequencer = subprocess.Popen(
            [sys.executable, "-m", "hub.cli", "sequencer"],
            env={
                **os.environ,
                "HUB_VAR": str(folder),
                "HUB_SEQUENCER_DATABASE_URL": address.sequencer_url,
                "HUB_LOG_KEY_FILE": str(key),
            },
            stderr=subprocess.DEVNULL,
        )
        try:
            yield address, token
        finally:
            sequencer.terminate()
            sequencer.wait()
    finally:
        server.destroy()


def _covered(address: Any) -> tuple[float, int]:
    """p99 of the seconds from an event to the checkpoint over it, for the last 5,000 events; how many still wait."""
    with psycopg.connect(address.owner_url.replace("+psycopg", "")) as connection:
        until, waiting = time.monotonic() + 20, None
        while time.monotonic() < until:
            waiting = connection.execute("SELECT waiting FROM audit.tree_lag()").fetchone()
            connection.commit()
            if waiting == (0,):
                break
            time.sleep(0.2)
        row = connection.execute(
            "SELECT percentile_cont(0.99) WITHIN GROUP (ORDER BY lag) FROM (SELECT extract(epoch FROM"
            " (SELECT min(c.at) FROM audit.checkpoint c WHERE c.size > l.idx) - l.event_at) AS lag"
            " FROM audit.leaf l ORDER BY l.idx DESC LIMIT 5000) AS late"
        ).fetchone()
    return float(row[0] if row else 0), int(waiting[0] if waiting else 0)


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder, filled() as (superuser_url, app_url):
        ratio = audited_open(Path(folder), superuser_url, app_url)
    with (
        tempfile.TemporaryDirectory(prefix="hub-bench-") as folder,
        running(Path(folder)) as (address, token),
    ):
        writers = Writers(address.app_url, token)
        fast = writers.run(seconds)
        _, waiting = _covered(address)
        print(
            f"events: {fast:.0f} a second, one a commit, {WRITERS} writers; {waiting} without a leaf 20 s later"
        )
        steady = writers.run(seconds, STEADY)
        late, waiting = _covered(address)
        print(
            f"tree: at {steady:.0f} a second, 99 of 100 events are covered within {late:.2f} s; {waiting} wait"
        )
    return int(ratio > AT_MOST or fast < AT_LEAST or late > WITHIN_SECONDS or waiting > 0)


if __name__ == "__main__":
    raise SystemExit(main())
