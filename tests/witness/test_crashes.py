"""Many at once, two servers on one file, and `kill -9`: nobody ever gets two histories cosigned."""

from __future__ import annotations

import http.client
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

import pytest

from hub.crypto.tlog.notes import open_note
from hub.witness.state import StateFile
from tests.rules.source import ROOT
from tests.witness.log import ORIGIN, Answer, Running, TestLog, made, running


@contextmanager
def process(*command: str, told: str, stream: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process of ours, and the port that it tells on its first line."""
    pipes = {stream: subprocess.PIPE, "text": True, "cwd": ROOT}
    child = subprocess.Popen([sys.executable, "-m", *command], **pipes)  # type: ignore[call-overload]
    line = getattr(child, stream).readline()
    found = re.search(told, line)
    # what it writes later is read away, so that it never waits for us
    reader = threading.Thread(target=getattr(child, stream).read)
    reader.start()
    try:
        assert found is not None, line
        yield child, int(found[1])
    finally:
        child.kill()
        child.wait()
        reader.join()
        getattr(child, stream).close()


def served(file: StateFile) -> contextmanager:  # type: ignore[valid-type]
    return process(
        "hub.cli",
        "witness",
        "serve",
        "--state",
        str(file.path),
        "--port",
        "0",
        told=r":(\d+)$",
        stream="stderr",
    )


def climb(witness: Running, log: TestLog, sizes: list[int], given: list[tuple[int, str]]) -> None:
    """Submits these sizes as a log does that learns where the witness stands from its conflicts."""
    known = 0
    for size in sizes:
        for _ in range(200):
            if size <= known:
                break
            answer = witness.post(log.request(known, size))
            if answer.status == 200:
                given.append((size, answer.text))
                known = size
            else:
                assert answer.status == 409, answer.text
                known = int(answer.text)


def test_eight_submitters_at_once_climb_one_tree(witness: Running, log: TestLog) -> None:
    given: list[tuple[int, str]] = []
    sizes = [sorted(Random(seed).sample(range(1, 601), 12)) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(climb, witness, log, one, given) for one in sizes]:
            done.result()
    verifier = witness.file.read().signer.verifier
    for size, line in given:
        open_note(log.note(size) + line, [verifier])
    assert witness.size() == max(size for size, _ in given) == max(max(one) for one in sizes)


def race(witnesses: list[Running], bodies: list[bytes]) -> list[Answer]:
    start = threading.Barrier(len(bodies))

    def one(number: int) -> Answer:
        start.wait()
        return witnesses[number % len(witnesses)].post(bodies[number])

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(one, range(len(bodies))))


@pytest.mark.slow
def test_two_processes_on_one_file_cosign_one_of_two_histories(tmp_path: Path) -> None:
    """Each round both histories are offered to both servers, from the size that the witness has."""
    file = made(tmp_path)
    with ExitStack() as stack:
        ports = [stack.enter_context(served(file))[1] for _ in range(2)]
        witnesses = [Running(file, port) for port in ports]
        base = TestLog()
        for step in range(10):
            old, new = base.size, base.size + 10
            histories = [TestLog(base.kind, base.size, tiles=dict(base.tiles)) for _ in range(8)]
            for number, history in enumerate(histories):
                history.kind = f"history {number % 4} of step {step}"
                history.grow(new)
            answers = race(witnesses, [one.request(old, new) for one in histories])
            roots = {
                one.tree(new).root()
                for one, answer in zip(histories, answers, strict=True)
                if answer.status == 200
            }
            assert len(roots) == 1, [answer.status for answer in answers]
            assert {answer.status for answer in answers} <= {200, 409}
            base = next(one for one, answer in zip(histories, answers, strict=True) if answer.status == 200)
            assert witnesses[0].size() == new


@pytest.mark.slow
@pytest.mark.parametrize(("moment", "size"), [("before", 40), ("after", 60)])
def test_killed_in_the_middle_it_has_the_old_state_or_the_new(
    tmp_path: Path, log: TestLog, moment: str, size: int
) -> None:
    file = made(tmp_path)
    with running(file) as witness:
        witness.post(log.request(0, 40))
    with process("tests.witness.dying", str(file.path), moment, told=r"(\d+)", stream="stdout") as (
        child,
        port,
    ):
        with pytest.raises((http.client.HTTPException, OSError)):
            Running(file, port).post(log.request(40, 60))
        assert child.wait(10) == -signal.SIGKILL
    other = TestLog("rewritten").grow(60)
    with running(file) as witness:
        assert witness.size() == size
        assert witness.post(other.request(40, 60)).status in (409, 422)
        assert witness.post(other.request(size, 60)).status in (409, 422)
        assert witness.post(log.request(size, 60)).status == 200
    assert [path.name for path in tmp_path.iterdir()] == ["witness.json"]


@pytest.mark.slow
def test_killed_at_any_moment_it_never_forgets_what_it_cosigned(tmp_path: Path) -> None:
    file, log, random = made(tmp_path), TestLog().grow(20_000), Random(5)
    cosigned = 0
    for _ in range(6):
        with served(file) as (child, port):
            witness = Running(file, port)
            at_least = cosigned
            timer = threading.Timer(random.uniform(0.0, 0.3), child.kill)
            known = witness.size()
            try:
                while True:
                    answer = witness.post(log.request(known, known + 1))
                    assert answer.status == 200, answer.text
                    known = cosigned = known + 1
                    if timer.ident is None:
                        timer.start()
            except (http.client.HTTPException, OSError):
                pass
            timer.join()
            child.wait()
        assert cosigned > at_least
        assert witness.size() in (cosigned, cosigned + 1)  # the last one's answer may have been lost
        assert file.read().logs[ORIGIN].first_size == 1


@pytest.mark.slow
def test_told_to_stop_it_stops_in_peace(tmp_path: Path) -> None:
    with served(made(tmp_path)) as (child, port):
        assert Running(StateFile(tmp_path / "witness.json"), port).send("GET", "/").status == 200
        began = time.monotonic()
        child.terminate()
        assert child.wait(10) == 0
        assert time.monotonic() - began < 5
