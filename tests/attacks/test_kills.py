"""SIGKILL of the web's and the worker's processes: nothing is shown or changed without its event, and work goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from uuid import UUID

import psycopg
import pytest

from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.attestations import jobs
from hub.extensions import db
from hub.launcher.ports import Ports
from hub.launcher.processes import wait_until
from tests.attacks import warmed
from tests.attacks.readers import Answer, Readers, ask, words_in
from tests.conftest import by_worker, environment_of, settings_for
from tests.fixtures.site import Site
from tests.fixtures.world import act_as
from tests.rules.canaries import Canaries, plant

attest_access = by_worker(jobs.attest_access)

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
# as the launcher starts it; but the application is loaded before the fork, so that after a kill another is there at once
GUNICORN = (
    "--workers=2",
    "--worker-class=gthread",
    "--threads=8",
    "--no-control-socket",
    "--preload",
    "tests.attacks.warmed:warmed()",
)
# so often all of them are killed, so many answers must be cut by it, so many pages show canaries between two times
KILLS = 12
CUT = 5
SHOWN_BETWEEN = 2
PATIENCE_SECONDS = 60.0


@pytest.fixture
def environment(database: SimpleNamespace, root_key_file: Path, tmp_path: Path) -> dict[str, str]:
    """What the launcher gives to web and worker. No job of these tests needs the store of files."""
    settings = settings_for(database.app, root_key_file)
    return environment_of(
        settings, HUB_VAR=str(tmp_path), HUB_DEMO="1", HUB_WORKER_DATABASE_URL=database.worker
    )


@pytest.fixture
def superuser(database: SimpleNamespace) -> Iterator[psycopg.Connection]:
    url = database.superuser.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@contextmanager
def _running(environment: dict[str, str], log: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the hub with all its children, gone at the end of the block."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            env=environment,
            cwd=PROJECT,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _named_by_request(superuser: psycopg.Connection) -> dict[str, set[UUID]]:
    """Request → every id that its committed events name."""
    named: dict[str, set[UUID]] = defaultdict(set)
    for request, ids in superuser.execute(
        "SELECT convert_from(body, 'UTF8')::jsonb -> 'source' ->> 'request', record_ids || person_ids || object_id"
        " FROM audit.event WHERE outcome = 'ok'"
    ):
        named[request] |= set(ids)
    return named


def test_whatever_a_killed_web_process_gave_out_has_its_event(
    site: Site,
    superuser: psycopg.Connection,
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    """The measure: an answer's first bytes carry its request's number (`X-Request-Id`), and so do the events that the
    request wrote. So for every canary in any bytes that arrived, also of an answer that was cut, a committed event of that
    very request must name the canary's record. An event without bytes is allowed: the look was written, then came the kill.
    """
    canaries = plant(site)
    with site.inside():
        token = act_as(site.world, "officer").token
    _, incident, person = canaries.ids[:3]
    # a list and two records: each new process must prepare every page's statements anew
    paths = ["/people", f"/incidents/{incident}", f"/people/{person}"]
    port = Ports(tmp_path).claim("web")
    environment |= {warmed.TOKEN: token, warmed.PATHS: " ".join(paths)}
    with _running(
        environment, tmp_path / "web.log", "gunicorn", f"--bind=127.0.0.1:{port}", *GUNICORN
    ) as web:
        readers = Readers(web, port, token, paths, list(canaries.texts))
        assert wait_until(lambda: ask(port, "/cases", token).whole, seconds=PATIENCE_SECONDS, every=0.2)
        _kill_and_read(readers)
        assert wait_until(lambda: ask(port, "/cases", token).whole, seconds=PATIENCE_SECONDS, every=0.2)
        again = ask(port, f"/incidents/{incident}", token)
    assert b" 200 OK" in again.received.partition(b"\r\n")[0] and words_in(again.received, readers.words)
    _each_canary_has_its_event([*readers.answers, again], canaries, _named_by_request(superuser))


def _kill_and_read(readers: Readers) -> None:
    """By turns as soon as a canary has arrived anywhere, and at any moment of the requests under way."""
    draw = random.Random(11)
    with readers.at_work():
        turn = 0
        while readers.cut < CUT or turn < KILLS:
            turn += 1
            _wait_for_pages(readers)
            if turn % 2:
                readers.armed.set()
                assert wait_until(lambda: not readers.armed.is_set(), seconds=PATIENCE_SECONDS)
            else:
                Event().wait(draw.uniform(0, 0.2))
                readers.kill()


def _wait_for_pages(readers: Readers) -> None:
    wanted = readers.shown + SHOWN_BETWEEN
    assert wait_until(lambda: readers.shown >= wanted, seconds=PATIENCE_SECONDS)


def _each_canary_has_its_event(
    answers: list[Answer], canaries: Canaries, named: dict[str, set[UUID]]
) -> None:
    words = list(canaries.texts)
    checked = 0
    for answer in answers:
        for word in words_in(answer.received, words):
            request = answer.header("x-request-id")
            assert canaries.texts[word] & named[request], (
                f"{word} was given out by {request} without an event"
            )
            checked += 1
    assert checked > CUT, "the pages must show something, or this proves nothing"


def _queue(superuser: psycopg.Connection, job: str) -> None:
    """As the clock does it."""
    superuser.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args, status, queueing_lock)"
        " VALUES ('default', %s, 0, '{\"timestamp\": 1}', 'todo', %s) ON CONFLICT DO NOTHING",
        [job, job],
    )


def _count(superuser: psycopg.Connection, statement: str) -> int:
    row = superuser.execute(statement).fetchone()
    assert row is not None
    return int(row[0])


def _kill(worker: subprocess.Popen[bytes], superuser: psycopg.Connection) -> None:
    """Its connections have ended when this returns: what the server was still doing for it is done or undone."""
    worker.kill()
    worker.wait()
    superuser.execute("SELECT pg_advisory_unlock_all()")
    left = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'hub_worker'"
        " AND backend_type = 'client backend'"
    )
    assert wait_until(lambda: _count(superuser, left) == 0, seconds=PATIENCE_SECONDS)


MAILS = 600
SENT = "SELECT count(*) FROM outbox_message WHERE sent_at IS NOT NULL"
MAILED = "SELECT count(*) FROM audit.event WHERE act = 'notification.mailed'"


def _wait_for_mail(superuser: psycopg.Connection) -> None:
    before = _count(superuser, SENT)
    assert wait_until(lambda: _count(superuser, SENT) > before, seconds=PATIENCE_SECONDS)


def test_a_worker_killed_again_and_again_settles_each_message_with_its_event(
    superuser: psycopg.Connection, environment: dict[str, str], tmp_path: Path
) -> None:
    """Each message is settled together with its event, in one transaction. After every kill there are as many events as
    settled messages, neither fewer nor more, and the last worker comes to the end of them all."""
    superuser.execute(
        "INSERT INTO outbox_message (id, created_at, user_id, to_address, kind, subject, body, tries, due_at)"
        " SELECT gen_random_uuid(), now(), id, email, 'case.shared', 'S', 'B', 0, now()"
        " FROM app_user, generate_series(1, %s) WHERE email = 'sergeant@example.org'",
        [MAILS],
    )
    draw = random.Random(3)
    settled: list[int] = []
    for _ in range(2):
        with _running(environment, tmp_path / "worker.log", "hub.cli", "worker") as worker:
            _queue(superuser, "send_mail")
            _wait_for_mail(superuser)
            Event().wait(draw.uniform(0, 0.3))
            _kill(worker, superuser)
        settled.append(_count(superuser, SENT))
        assert settled[-1] == _count(superuser, MAILED)
        # the minutes have passed for which the dead worker had taken them
        superuser.execute("UPDATE outbox_message SET due_at = now() WHERE sent_at IS NULL")
    assert 0 < settled[0] < settled[1] < MAILS, "a kill must come in the middle, or this proves nothing"
    with _running(environment, tmp_path / "worker.log", "hub.cli", "worker"):
        _queue(superuser, "send_mail")
        assert wait_until(lambda: _count(superuser, SENT) == MAILS, seconds=PATIENCE_SECONDS)
    assert _count(superuser, MAILED) == MAILS


# The statement waits for this lock, which the test holds: so the worker dies exactly there.
HELD = 4_711
PARKED = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'hub_worker'"
    " AND wait_event_type = 'Lock' AND wait_event = 'advisory'"
)
PLACES = {
    "while its event is written": ("TRIGGER held BEFORE INSERT", ""),
    "at the commit": ("CONSTRAINT TRIGGER held AFTER INSERT", "DEFERRABLE INITIALLY DEFERRED"),
}
# what the job changes, and the event that each change must have; neither is there without the other
CHANGED = """
    SELECT 'closed', id FROM attestation WHERE closed_at IS NOT NULL
    UNION ALL SELECT 'disabled', id FROM app_user WHERE disabled_why = 'not_attested'
    UNION ALL SELECT 'disabled', user_id FROM attestation_line WHERE suspended_at IS NOT NULL
