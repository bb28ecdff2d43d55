"""The worker as a process: it works, says that it is alive, stops when told to, and outlives the database's restarts."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from tests.conftest import environment_of, settings_for
from tests.fixtures.store import Bucket

PROJECT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


def _environment(app_url: str, root_key_file: Path, bucket: Bucket, **more: str) -> dict[str, str]:
    settings = settings_for(app_url, root_key_file, **bucket.settings())
    return environment_of(settings, HUB_DEMO="1", **more)


class Running:
    def __init__(self, environment: dict[str, str], log: Path, superuser: str) -> None:
        self.log = log
        self.superuser = superuser
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hub.cli", "worker"],
                env=environment,
                cwd=PROJECT,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def one(self, statement: str) -> object:
        engine = sa.create_engine(self.superuser, poolclass=sa.NullPool)
        with engine.begin() as connection:
            found = connection.execute(sa.text(statement)).scalar()
        engine.dispose()
        return found

    def waits_for(self, statement: str, wanted: Callable[[object], bool], seconds: float = 40) -> None:
        until = time.monotonic() + seconds
        while not wanted(found := self.one(statement)):
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < until, f"{statement}: {found}\n{self.log.read_text()[-3000:]}"
            time.sleep(0.3)

    def stops_within(self, seconds: float) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)


@pytest.fixture
def running(
    database: SimpleNamespace, root_key_file: Path, bucket: Bucket, tmp_path: Path
) -> Iterator[Running]:
    started = Running(
        _environment(database.worker, root_key_file, bucket), tmp_path / "worker.log", database.superuser
    )
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.wait()


WORKERS = "SELECT count(*) FROM procrastinate_workers"
MAIL = (
    "INSERT INTO outbox_message (id, created_at, user_id, to_address, kind, subject, body, tries, due_at)"
    " SELECT gen_random_uuid(), now(), id, email, 'case.shared', 'S', 'B', 0, now() FROM app_user"
    " WHERE email = 'sergeant@example.org' RETURNING 1"
)
UNSENT = "SELECT count(*) FROM outbox_message WHERE sent_at IS NULL"


def test_it_carries_mail_and_stops_cleanly_when_told(running: Running) -> None:
    running.waits_for(WORKERS, lambda found: found == 1)
    running.one(MAIL)
    running.waits_for(UNSENT, lambda found: found == 0)
    assert (
        running.one("SELECT count(*) FROM audit.event WHERE act = 'notification.mailed' AND source = 'job'")
        == 1
    )
    assert running.stops_within(8) == 0
    assert running.one(WORKERS) == 0
    words = running.log.read_text()
    assert "worker_stopped" in words and "Traceback" not in words


def test_it_outlives_broken_connections_to_the_database(running: Running, database: SimpleNamespace) -> None:
    running.waits_for(WORKERS, lambda found: found == 1)
    for _ in range(2):
        running.one(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            f" WHERE datname = '{database.name}' AND usename = 'hub_worker'"
        )
        time.sleep(1)
    running.one(MAIL)
    running.waits_for(UNSENT, lambda found: found == 0, 60)
    running.waits_for(
        "SELECT max(last_heartbeat) > now() - interval '15 seconds' FROM procrastinate_workers", bool
    )
    assert running.stops_within(8) == 0


def test_a_killed_workers_job_does_not_stand_in_the_way(running: Running) -> None:
    """What a killed worker leaves in the queue is ended by the next, or at least never blocks it."""
    running.waits_for(WORKERS, lambda found: found == 1)
    running.one(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args, status, queueing_lock)"
        " VALUES ('default', 'send_mail', 0, '{\"timestamp\": 1}', 'doing', 'send_mail') RETURNING 1"
    )
    running.one(MAIL)
    running.waits_for(UNSENT, lambda found: found == 0)
