"""Child processes: started so that they end with us, found again after a crash, stopped alone."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hub.launcher.unprivileged import Account

STOPPING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_PR_SET_PDEATHSIG = 1
_LOG_LIMIT = 16 * 1024 * 1024
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to start and how it likes to be stopped."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    log: Path | None = None  # None: share our own output
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    # Sent by the kernel when we die without stopping anything ourselves.
    orphan_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = 10.0


class Child:
    """One running program, at the head of a session and process group of its own."""

    def __init__(self, program: Program) -> None:
        self.program = program
        # The kernel ties the child to the thread that starts it: start children from a thread that stays.
        with _output(program.log) as output, undisturbed():
            try:
                self.process = subprocess.Popen(
                    list(program.command),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT if program.log else None,
                    cwd=program.directory,
                    env=dict(program.environment),
                    start_new_session=True,
                    preexec_fn=_end_with_parent(program.orphan_signal),  # noqa: PLW1509  one call, no lock
                    user=program.account.uid if program.account else None,
                    group=program.account.gid if program.account else None,
                    extra_groups=[] if program.account else None,
                )
            except OSError as error:
                raise SystemExit(f"{program.name} could not be started: {error}") from error

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def exit_code(self) -> int | None:
        return self.process.poll()

    def ask_to_stop(self) -> None:
        if self.exit_code is None:
            self.process.send_signal(self.program.stop_signal)

    def stop(self) -> None:
        """Ask, wait, then end the whole group."""
        self.ask_to_stop()
        try:
            self.process.wait(self.program.grace_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def last_words(self, characters: int = 800) -> str:
        """The end of its log, for a message about why it would not start."""
        if self.program.log is None:
            return ""
        return self.program.log.read_text(errors="replace")[-characters:].strip()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Whatever asks us to stop waits until the end of this block.

    What a handler raises while a process is forked is dropped by the interpreter, and a child that is not yet
    written down would be nobody's.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def left_over_in(directory: Path) -> list[int]:
    """Processes at work in this directory: those of an earlier start that was killed."""
    wanted = str(directory)
    found = []
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            at_work_in = os.readlink(f"/proc/{entry.name}/cwd")
        except OSError:
            continue  # ended meanwhile, or another account's
        if at_work_in in (wanted, f"{wanted} (deleted)"):
            found.append(int(entry.name))
    return found


def end_left_over(directory: Path, *, ask: signal.Signals, grace_seconds: float) -> bool:
    """Stop what an earlier start left running in this directory. True when there was anything."""
    if not left_over_in(directory):
        return False
    for sent, seconds in ((ask, grace_seconds), (signal.SIGKILL, 5.0)):
        for pid in left_over_in(directory):
            _send(pid, sent)
        if wait_until(lambda: not left_over_in(directory), seconds=seconds):
            return True
    raise SystemExit(f"Processes {left_over_in(directory)} still work in {directory} and do not end.")


def wait_until(condition: Callable[[], bool], *, seconds: float, every: float = 0.02) -> bool:
    """Whether the condition came true in time."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(every)
    return True


def _send(pid: int, sent: signal.Signals) -> None:
    try:
        os.kill(pid, sent)
    except ProcessLookupError:
        pass


@contextmanager
def _output(log: Path | None) -> Iterator[int | None]:
    """The log file for a child, held open here only while the child is started."""
    if log is None:
        yield None
        return
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_suffix(".old"))
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _end_with_parent(sent: signal.Signals) -> Callable[[], None]:
    parent = os.getpid()

    def before_exec() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)  # a mask outlives exec
        if not sys.platform.startswith("linux"):
            return
        _libc.prctl(_PR_SET_PDEATHSIG, int(sent))
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return before_exec
