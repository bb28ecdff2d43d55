"""Has a file looked through or drawn by a process of its own, which is locked in before it reads a byte of it.

The process gets an empty environment and no descriptor but two pipes. It is ended when it takes too long or answers too much,
and at most two run at once in each process of the hub.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO

import structlog

from hub.core.errors import Unavailable
from hub.rendering.jobs import NO_SANDBOX_EXIT, Job, Unreadable

AT_ONCE = 2
WAIT_SECONDS = 15.0
RUN_SECONDS = 40.0
MAX_ANSWER = 24 * 1024 * 1024
BUSY = "Other files are being read just now. Nothing was lost. Try again in a moment."
NO_SANDBOX = "This machine cannot open files safely, so none is looked into or shown here. Nothing was lost. Tell your administrator."

_turns = threading.BoundedSemaphore(AT_ONCE)
log = structlog.get_logger("hub.rendering")


@dataclass(frozen=True)
class Rendered:
    """What came of it: how many pages there are, and a PNG where one was asked for."""

    pages: int
    picture: bytes


def render(job: Job, blocks: Iterable[bytes]) -> Rendered:
    """`Unreadable` where the file is not what it should be, `Unavailable` where nobody can look at it now.

    An error of `blocks` passes through as it is.
    """
    if not _turns.acquire(timeout=WAIT_SECONDS):
        raise Unavailable("rendering_busy", BUSY)
    try:
        return _answered(*_run(job, blocks))
    finally:
        _turns.release()


def _run(job: Job, blocks: Iterable[bytes]) -> tuple[int, bytes]:
    process = subprocess.Popen(
        [sys.executable, "-I", "-m", "hub.rendering.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={},
        close_fds=True,
        bufsize=0,
    )
    assert process.stdin is not None and process.stdout is not None  # noqa: S101
    timer = threading.Timer(RUN_SECONDS, process.kill)
    timer.start()
    try:
        _feed(process.stdin, job, blocks)
        answer = _read(process.stdout)
        if len(answer) > MAX_ANSWER:
            process.kill()
        return process.wait(), answer
    finally:
        timer.cancel()
        process.kill()
        process.wait()
        process.stdout.close()


def _feed(pipe: IO[bytes], job: Job, blocks: Iterable[bytes]) -> None:
    """A process that ended early says so by its exit."""
    try:
        with pipe:
            _write(pipe, job.header())
            for block in blocks:
                _write(pipe, block)
    except BrokenPipeError:
        pass


def _write(pipe: IO[bytes], block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[pipe.write(view) :]


def _read(pipe: IO[bytes]) -> bytes:
    held = bytearray()
    while len(held) <= MAX_ANSWER and (block := pipe.read(1024 * 1024)):
        held += block
    return bytes(held)


def _answered(code: int, answer: bytes) -> Rendered:
    if code == NO_SANDBOX_EXIT:
        log.error("no_sandbox")
        raise Unavailable("no_sandbox", NO_SANDBOX)
    if code != 0 or len(answer) > MAX_ANSWER:
        # it was killed by a limit, or by what it read
        log.warning("rendering_ended", code=code)
        raise Unreadable("too_costly")
    facts, _, picture = answer.partition(b"\n")
    said = json.loads(facts)
    if "refused" in said:
        raise Unreadable(str(said["refused"]))
    return Rendered(int(said["pages"]), picture)