"""
WRITTEN = """
    SELECT CASE act WHEN 'attestation.closed' THEN 'closed' ELSE 'disabled' END, object_id
    FROM audit.event WHERE act IN ('attestation.closed', 'user.disabled')
"""
OPEN = "SELECT count(*) FROM attestation WHERE closed_at IS NULL"


def _hold(superuser: psycopg.Connection, place: str) -> None:
    kind, when = PLACES[place]
    superuser.execute(
        f"""
        CREATE FUNCTION audit.held() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
            PERFORM pg_advisory_xact_lock_shared({HELD}); RETURN new;
        END $$;
        GRANT EXECUTE ON FUNCTION audit.held() TO PUBLIC;
        CREATE {kind} ON audit.event {when} FOR EACH ROW WHEN (new.act = 'attestation.closed')
            EXECUTE FUNCTION audit.held();
        SELECT pg_advisory_lock({HELD});
        """
    )


def test_a_job_whose_worker_was_killed_is_done_once_and_never_by_halves(
    site: Site, superuser: psycopg.Connection, environment: dict[str, str], tmp_path: Path
) -> None:
    """The monthly round suspends accounts, ends their sessions and closes the list, all with their events, one
    organisation after the other. It is killed after its changes, while the event of the first list is written; then, in the
    next run, when that list's transaction is about to commit. What is changed and what is written stay the same set."""
    with site.inside():
        enter(db.session(), NOBODY)
        lists = attest_access(Event())
        db.engine.dispose()
    superuser.execute("UPDATE attestation SET due_at = now() - interval '1 second'")
    for place, closed in (("while its event is written", 0), ("at the commit", 1)):
        _hold(superuser, place)
        with _running(environment, tmp_path / "worker.log", "hub.cli", "worker") as worker:
            _queue(superuser, "attest_access")
            assert wait_until(lambda: _count(superuser, PARKED) == 1, seconds=PATIENCE_SECONDS)
            _kill(worker, superuser)
        superuser.execute("DROP TRIGGER held ON audit.event; DROP FUNCTION audit.held()")
        # the server carries out a commit that it was asked for, whoever has died since
        assert _count(superuser, OPEN) == lists - closed
        _changes_have_their_events(superuser)
    with _running(environment, tmp_path / "worker.log", "hub.cli", "worker"):
        _queue(superuser, "attest_access")
        assert wait_until(lambda: _count(superuser, OPEN) == 0, seconds=PATIENCE_SECONDS)
    _changes_have_their_events(superuser)
    assert (
        _count(superuser, "SELECT count(*) FROM audit.event WHERE act = 'attestation.closed'") == lists >= 4
    )


def _changes_have_their_events(superuser: psycopg.Connection) -> None:
    changed, written = superuser.execute(CHANGED).fetchall(), superuser.execute(WRITTEN).fetchall()
    assert set(changed) == set(written)
    assert len(written) == len(set(written)), "an event came twice"
    # the account and its line on the list are changed together
    per_user = [key for kind, key in changed if kind == "disabled"]
    assert all(per_user.count(key) == 2 for key in per_user)
