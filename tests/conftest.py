"""The ground of every test: one throw-away PostgreSQL cluster, a migrated template, a database per test, a small world.

Tests commit for real: each test that asks for `database` gets one that is as the template is (see `clones`).
"""

from __future__ import annotations

import functools
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import ParamSpec, TypeVar

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.engine import make_url

os.environ["HUB_TEST"] = "1"

import hub.app
from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.app import create_app
from hub.cli.db import upgrade
from hub.config import Settings
from hub.extensions import db
from hub.launcher.postgres import Postgres
from tests.fixtures import planting
from tests.fixtures.clones import Clones
from tests.fixtures.site import Site
from tests.fixtures.world import World, build_world

P = ParamSpec("P")
T = TypeVar("T")
TEMPLATE = "hub_template"
# The database that the application's engine connects to. One engine serves all tests of a worker, because compiled
# statements are kept per engine and compiling a guarded one takes 50 ms.
_connected: dict[str, str] = {}


def _connect() -> psycopg.Connection:
    url = make_url(_connected["url"])
    return psycopg.connect(
        host=url.host,
        port=url.port,
        user=url.username,
        password=url.password,
        dbname=url.database,
        **hub.app.ENGINE["connect_args"],
    )


hub.app.ENGINE["creator"] = _connect


def connect_to(url: str, *, worker: str | None = None) -> None:
    """From here on the application's engine connects to this database; `worker` names its server's other role anew."""
    _connected["url"] = url
    if worker is not None:
        _connected["worker"] = worker


@contextmanager
def connected_to(url: str) -> Iterator[None]:
    """Within it an application that is made anew connects here: a command that runs inside the test's process."""
    before = _connected["url"]
    connect_to(url)
    try:
        yield
    finally:
        connect_to(before)


@contextmanager
def as_worker() -> Iterator[None]:
    """Within it the application signs in to the same database as its worker, as whom jobs run, for nobody."""
    before, kept = _connected["url"], dict(db.session().info)
    database = make_url(before).database
    assert database is not None
    _sign_in_anew(on_database(_connected["worker"], database))
    enter(db.session(), NOBODY)
    try:
        yield
    finally:
        _sign_in_anew(before)
        db.session().info.update(kept)


def _sign_in_anew(url: str) -> None:
    db.session.rollback()
    db.session.close()
    db.session().info.clear()
    db.engine.dispose()
    connect_to(url)


def by_worker(job: Callable[P, T]) -> Callable[P, T]:
    """A job as the worker runs it. Needs an application context."""

    @functools.wraps(job)
    def run(*args: P.args, **named: P.kwargs) -> T:
        with as_worker():
            return job(*args, **named)

    return run


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """One server for the run of this worker; its template holds the schema and the small world."""
    given = os.environ.get("HUB_TEST_CLUSTER")
    if given:
        urls = dict(part.split("=", 1) for part in given.split(" "))
        _connected["worker"] = urls["worker"]
        planting.serve(urls["superuser"])
        yield SimpleNamespace(**urls)
        return
    server = Postgres(tmp_path_factory.mktemp("pg"), test=True)
    address = server.start()
    _connected["worker"] = address.worker_url
    planting.serve(address.superuser_url)
    yield SimpleNamespace(
        owner=address.owner_url,
        app=address.app_url,
        worker=address.worker_url,
        cli=address.cli_url,
        loader=address.loader_url,
        sequencer=address.sequencer_url,
        superuser=address.superuser_url,
    )
    server.destroy()


@pytest.fixture(scope="session")
def root_key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("keys") / "root.key"
    file.write_bytes(secrets.token_bytes(32))
    file.chmod(0o600)
    return file


def settings_for(app_url: str, root_key_file: Path, **changes: object) -> Settings:
    values: dict[str, object] = {
        "var": root_key_file.parent,
        "host": "127.0.0.1",
        "port": 8480,
        "demo": False,
        "public_url": "http://127.0.0.1:8480",
        "build": "test",
        "s3_endpoint": "http://127.0.0.1:1",
        "s3_bucket": "hub",
        "s3_region": "us-east-1",
        "root_key_file": root_key_file,
        "database_url": app_url,
        "s3_access_key": "test",
        "s3_secret_key": "test",
        "secret_key": "test-" + "k" * 40,
    }
    return Settings(**{**values, **changes})  # type: ignore[arg-type]


