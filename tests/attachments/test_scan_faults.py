"""The scan meets a scanner, a store or a worker that fails it: the file waits, and is scanned when all is well again."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest

from hub.scanner.clamd import Scanner
from tests.attachments.conftest import Desk
from tests.attachments.scanned import PLAIN, States, on_the_way, put, scan, states
from tests.conftest import as_worker, environment_of
from tests.fixtures.clamd import EICAR, Clamd
from tests.fixtures.crooked import Crooked, asks

__all__ = ["states"]
PROJECT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow
IDLE = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = :name AND usename = 'hub_worker'"
    " AND (state LIKE 'idle in transaction%' OR backend_xid IS NOT NULL)"
)


def _opens(desk: Desk, key: UUID) -> bool:
    answer = desk.officer().get(desk.path(key))
    return answer.status_code == 200 and answer.get_data() == PLAIN


def test_a_scanner_killed_in_the_middle_leaves_the_file_waiting(
    scanned: Desk, states: States, clamd: Clamd, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = put(scanned)
    on_the_way(monkeypatch, clamd.kill)
    assert scan(scanned) == 0
    assert states.of(key) == ("pending", None) and states.tried() == [(1, "broken_off")]
    assert not _opens(scanned, key)
    # not there at all: nothing that says anything of the file
    states.due()
    assert scan(scanned) == 0 and states.tried() == [(1, "broken_off")]
    clamd.start()
    assert scan(scanned) == 1
    assert states.of(key) == ("clean", None) and states.tried() == [] and _opens(scanned, key)


def test_a_file_that_kills_the_scanner_waits_and_does_not_hold_up_the_others(
    scanned: Desk, states: States, clamd: Clamd, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = put(scanned)
    for number in range(1, 5):
        on_the_way(monkeypatch, clamd.kill)
        assert scan(scanned) == 0
        clamd.start()
        assert states.of(first) == ("pending", None) and states.tried() == [(number, "broken_off")]
        # too early for another try
        assert scan(scanned) == 0 and states.tried() == [(number, "broken_off")]
        if number < 4:
            states.due()
    second = put(scanned)
    assert scan(scanned) == 1
    assert states.of(first) == ("pending", None) and states.of(second) == ("clean", None)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"stream: OK", "broken_answer"),
        (b"stream: Can't create temporary file ERROR\0", "scanner_error"),
        (None, "timeout"),
    ],
    ids=["garbage", "error", "silence"],
)
def test_no_sensible_answer_to_a_file_is_said_of_it_after_three_tries(
    scanned: Desk,
    states: States,
    clamd: Clamd,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: bytes | None,
    reason: str,
) -> None:
    monkeypatch.setitem(Scanner.__init__.__kwdefaults__, "answer_seconds", 1.0)
    key, good = put(scanned), put(scanned, b"Nothing of the kind")
    crooked = Crooked(tmp_path, lambda said: answer if PLAIN[:20] in said else asks(clamd.address, said))
    with crooked.serving():
        scanned.settings(clamd=crooked.address)
        assert scan(scanned) == 1 and states.of(good) == ("clean", None)
        for number in (1, 2):
            assert states.of(key) == ("pending", None) and states.tried() == [(number, reason)]
            states.due()
            assert scan(scanned) == number - 1
    assert states.of(key) == ("unscannable", reason) and states.tried() == []
    answered = scanned.officer().get(scanned.path(key))
    assert answered.status_code == 409 and "cannot be scanned" in answered.get_data(as_text=True)


def test_a_scanner_that_keeps_quiet_about_its_limits_is_not_used(
    scanned: Desk, states: States, clamd_program: str
) -> None:
    key = put(scanned)
    careless = Clamd(clamd_program, AlertExceedsMax="no")
    try:
        careless.start()
        good = scanned.site.app.config["HUB_SETTINGS"].clamd
        scanned.settings(clamd=careless.address)
        assert scan(scanned) == 0 and states.of(key) == ("pending", None) and states.tried() == []
        scanned.settings(clamd=good)
        assert scan(scanned) == 1
    finally:
        careless.destroy()


def test_a_store_that_does_not_answer_leaves_the_file_waiting(scanned: Desk, states: States) -> None:
    first, second = put(scanned), put(scanned)
    endpoint = scanned.site.app.config["HUB_SETTINGS"].s3_endpoint
    scanned.settings(s3_endpoint="http://127.0.0.1:1")
    # the second one would fare alike, so it isn't tried
    assert scan(scanned) == 0 and states.tried() == [(1, "store_unavailable")]
    scanned.settings(s3_endpoint=endpoint)
    states.due()
    assert scan(scanned) == 2
    assert states.of(first) == states.of(second) == ("clean", None)


KILLED = """
import os, signal, sys
from threading import Event
import hub.attachments.scanning as scanning
from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.app import create_app
from hub.config import WORKER, Settings
from hub.extensions import db
whole = scanning.decrypt_chunks
def killed(*given):
    for number, block in enumerate(whole(*given)):
        if number == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        yield block
scanning.decrypt_chunks = killed
app = create_app(Settings.from_environment(role=WORKER))
with app.app_context():
    enter(db.session(), NOBODY)
    scanning.scan_pending(Event())
"""


def test_what_a_killed_worker_had_in_hand_the_next_one_finishes(
    scanned: Desk, states: States, database: SimpleNamespace
) -> None:
    key = put(scanned)
    settings = replace(scanned.site.app.config["HUB_SETTINGS"], database_url=database.worker)
    ended = subprocess.run(
        [sys.executable, "-c", KILLED],
        env=environment_of(settings),
        cwd=PROJECT,
        capture_output=True,
        check=False,
    )
    assert ended.returncode == -9, ended.stderr.decode()[-2000:]
    assert states.of(key) == ("pending", None) and states.events("attachment.scanned") == []
    # the database gives the claim up when it finds the connection gone
    until = time.monotonic() + 20
    while not scan(scanned) and time.monotonic() < until:
        time.sleep(0.1)
    assert states.of(key) == ("clean", None) and _opens(scanned, key)


def test_two_workers_do_not_scan_one_file_at_once(
    scanned: Desk, states: States, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = put(scanned)
    begun, go_on = threading.Event(), threading.Event()

    def waits() -> None:
        begun.set()
        go_on.wait(30)

    on_the_way(monkeypatch, waits)
    done: list[int] = []
    first = threading.Thread(target=lambda: done.append(scan(scanned)))
    first.start()
    assert begun.wait(30)
    assert scan(scanned) == 0
    go_on.set()
    first.join(30)
    assert done == [1] and states.of(key) == ("clean", None)
    assert states.events("attachment.scanned") == ["clean"]


def test_no_transaction_is_held_while_a_file_streams(
    scanned: Desk, states: States, monkeypatch: pytest.MonkeyPatch, database: SimpleNamespace
) -> None:
    put(scanned)
    seen: list[int] = []
    on_the_way(
        monkeypatch,
        lambda: seen.append(scanned.site.sql(database.superuser, IDLE, name=database.name)[0][0]),
    )
    assert scan(scanned) == 1 and seen == [0]


def test_a_worker_that_is_told_to_stop_leaves_the_file_as_it_was(
    scanned: Desk, states: States, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hub.attachments.scanning import scan_pending

    first, second = put(scanned), put(scanned, EICAR)
    stop = threading.Event()
    on_the_way(monkeypatch, stop.set)
    with scanned.site.inside(), as_worker():
        assert scan_pending(stop) == 0
    assert states.of(first) == states.of(second) == ("pending", None) and states.tried() == []
    assert scan(scanned) == 2
