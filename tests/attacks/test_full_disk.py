"""The database's disk fills up while people read: what can't be written down is not shown, and nothing written is lost."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from types import SimpleNamespace

import pytest

from hub.launcher.postgres import Postgres
from hub.launcher.processes import wait_until
from tests.attacks.own_server import PATIENCE_SECONDS, OwnServer, all_covered, own_server, sequencer
from tests.audit.test_sequencing import defined_root, events, newest

pytestmark = pytest.mark.slow

DISK = "size=1g"
MOST_REQUESTS = 600
REFUSALS = 12


@pytest.fixture
def small_disk(
    template: SimpleNamespace, root_key_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OwnServer]:
    """A database on a disk of its own (in memory), small enough to be filled."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    server = Postgres(tmp_path_factory.mktemp("small"), test=False)
    owner = server.directory.stat()
    options = f"{DISK},uid={owner.st_uid},gid={owner.st_gid},mode=0700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(server.directory)], check=True)
    try:
        with own_server(server, template, root_key_file) as owned:
            yield owned
    finally:
        server.stop()
        subprocess.run(["umount", "--lazy", str(server.directory)], check=True)
        server.destroy()


@contextmanager
def _filled(directory: Path) -> Iterator[None]:
    ballast = directory / "ballast"
    try:
        with ballast.open("wb", buffering=0) as file:
            block = bytes(1024 * 1024)
            while len(block) > 0:
                try:
                    file.write(block)
                except OSError:
                    block = block[: len(block) // 2]
        yield
    finally:
        ballast.unlink()


def test_on_a_full_disk_nothing_is_shown_without_its_event_and_none_is_lost(
    small_disk: OwnServer, tmp_path: Path
) -> None:
    client = small_disk.site.as_user("officer")
    case, incident, person = small_disk.canaries.ids[:3]
    pages = [f"/cases/{case}", f"/incidents/{incident}", f"/people/{person}", "/people"]
    for address in pages:
        assert small_disk.words_in(client.get(address).text), (
            "the page must show something, or this proves nothing"
        )
    before = small_disk.named()
    shown: dict[str, set[str]] = {}
    refused = 0
    with _filled(small_disk.server.directory):
        for _, address in zip(range(MOST_REQUESTS), cycle(pages), strict=False):
            answer = client.get(address)
            words = small_disk.words_in(answer.text)
            assert answer.status_code in (200, 503) and "traceback" not in answer.text.lower()
            if answer.status_code == 200:
                shown[answer.headers["X-Request-Id"]] = words
            else:
                assert words == set()
                refused += 1
            if refused == REFUSALS:
                break
        health = small_disk.site.visitor().get("/health")
        assert (health.status_code, health.get_json()["parts"]["log"]) == (503, "down")
    assert refused == REFUSALS, "the disk was never full"
    _come_back(small_disk)
    assert wait_until(lambda: client.get(pages[0]).status_code == 200, seconds=PATIENCE_SECONDS, every=0.2)
    after = small_disk.named()
    assert [one for one in before if one not in after] == [], "an event was lost"
    for request, words in shown.items():
        named = set().union(*(ids for one, ids in after if one == request))
        assert all(small_disk.canaries.texts[word] & named for word in words), "shown without its event"
    with sequencer(small_disk, tmp_path):
        assert wait_until(lambda: all_covered(small_disk), seconds=PATIENCE_SECONDS, every=0.1)
    with small_disk.asked() as owner:
        assert newest(owner)[:2] == (len(events(owner)), defined_root(owner))


def _come_back(owned: OwnServer) -> None:
    """A server that could not write its own journal has stopped: it is started again, as an operator would."""
    child = owned.server.child
    assert child is not None
    if child.exit_code is not None:
        owned.start()