def environment_of(settings: Settings, **more: str) -> dict[str, str]:
    """What the launcher gives a process of the hub, from the settings of a test."""
    return {
        "PATH": os.environ["PATH"],
        "HUB_DATABASE_URL": settings.database_url,
        "HUB_S3_ENDPOINT": settings.s3_endpoint,
        "HUB_S3_BUCKET": settings.s3_bucket,
        "HUB_S3_ACCESS_KEY": settings.s3_access_key,
        "HUB_S3_SECRET_KEY": settings.s3_secret_key,
        "HUB_SECRET_KEY": settings.secret_key,
        # a process told by its environment takes a key file as a demonstration only
        "HUB_DEMO": "1",
        "HUB_ROOT_KEY_FILE": str(settings.root_key_file),
        # none is asked outside a demonstration unless the test names one
        "HUB_CLAMD": settings.clamd or ("" if settings.demo or "HUB_DEMO" in more else "tcp:127.0.0.1:1"),
        **more,
    }


def on_database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def template(cluster: SimpleNamespace, root_key_file: Path, worker_id: str) -> SimpleNamespace:
    """The migrated database with the small world, from which each test's own is cloned."""
    name = f"{TEMPLATE}_{worker_id}"
    admin = sa.create_engine(cluster.superuser, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.exec_driver_sql(f"CREATE DATABASE {name} OWNER hub_owner")
    upgrade(on_database(cluster.owner, name))
    connect_to(on_database(cluster.app, name))
    app = create_app(settings_for(on_database(cluster.app, name), root_key_file))
    with app.app_context():
        world = build_world()
        db.session.remove()
        db.engine.dispose()
    _forget_notices(on_database(cluster.superuser, name))
    clones = Clones(admin, cluster.superuser, name)
    return SimpleNamespace(name=name, world=world, admin=admin, application=app, clones=clones)


def _forget_notices(url: str) -> None:
    """What the world's own agreements told their administrators: each test counts what itself has left."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM outbox_message; DELETE FROM notification")
    engine.dispose()


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    worker = getattr(request.config, "workerinput", None)
    return str(worker["workerid"]) if worker else "main"


@pytest.fixture
def database(cluster: SimpleNamespace, template: SimpleNamespace) -> Iterator[SimpleNamespace]:
    """A database of the test's own, with its addresses."""
    with lent(cluster, template.clones) as found:
        yield found


@contextmanager
def lent(cluster: SimpleNamespace, clones: Clones) -> Iterator[SimpleNamespace]:
    """A database of these for one test, to which the application's engine connects from here on."""
    name = clones.take()
    connect_to(on_database(cluster.app, name), worker=cluster.worker)
    planting.serve(cluster.superuser)
    yield SimpleNamespace(
        name=name,
        app=on_database(cluster.app, name),
        owner=on_database(cluster.owner, name),
        worker=on_database(cluster.worker, name),
        cli=on_database(cluster.cli, name),
        loader=on_database(cluster.loader, name),
        sequencer=on_database(cluster.sequencer, name),
        superuser=on_database(cluster.superuser, name),
    )
    clones.give_back(name)


@pytest.fixture
def world(template: SimpleNamespace) -> World:
    """Ids of the small world."""
    found: World = template.world
    return found


@pytest.fixture
def app(database: SimpleNamespace, template: SimpleNamespace, root_key_file: Path) -> Iterator[Flask]:
    """The application on the test's own database, inside an application context."""
    application: Flask = template.application
    application.config["HUB_SETTINGS"] = settings_for(database.app, root_key_file)
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def site(
    database: SimpleNamespace, template: SimpleNamespace, root_key_file: Path, world: World
) -> Iterator[Site]:
    """The application for tests through HTTP: no context is held while a request runs."""
    application: Flask = template.application
    application.config["HUB_SETTINGS"] = settings_for(database.app, root_key_file)
    yield Site(application, world)
    with application.app_context():
        db.engine.dispose()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is marked nightly runs only when asked for."""
    if os.environ.get("HUB_NIGHTLY") == "1":
        return
    chosen = [item for item in items if item.get_closest_marker("nightly") is None]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """In CI nothing may be skipped: what was is named, and the run fails (see `pytest_sessionfinish`)."""
    if os.environ.get("CI") == "true" and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line("Skipped in CI, which must skip nothing:", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


class QueryCount:
    """How many statements ran inside the block."""

    def __init__(self) -> None:
        self.count = 0

    def seen(self, *_: object) -> None:
        self.count += 1

    @contextmanager
    def __call__(self) -> Iterator[QueryCount]:
        block = QueryCount()
        sa.event.listen(sa.Engine, "before_cursor_execute", block.seen)
        try:
            yield block
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", block.seen)


@pytest.fixture
def count_queries() -> QueryCount:
    """`with count_queries() as seen: …` counts the statements that run inside; a page takes a fixed number."""
    return QueryCount()
