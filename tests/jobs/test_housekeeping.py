"""What the hub does for itself: the log's months ahead, and forgetting."""

from __future__ import annotations

from threading import Event
from types import SimpleNamespace
from uuid import uuid4

import pytest
from flask import Flask

from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.extensions import db
from hub.jobs import housekeeping
from hub.jobs.app import REGULAR, conninfo, jobs_app, run_now
from hub.web import drafts
from tests.conftest import by_worker, connected_to
from tests.fixtures.site import Site
from tests.fixtures.world import World, act_as

ensure_partitions = by_worker(housekeeping.ensure_partitions)
forget_old = by_worker(housekeeping.forget_old)

MONTH = "SELECT to_char(date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => :ahead), 'YYYY_MM')"


def _count(site: Site, database: SimpleNamespace, table: str, where: str = "true") -> int:
    return int(site.sql(database.superuser, f"SELECT count(*) FROM {table} WHERE {where}")[0][0])


def test_missing_months_of_the_log_are_made_again(app: Flask, site: Site, database: SimpleNamespace) -> None:
    for ahead in (1, 3):
        name = site.sql(database.superuser, MONTH, ahead=ahead)[0][0]
        site.sql(database.superuser, f"DROP TABLE audit.event_{name}")
    enter(db.session(), NOBODY)
    assert ensure_partitions(Event()) == 2
    assert ensure_partitions(Event()) == 0


def test_a_month_that_cannot_be_made_is_an_alarm(
    app: Flask, site: Site, database: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    name = site.sql(database.superuser, MONTH, ahead=1)[0][0]
    site.sql(database.superuser, f"DROP TABLE audit.event_{name}")
    # somebody has replaced the function by one that does nothing
    site.sql(
        database.superuser,
        "CREATE OR REPLACE FUNCTION audit.ensure_partitions(months_ahead integer DEFAULT 3) RETURNS integer"
        " LANGUAGE sql AS 'SELECT 0'",
    )
    enter(db.session(), NOBODY)
    assert ensure_partitions(Event()) == 0
    assert "log_partition_missing" in capsys.readouterr().out


def test_old_things_are_forgotten_and_young_ones_kept(
    app: Flask, world: World, site: Site, database: SimpleNamespace
) -> None:
    for user in ("officer", "sergeant"):
        drafts.keep(act_as(world, user), "cases.new", {"title": ["Noise"]})
        db.session.commit()
    before = _count(site, database, "user_session")
    site.sql(
        database.superuser,
        "UPDATE draft SET updated_at = now() - interval '31 days' WHERE user_id = :user",
        user=world.users["officer"],
    )
    site.sql(
        database.superuser,
        "INSERT INTO submission (key, user_id, endpoint, location, submitted_at) VALUES (:old, :user, 'x', '', now() -"
        " interval '3 days'), (:young, :user, 'x', '', now())",
        old=uuid4(),
        young=uuid4(),
        user=world.users["officer"],
    )
    site.sql(
        database.superuser,
        "INSERT INTO throttle (key, tries, expires_at) VALUES ('a', 1, now() - interval '1 minute'), ('b', 1, now() + interval '1 hour')",
    )
    for days, place in ((91, 0), (89, 1)):  # a session tells for ninety days how long an account was not used
        site.sql(
            database.superuser,
            "UPDATE user_session SET expires_at = now() - make_interval(days => :days)"
            " WHERE id = (SELECT id FROM user_session ORDER BY id OFFSET :place LIMIT 1)",
            days=days,
            place=place,
        )
    db.session.rollback()
    enter(db.session(), NOBODY)
    assert forget_old(Event()) == 4
    left = {table: _count(site, database, table) for table in ("draft", "submission", "throttle")}
    assert left == {"draft": 1, "submission": 1, "throttle": 1}
    assert _count(site, database, "user_session", "kind <> 'job'") == before - 1
    assert _count(site, database, "audit.event", "act = 'draft.forgotten' AND category = 'erasure'") == 1
    assert forget_old(Event()) == 0


def test_every_regular_job_runs_alone_in_a_context_of_its_own(demo: Flask, database: SimpleNamespace) -> None:
    with connected_to(database.worker):
        for regular in REGULAR:
            assert run_now(demo, regular, Event()) >= 0


def test_every_regular_job_has_its_time(site: Site) -> None:
    jobs = jobs_app(site.app, Event())
    timed = {entry.task.name for entry in jobs.periodic_registry.periodic_tasks.values()}
    assert {regular.name for regular in REGULAR} <= timed
    assert "remove_old_jobs" in timed


def test_the_databases_address_is_read_by_libpq() -> None:
    given = "postgresql+psycopg://hub_app:p%40ss@127.0.0.1:5432/hub?host=/tmp"
    assert conninfo(given) == "postgresql://hub_app:p%40ss@127.0.0.1:5432/hub?host=%2Ftmp"


@pytest.fixture
def demo(database: SimpleNamespace, root_key_file: object, bucket: object) -> object:
    from hub.app import create_app
    from tests.conftest import settings_for

    application = create_app(settings_for(database.app, root_key_file, demo=True, **bucket.settings()))  # type: ignore[arg-type,attr-defined]
    yield application
    with application.app_context():
        db.engine.dispose()
