"""The sequencer as the process that it is: killed at any moment, it goes on where it was, with the same root."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from hub.crypto.tlog.notes import Verifier, open_note
from tests.audit.conftest import Connect, Door
from tests.audit.test_sequencing import defined_root, events, newest

PATIENCE_SECONDS = 60.0


@pytest.fixture
def environment(database: SimpleNamespace, tmp_path: Path) -> dict[str, str]:
    key = tmp_path / "log.key"
    key.write_bytes(bytes(range(32)))
    told = {
        "HUB_VAR": str(tmp_path),
        "HUB_SEQUENCER_DATABASE_URL": database.sequencer,
        "HUB_LOG_KEY_FILE": str(key),
        "HUB_LOG_ORIGIN": "hub.example/log",
    }
    return {**{name: value for name, value in os.environ.items() if not name.startswith("HUB_")}, **told}


@contextmanager
def sequencer(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "hub.cli", "sequencer"], env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _wait(met: object, what: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not met():  # type: ignore[operator]
        if time.monotonic() > until:
            pytest.fail(f"{what}: not within {PATIENCE_SECONDS:.0f} s")
        time.sleep(0.05)


@pytest.mark.slow
def test_killed_again_and_again_it_ends_with_the_one_root(
    door: Door, connect: Connect, environment: dict[str, str]
) -> None:
    owner, done = connect("owner"), threading.Event()
    writer = threading.Thread(target=_write, args=(door, connect, done))
    writer.start()
    draw = random.Random(5)
    for _ in range(4):
        with sequencer(environment) as process:
            # at least once right after its first words, when it has just begun
            assert process.stderr is not None and process.stderr.readline()
            time.sleep(draw.random())
            process.send_signal(signal.SIGKILL)
            process.wait()
    done.set()
    writer.join()
    total = len(events(owner))
    with sequencer(environment) as process:
        _wait(lambda: process.poll() is not None or _covered(connect) == total, "every event covered")
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    size, root, note = newest(owner)
    assert (size, root) == (total, defined_root(owner))
    (key,) = owner.execute("SELECT vkey FROM audit.log_key").fetchone() or ("",)
    assert open_note(note, [Verifier.parse(key)])[1] == {"hub.example/log": None}


def _write(door: Door, connect: Connect, done: threading.Event) -> None:
    app = connect("app")
    while not done.is_set():
        door.record(app)
        time.sleep(0.005)


def _covered(connect: Connect) -> int:
    row = (
        connect("owner")
        .execute("SELECT coalesce(max(size), 0) FROM audit.checkpoint WHERE note IS NOT NULL")
        .fetchone()
    )
    return int(row[0]) if row else 0


def test_it_ends_with_its_database_and_says_so_in_one_line(environment: dict[str, str]) -> None:
    environment["HUB_SEQUENCER_DATABASE_URL"] = "postgresql+psycopg://hub_sequencer:x@127.0.0.1:1/hub"
    with sequencer(environment) as process:
        _, words = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "The database is out of reach" in words and "Traceback" not in words


def test_a_leaf_that_is_there_already_is_not_called_a_lost_database(
    door: Door, connect: Connect, environment: dict[str, str]
) -> None:
    key = door.record(connect("app"))
    superuser = connect("superuser")
    superuser.execute(
        "INSERT INTO audit.leaf (idx, event_id, event_at) SELECT 0, id, at FROM audit.event WHERE id = %s",
        [key],
    )
    superuser.commit()
    with sequencer(environment) as process:
        _, words = process.communicate(timeout=30)
    assert process.returncode == 1 and "Traceback" not in words
    assert "written by somebody else meanwhile" in words and "out of reach" not in words


def test_what_the_database_refuses_is_not_called_a_lost_database(
    door: Door, connect: Connect, environment: dict[str, str]
) -> None:
    door.record(connect("app"))
    superuser = connect("superuser")
    superuser.execute("REVOKE INSERT ON audit.leaf FROM hub_sequencer")
    superuser.commit()
    with sequencer(environment) as process:
        _, words = process.communicate(timeout=30)
    assert process.returncode == 1 and "Traceback" not in words
    assert "The database refused (42501)" in words and "out of reach" not in words


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("HUB_LOG_KEY_FILE", "/nowhere", "can't be read"),
        ("HUB_SEQUENCER_DATABASE_URL", "", "is not set"),
        ("HUB_LOG_WITNESSES", "/nowhere", "HUB_LOG_WITNESSES can't be used"),
    ],
)
def test_wrong_settings_are_told(environment: dict[str, str], name: str, value: str, words: str) -> None:
    environment[name] = value
    with sequencer(environment) as process:
        _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert words in said and "Traceback" not in said
