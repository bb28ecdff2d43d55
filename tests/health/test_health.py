"""The health page: tells which parts are up, never hangs, says nothing else."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from hub.app import create_app
from hub.audit.sequencing import Memory, Sequencer
from hub.config import Settings
from hub.crypto.tlog.notes import Signer
from hub.extensions import db
from hub.web.health import Health
from hub.web.store import store_of
from tests.conftest import settings_for
from tests.fixtures.site import Site
from tests.fixtures.store import Bucket
from tests.fixtures.world import World

NOWHERE = "postgresql+psycopg://hub_app:x@127.0.0.1:1/hub"


@pytest.fixture
def healthy(database: SimpleNamespace, root_key_file: Path, world: World, bucket: Bucket) -> Iterator[Site]:
    app = create_app(settings_for(database.app, root_key_file, **bucket.settings()))
    # the first use of the store's library takes its time on a busy machine
    store_of(app).check()
    yield Site(app, world)
    with app.app_context():
        db.engine.dispose()


def _beat(site: Site, database: SimpleNamespace, age: str = "0 seconds") -> None:
    site.sql(
        database.superuser,
        "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - CAST(:age AS interval))",
        age=age,
    )


def _seal(database: SimpleNamespace, folder: Path) -> None:
    """As the sequencer does, until every event is covered."""
    url = database.sequencer.replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(url) as connection:
        sequencer = Sequencer(
            connection, Signer.from_seed("hub.example/log", bytes(32)), Memory(folder / "last")
        )
        sequencer.begin()
        until = time.monotonic() + 30
        while sequencer.step() or (_waiting(connection) and time.monotonic() < until):
            time.sleep(0.05)


def _waiting(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT waiting FROM audit.tree_lag()").fetchone()
    connection.commit()
    return int(row[0]) if row else 0


def test_everything_up_is_200_and_says_only_that(
    healthy: Site, database: SimpleNamespace, tmp_path: Path
) -> None:
    _beat(healthy, database)
    _seal(database, tmp_path)
    answer = healthy.visitor().get("/health")
    assert answer.status_code == 200
    assert answer.get_json() == {
        "status": "up",
        "parts": {"database": "up", "object_store": "up", "log": "up", "tree": "up", "worker": "up"},
    }
    assert "Set-Cookie" not in answer.headers


def test_events_that_no_seal_covers_are_an_alarm_but_no_failure(
    healthy: Site, database: SimpleNamespace
) -> None:
    healthy.sql(database.superuser, "UPDATE audit.event SET at = at - interval '1 minute'")
    answer = healthy.visitor().get("/health")
    assert answer.status_code == 200
    assert (answer.get_json()["status"], answer.get_json()["parts"]["tree"]) == ("degraded", "down")


def test_what_a_start_has_not_caught_up_with_is_no_failure_yet(
    healthy: Site, database: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    _beat(healthy, database)
    healthy.sql(database.superuser, "UPDATE audit.event SET at = at - interval '1 minute'")
    monkeypatch.setattr("hub.web.health._STARTED", time.monotonic() - 20)
    told = healthy.visitor().get("/health").get_json()
    assert (told["status"], told["parts"]["tree"]) == ("starting", "starting")
    page = healthy.visitor().get("/health", headers={"Accept": "text/html"}).text
    assert "started a moment ago" in page and "Not working" not in page
    # half a minute is all that it is given
    monkeypatch.setattr("hub.web.health._STARTED", time.monotonic() - 31)
    time.sleep(1.1)
    told = healthy.visitor().get("/health").get_json()
    assert (told["status"], told["parts"]["tree"]) == ("degraded", "down")


def test_a_start_excuses_nothing_else(healthy: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.web.health._STARTED", time.monotonic())
    told = healthy.visitor().get("/health").get_json()
    assert (told["status"], told["parts"]["worker"]) == ("degraded", "down")


@pytest.fixture
def archived(
    database: SimpleNamespace, root_key_file: Path, world: World, bucket: Bucket, tmp_path: Path
) -> Iterator[Site]:
    """A service whose log has a second place, with every event sealed and a worker at work."""
    told = settings_for(database.app, root_key_file, archived=True, **bucket.settings())
    site = Site(create_app(told), world)
    store_of(site.app).check()
    _beat(site, database)
    _seal(database, tmp_path)
    yield site
    with site.app.app_context():
        db.engine.dispose()


def _copied(site: Site, database: SimpleNamespace, *, waits: str) -> None:
    """All but the last event are in the second place; that one was written so long ago."""
    site.sql(
        database.superuser, "UPDATE audit.archive SET size = (SELECT size FROM audit.tree) - 1, at = now()"
    )
    site.sql(
        database.superuser,
        "UPDATE audit.leaf SET event_at = now() - CAST(:waits AS interval)"
        " WHERE idx = (SELECT size FROM audit.archive)",
        waits=waits,
    )


def test_a_copy_that_lags_is_an_alarm_but_no_failure(archived: Site, database: SimpleNamespace) -> None:
    for waits, state, status in (("100 seconds", "up", "up"), ("150 seconds", "down", "degraded")):
        _copied(archived, database, waits=waits)
        time.sleep(1.1)
        answer = archived.visitor().get("/health")
        assert answer.status_code == 200, waits
        assert answer.get_json()["parts"] == {
            "database": "up",
            "object_store": "up",
            "log": "up",
            "tree": "up",
            "archive": state,
            "worker": "up",
        }, waits
        assert answer.get_json()["status"] == status, waits
    page = archived.visitor().get("/health", headers={"Accept": "text/html"}).get_data(as_text=True)
    assert "Access log’s copy" in page and "Not working" in page
    archived.sql(database.superuser, "UPDATE audit.archive SET size = (SELECT size FROM audit.tree)")
    time.sleep(1.1)
    assert archived.visitor().get("/health").get_json()["status"] == "up"


def test_a_copy_that_was_never_made_is_an_alarm(archived: Site, database: SimpleNamespace) -> None:
    archived.sql(database.superuser, "UPDATE audit.leaf SET event_at = event_at - interval '3 minutes'")
    assert archived.visitor().get("/health").get_json()["parts"]["archive"] == "down"


def test_without_a_second_place_nothing_is_said_of_a_copy(healthy: Site, database: SimpleNamespace) -> None:
    healthy.sql(database.superuser, "UPDATE audit.archive SET size = 0")
    assert "archive" not in healthy.visitor().get("/health").get_json()["parts"]
    page = healthy.visitor().get("/health", headers={"Accept": "text/html"}).get_data(as_text=True)
    assert "Access log’s copy" not in page


def test_a_person_gets_a_page(healthy: Site) -> None:
    page = healthy.visitor().get("/health", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.mimetype == "text/html" and "Is the service working?" in page.get_data(as_text=True)


@pytest.mark.parametrize("age", [None, "2 minutes"])
def test_without_a_live_worker_the_service_still_works(
    healthy: Site, database: SimpleNamespace, age: str | None
) -> None:
    if age:
        _beat(healthy, database, age)
    answer = healthy.visitor().get("/health")
    assert answer.status_code == 200
    assert answer.get_json()["status"] == "degraded" and answer.get_json()["parts"]["worker"] == "down"


def test_without_its_store_the_service_is_down(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    # a busy machine may take its time to find the database up
    monkeypatch.setattr("hub.web.health.DEADLINE_SECONDS", 20.0)
    answer = site.visitor().get("/health")
    assert answer.status_code == 503
    assert (
        answer.get_json()["parts"]["object_store"] == "down"
        and answer.get_json()["parts"]["database"] == "up"
    )


def test_a_bucket_that_is_not_there_is_down(healthy: Site, bucket: Bucket) -> None:
    bucket.client.delete_bucket(Bucket=bucket.name)
    assert healthy.visitor().get("/health").get_json()["parts"]["object_store"] == "down"


def test_next_months_missing_partition_is_an_alarm_and_this_months_a_failure(
    healthy: Site, database: SimpleNamespace
) -> None:
    month = "SELECT to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => :ahead), 'YYYY_MM')"
    for ahead, state, code in ((1, "due", 200), (0, "down", 503)):
        name = healthy.sql(database.superuser, month, ahead=ahead)[0][0]
        healthy.sql(database.superuser, f"DROP TABLE audit.event_{name}")
        time.sleep(1.1)
        answer = healthy.visitor().get("/health")
        assert (answer.get_json()["parts"]["log"], answer.status_code) == (state, code)


def test_a_log_that_took_no_event_is_down_until_it_takes_one(
    healthy: Site, database: SimpleNamespace
) -> None:
    client = healthy.as_user("officer")
    take = "REVOKE INSERT ON audit.event FROM hub_log"
    healthy.sql(database.superuser, take)
    assert client.get("/cases").status_code == 503
    assert healthy.visitor().get("/health").get_json()["parts"]["log"] == "down"
    healthy.sql(database.superuser, take.replace("REVOKE", "GRANT").replace("FROM", "TO"))
    assert client.get("/cases").status_code == 200
    time.sleep(1.1)
    assert healthy.visitor().get("/health").get_json()["parts"]["log"] == "up"


def test_a_database_that_only_reads_cannot_keep_the_log(healthy: Site, database: SimpleNamespace) -> None:
    healthy.sql(database.superuser, f"ALTER DATABASE {database.name} SET default_transaction_read_only = on")
    answer = healthy.visitor().get("/health")
    assert answer.status_code == 503 and answer.get_json()["parts"]["log"] == "down"


def _settings(root_key_file: Path, database_url: str, endpoint: str) -> Settings:
    return settings_for(database_url, root_key_file, s3_endpoint=endpoint)


def test_the_copy_is_down_with_the_database(archived: Site, database: SimpleNamespace) -> None:
    archived.sql(
        database.superuser, "REVOKE EXECUTE ON FUNCTION audit.archive_lag() FROM hub_app, hub_finder"
    )
    assert set(archived.visitor().get("/health").get_json()["parts"].items()) == {
        ("object_store", "up"),
        *((name, "down") for name in ("database", "log", "tree", "archive", "worker")),
    }


def test_servers_that_never_answer_do_not_hold_the_page(site: Site, root_key_file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = f"postgresql+psycopg://hub_app:x@127.0.0.1:{port}/hub"
        site.app.config["HUB_SETTINGS"] = _settings(root_key_file, url, f"http://127.0.0.1:{port}")
        threads = threading.active_count()
        for _ in range(3):
            begun = time.monotonic()
            answer = site.visitor().get("/health")
            assert time.monotonic() - begun < 2.0
            assert answer.status_code == 503
            assert set(answer.get_json()["parts"].values()) == {"down"}
        assert threading.active_count() <= threads + 2, "one question each at a time"


def test_an_answer_is_kept_for_a_moment(site: Site) -> None:
    health = Health(site.app)
    asked: list[int] = []
    health.asks = {"database": (lambda: asked.append(1) or {"database": "up"}, {"database": "down"})}  # type: ignore[func-returns-value]
    for _ in range(20):
        assert health.parts()["database"] == "up"
    assert len(asked) == 1


def test_a_database_that_is_not_there_is_down(site: Site, root_key_file: Path) -> None:
    site.app.config["HUB_SETTINGS"] = _settings(root_key_file, NOWHERE, "http://127.0.0.1:1")
    answer = site.visitor().get("/health")
    assert answer.status_code == 503 and answer.get_json()["parts"]["database"] == "down"
