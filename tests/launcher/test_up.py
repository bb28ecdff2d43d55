"""`hub up` as a person meets it: ready, refused, hurt and healed, killed, stopped without a trace."""

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.launcher.ports import Ports, is_free
from hub.launcher.processes import wait_until
from hub.launcher.unprivileged import database_directory

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
FIRST_START_SECONDS = 90
SECOND_START_SECONDS = 20  # five on a quiet machine; the tests share theirs


class Up:
    """One `hub up` in a process of its own."""

    def __init__(self, var: Path, port: int, *options: str) -> None:
        self.var, self.port = var, port
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
        if "HUB_POSTGRES" in os.environ:
            kept["HUB_POSTGRES"] = os.environ["HUB_POSTGRES"]
        # unless it is a demonstration's, a root key needs a keeper of its own and files need a scanner;
        # neither need answer before it is used
        token = var.parent / "token"
        token.write_text("none")
        if "--demo" not in options:
            kept |= {
                "HUB_TRANSIT_URL": "http://127.0.0.1:1",
                "HUB_TRANSIT_KEY": "hub",
                "HUB_TRANSIT_TOKEN_FILE": str(token),
                "HUB_CLAMD": "tcp:127.0.0.1:1",
            }
        self.output = var.parent / "output"
        self.words = var.parent / "words"
        with self.output.open("w") as output, self.words.open("w") as words:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hub.cli", "up", "--var", str(var), "--port", str(port), *options],
                env=kept,
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=words,
            )

    def ready(self, seconds: float) -> float:
        """How long it took until the line that says so."""
        begun = time.monotonic()
        line = f"Hub ready on http://127.0.0.1:{self.port}\n"
        wait_until(
            lambda: line in self.output.read_text() or self.process.poll() is not None, seconds=seconds
        )
        assert self.output.read_text().count(line) == 1, self.words.read_text()
        return time.monotonic() - begun

    def health(self) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def end(self, sent: signal.Signals) -> int:
        self.process.send_signal(sent)
        return self.process.wait(40)

    def hurt_and_see_healed(self, word: str) -> None:
        """Kill the first process of that kind; another must take its place."""
        before = self.pids(word)
        assert before, word
        os.kill(before[0], signal.SIGKILL)
        assert wait_until(lambda: bool(self.pids(word)) and before[0] not in self.pids(word), seconds=20), (
            word
        )

    def pids(self, word: str) -> list[int]:
        """Processes of this hub whose command line has the word."""
        found = []
        places = (str(self.var), str(database_directory(self.var)))
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    command = (entry / "cmdline").read_bytes().decode(errors="replace")
                    everything = command + (entry / "environ").read_bytes().decode(errors="replace")
                except OSError:
                    continue
                if any(place in everything for place in places) and re.search(word, command):
                    found.append(int(entry.name))
        return sorted(found)


@pytest.fixture
def var(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "var"
    yield directory
    if directory.exists():
        outside = database_directory(directory)
        subprocess.run(["rm", "-rf", "--", str(outside)], check=True)


@pytest.fixture
def port(tmp_path: Path) -> int:
    return Ports(tmp_path).claim("web")


def test_a_hub_lives_heals_and_leaves_no_trace(var: Path, port: int) -> None:
    hub = Up(var, port)
    try:
        hub.ready(FIRST_START_SECONDS)
        assert hub.health() == 200

        second = subprocess.run(
            [sys.executable, "-m", "hub.cli", "up", "--var", str(var), "--port", "1"],
            capture_output=True,
            text=True,
            check=False,
            cwd=PROJECT,
        )
        assert second.returncode == 1
        assert f"already (process {hub.process.pid})" in second.stderr

        # Commands typed beside it find their addresses.
        beside = subprocess.run(
            [sys.executable, "-m", "hub.cli", "db", "upgrade"],
            env=os.environ | {"HUB_VAR": str(var)},
            capture_output=True,
            text=True,
            check=False,
            cwd=PROJECT,
        )
        assert beside.returncode == 0, beside.stderr

        for word in ("gunicorn", r"hub\.cli\0worker", "weed", "bin/postgres"):
            hub.hurt_and_see_healed(word)
        assert wait_until(lambda: hub.health() == 200, seconds=20)
        assert hub.end(signal.SIGTERM) == 0
    finally:
        hub.process.kill()
        hub.process.wait()
    assert hub.pids("") == []
    assert is_free(port)
    assert not (var / "environment").exists()


def test_after_a_kill_it_starts_again_at_once(var: Path, port: int) -> None:
    first = Up(var, port)
    first.ready(FIRST_START_SECONDS)
    first.end(signal.SIGKILL)
    second = Up(var, port)
    try:
        assert second.ready(60) < SECOND_START_SECONDS
        assert second.health() == 200
        assert second.end(signal.SIGINT) == 0
    finally:
        second.process.kill()
        second.process.wait()
    assert second.pids("") == []


def test_an_interrupted_start_leaves_nothing_and_the_next_one_works(var: Path, port: int) -> None:
    hurried = Up(var, port)
    assert wait_until(lambda: "Making the database" in hurried.words.read_text(), seconds=20)
    assert hurried.end(signal.SIGINT) == 0
    assert hurried.pids("") == []
    hub = Up(var, port)
    try:
        hub.ready(FIRST_START_SECONDS)
        assert hub.end(signal.SIGTERM) == 0
    finally:
        hub.process.kill()
        hub.process.wait()


def test_a_taken_port_is_told_before_anything_is_started(var: Path, port: int) -> None:
    import socket

    with socket.create_server(("127.0.0.1", port)):
        hub = Up(var, port)
        assert hub.process.wait(30) == 1
    assert f"Port {port} on 127.0.0.1 is taken" in hub.words.read_text()
    assert not (var / "objects").exists()
