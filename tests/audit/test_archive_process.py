"""The copying as it runs beside the sequencer: killed in the midst of it, it is caught up with by the next one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.fixtures.archive import Place, Tree

PATIENCE_SECONDS = 60.0


@contextmanager
def sequencer(database: SimpleNamespace, folder: Path, place: Place) -> Iterator[subprocess.Popen[str]]:
    key = folder / "log.key"
    key.write_bytes(bytes(range(32)))
    told = {
        "HUB_VAR": str(folder),
        "HUB_SEQUENCER_DATABASE_URL": database.sequencer,
        "HUB_LOG_KEY_FILE": str(key),
        "HUB_LOG_ORIGIN": "hub.example/log",
        "HUB_ARCHIVE_BUCKET": place.name,
        "HUB_ARCHIVE_ENDPOINT": place.address.endpoint,
        "HUB_ARCHIVE_ACCESS_KEY": place.address.access_key,
        "HUB_ARCHIVE_SECRET_KEY": place.address.secret_key,
        "HUB_ARCHIVE_DAYS": "1",
    }
    given = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    with subprocess.Popen(
        [sys.executable, "-m", "hub.cli", "sequencer"],
        env={**given, **told},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait(met: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not met():
        if time.monotonic() > until:
            pytest.fail(f"{what}: not within {PATIENCE_SECONDS:.0f} s")
        time.sleep(0.02)


@pytest.mark.slow
def test_killed_again_and_again_the_archive_is_whole_in_the_end(
    tree: Tree, place: Place, database: SimpleNamespace, tmp_path: Path
) -> None:
    # the process is the one sequencer here
    tree.sequencer.connection.close()
    for _ in range(3):
        tree.write(4_000)
        before = len(place.listed())
        with sequencer(database, tmp_path, place) as process:
            wait(lambda before=before: len(place.listed()) > before + 3, "the first bundles")  # type: ignore[misc]
            process.send_signal(signal.SIGKILL)
            process.wait()
    with sequencer(database, tmp_path, place) as process:
        wait(lambda: tree.one("SELECT waiting FROM audit.archive_lag()") == 0, "everything copied")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0
    report = place.check(at_least=int(tree.one("SELECT size FROM audit.tree")))
    assert (report.problems, report.events) == ([], int(tree.one("SELECT count(*) FROM audit.event")))
