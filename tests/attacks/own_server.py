"""A planted site on a database server of its own, which a test may stop, restart or starve."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy.engine import make_url

from hub.cli.db import upgrade
from hub.extensions import db
from hub.launcher.postgres import Postgres
from tests.conftest import connect_to, settings_for
from tests.fixtures import planting
from tests.fixtures.site import Site
from tests.fixtures.world import build_world
from tests.rules.canaries import Canaries, plant

PATIENCE_SECONDS = 60.0
STOPS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}


@dataclass
class OwnServer:
    """A planted site on a server of its own, which the test may stop: as in use, it keeps what it has committed."""

    server: Postgres
    site: Site
    canaries: Canaries
    superuser: str
    moments: list[str] = field(default_factory=list)

    def stop(self, how: str) -> None:
        assert self.server.child is not None
        self.server.child.process.send_signal(STOPS[how])
        self.server.child.process.wait(PATIENCE_SECONDS)
        self.moments.append("stopped")

    def start(self) -> None:
        before = self.server.address
        assert self.server.start() == before, "it took another port"

    @contextmanager
    def asked(self) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            yield connection

    def named(self) -> list[tuple[str, set[UUID]]]:
        """Request and what it names, of every event that is in the log."""
        with self.asked() as connection:
            rows = connection.execute(
                "SELECT convert_from(body, 'UTF8')::jsonb -> 'source' ->> 'request',"
                " record_ids || person_ids || object_id FROM audit.event"
            ).fetchall()
        return [(request, set(ids)) for request, ids in rows]

    def words_in(self, body: str) -> set[str]:
        return {word for word in self.canaries.texts if word in body.lower()}


@contextmanager
def own_server(server: Postgres, template: SimpleNamespace, root_key_file: Path) -> Iterator[OwnServer]:
    """Starts the server, which keeps what it has committed (not `test=True`), and builds the world on it."""
    address = server.start()
    upgrade(address.owner_url)
    connect_to(address.app_url)
    planting.serve(address.superuser_url)
    application = template.application
    application.config["HUB_SETTINGS"] = settings_for(address.app_url, root_key_file)
    try:
        with application.app_context():
            db.engine.dispose()
            site = Site(application, build_world())
            db.session.remove()
        url = make_url(address.superuser_url).set(drivername="postgresql", database="hub")
        yield OwnServer(server, site, plant(site), url.render_as_string(hide_password=False))
    finally:
        with application.app_context():
            db.engine.dispose()
        server.destroy()


@contextmanager
def sequencer(owned: OwnServer, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The log's sequencer as a process; its key is in the folder."""
    assert owned.server.address is not None
    key = folder / "log.key"
    key.write_bytes(bytes(range(32)))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")} | {
        "HUB_VAR": str(folder),
        "HUB_SEQUENCER_DATABASE_URL": owned.server.address.sequencer_url,
        "HUB_LOG_KEY_FILE": str(key),
        "HUB_LOG_ORIGIN": "hub.example/log",
    }
    process = subprocess.Popen([sys.executable, "-m", "hub.cli", "sequencer"], env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def all_covered(owned: OwnServer) -> bool:
    """Whether the newest signed head covers every event."""
    with owned.asked() as connection:
        row = connection.execute(
            "SELECT coalesce(max(size), 0) = (SELECT count(*) FROM audit.event)"
            " FROM audit.checkpoint WHERE note IS NOT NULL"
        ).fetchone()
    return row is not None and bool(row[0])
