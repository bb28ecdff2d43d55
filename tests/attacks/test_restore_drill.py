"""The drill of a restore (SECURITY W12): database, log and bucket come back whole and go on, and an older copy forks nothing.

The copies are physical (`pg_basebackup`, taken while the hub is at work; the store's own files), as the log's order is that of
the database's transactions.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from hub.extensions import db
from hub.launcher.processes import wait_until
from tests.attachments.conftest import Desk
from tests.conftest import environment_of
from tests.fixtures.alone import Alone, alone

pytestmark = pytest.mark.slow
PATIENCE_SECONDS = 60.0
ORIGIN = "hub.example/log"


@dataclass
class Drill:
    """A hub with its own database server and store, and the folder in which the sequencer's key and memory lie."""

    hub: Alone
    desk: Desk
    folder: Path

    @property
    def superuser(self) -> str:
        return make_url(self.hub.urls.superuser).set(drivername="postgresql").render_as_string(False)

    def work(self, name: str, content: bytes) -> str:
        """An officer adds a file; its address."""
        officer = self.desk.officer()
        sent = self.desk.send(officer, name, content)
        assert sent.status_code == 303, sent.text[:500]
        page = officer.get(self.desk.path()).get_data(as_text=True)
        found = re.findall(rf'href="({re.escape(self.desk.path())}/[0-9a-f-]{{36}})"', page)
        assert found, page[-3000:]
        return found[0]

    def copy(self, name: str) -> Path:
        """A copy of database and store, as they are now, at work."""
        target = self.folder / name
        target.mkdir()
        server = self.hub.server
        assert server.binaries is not None
        made = subprocess.run(
            [
                str(server.binaries.bin / "pg_basebackup"),
                "-D",
                str(target / "data"),
                "-d",
                self.superuser,
                "-c",
                "fast",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        shutil.copytree(self.hub.store.directory, target / "store")
        return target

    def lose_and_restore(self, copy: Path) -> None:
        """The machine is gone; the copy takes its place."""
        with self.hub.site.app.app_context():
            db.engine.dispose()
        before, data = self.hub.server.address, self.hub.server.data
        self.hub.server.stop()
        self.hub.store.stop()
        shutil.rmtree(data)
        shutil.copytree(copy / "data", data, symlinks=True)
        shutil.rmtree(self.hub.store.directory)
        shutil.copytree(copy / "store", self.hub.store.directory)
        account = self.hub.server.account
        if account:
            for path in (data, *data.rglob("*")):
                os.chown(path, account.uid, account.gid, follow_symlinks=False)
        data.chmod(0o700)
        assert self.hub.server.start() == before, "it took another port"
        self.hub.store.start()

    @contextmanager
    def sequencing(self) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(
            [sys.executable, "-m", "hub.cli", "sequencer"],
            env=self._sequencer_environment(),
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def cover(self) -> None:
        """The sequencer works until its newest signed head covers every event."""
        with self.sequencing() as process:
            assert wait_until(
                lambda: process.poll() is not None or self._all_covered(), seconds=PATIENCE_SECONDS
            )
            assert process.poll() is None, process.communicate()[1]

    def verify(self) -> subprocess.CompletedProcess[str]:
        """`hub audit verify`, held to the head that was seen last."""
        settings = self.hub.settings(demo=True)
        environment = environment_of(settings, HUB_CLI_DATABASE_URL=self.hub.server.address.cli_url) | {  # type: ignore[union-attr]
            "HUB_OWNER_DATABASE_URL": self.hub.server.address.owner_url  # type: ignore[union-attr]
        }
        policy = self.folder / "policy"
        if not policy.exists():
            key = subprocess.run(
                [sys.executable, "-m", "hub.cli", "sequencer", "--key"],
                env=self._sequencer_environment(),
                capture_output=True,
                text=True,
                check=True,
            )
            policy.write_text(f"log {key.stdout.strip()}\n")
        given = ("--policy", str(policy), "--seen", str(self.folder / "seen"))
        return subprocess.run(
            [sys.executable, "-m", "hub.cli", "audit", "verify", *given],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def _sequencer_environment(self) -> dict[str, str]:
        key = self.folder / "log.key"
        key.write_bytes(bytes(range(32)))
        own = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
        return own | {
            "HUB_VAR": str(self.folder),
            "HUB_SEQUENCER_DATABASE_URL": self.hub.urls.sequencer,
            "HUB_LOG_KEY_FILE": str(key),
            "HUB_LOG_ORIGIN": ORIGIN,
        }

    def _all_covered(self) -> bool:
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            row = connection.execute(
                "SELECT coalesce(max(size), 0) = (SELECT count(*) FROM audit.event)"
                " FROM audit.checkpoint WHERE note IS NOT NULL"
            ).fetchone()
        return row is not None and bool(row[0])


@pytest.fixture
def drill(tmp_path: Path) -> Iterator[Drill]:
    folder = tmp_path / "kept"
    folder.mkdir()
    with alone(tmp_path, lasting=True) as hub:
        yield Drill(hub, Desk(hub.site, hub.bucket), folder)


def test_what_is_restored_goes_on_and_an_older_copy_forks_nothing(drill: Drill) -> None:
    first = drill.work("first.txt", b"Seen at the bus stop.")
    drill.cover()
    old = drill.copy("old")
    second = drill.work("second.txt", b"Seen again by the shops.")
    drill.cover()
    assert drill.verify().returncode == 0
    new = drill.copy("new")

    # an older copy: nothing is signed upon it, and whoever saw the newer head is told
    drill.lose_and_restore(old)
    with drill.sequencing() as process:
        said = process.communicate(timeout=PATIENCE_SECONDS)[1]
    assert process.returncode == 1 and "NOTHING IS SIGNED ANY MORE" in said and "was set back" in said
    told = drill.verify()
    assert told.returncode == 1, told.stdout + told.stderr

    # the newest: the log is in order, extends what was seen, and goes on; the files open
    drill.lose_and_restore(new)
    assert drill.verify().returncode == 0
    officer = drill.desk.officer()
    assert officer.get(first).data == b"Seen at the bus stop."
    assert officer.get(second).data == b"Seen again by the shops."
    drill.work("third.txt", b"Not seen since.")
    drill.cover()
    after = drill.verify()
    assert after.returncode == 0, after.stdout + after.stderr
