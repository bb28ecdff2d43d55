"""Children end with their parent, are found by the directory they work in, and stop when told or made to."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hub.launcher.processes import Child, Program, end_left_over, left_over_in, wait_until
from hub.launcher.watched import Watched

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


def _program(directory: Path, code: str, *, grace_seconds: float = 5) -> Program:
    return Program(
        name="a program",
        command=[sys.executable, "-c", code],
        environment=dict(os.environ),
        directory=directory,
        log=directory / "log" / "program.log",
        grace_seconds=grace_seconds,
    )


def _said(child: Child, word: str) -> bool:
    return wait_until(lambda: word in child.last_words(), seconds=10)


def test_a_child_that_does_not_listen_is_made_to_end(tmp_path: Path) -> None:
    child = Child(_program(tmp_path, STUBBORN, grace_seconds=0.2))
    assert _said(child, "up")
    assert left_over_in(tmp_path) == [child.pid]
    child.stop()
    assert child.exit_code == -signal.SIGKILL
    assert left_over_in(tmp_path) == []


def test_its_log_is_for_its_owner_only(tmp_path: Path) -> None:
    child = Child(_program(tmp_path, "print('done')"))
    assert child.process.wait(10) == 0
    assert child.last_words() == "done"
    assert (tmp_path / "log" / "program.log").stat().st_mode & 0o077 == 0


def test_what_an_earlier_start_left_is_ended_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    (tmp_path / "other").mkdir()
    ours, other = (Child(_program(tmp_path / name, STUBBORN)) for name in ("ours", "other"))
    assert _said(ours, "up")
    assert _said(other, "up")
    assert end_left_over(tmp_path / "ours", ask=signal.SIGTERM, grace_seconds=0.2)
    assert ours.process.wait(5) == -signal.SIGKILL
    assert other.exit_code is None
    assert not end_left_over(tmp_path / "ours", ask=signal.SIGTERM, grace_seconds=0.2)
    other.kill()


def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    code = f"""
import sys, time; from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_processes import _program
from hub.launcher.processes import Child
child = Child(_program(Path({str(tmp_path)!r}), "import time; time.sleep(60)"))
print(child.pid, flush=True); time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert left_over_in(tmp_path) == [pid]
        parent.kill()
    assert wait_until(lambda: left_over_in(tmp_path) == [], seconds=10)


def test_a_program_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    program = Program(name="the thing", command=["/nowhere/thing"], environment={}, directory=tmp_path)
    with pytest.raises(SystemExit, match="the thing could not be started"):
        Child(program)


def test_a_watched_program_starts_again_after_a_growing_pause(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = _program(tmp_path, "raise SystemExit(3)")
    watched = Watched(program, Child(program))
    pids = {watched.child.pid}

    def twice_started_again() -> bool:
        watched.look()
        pids.add(watched.child.pid)
        return watched.failures == 3

    assert wait_until(twice_started_again, seconds=20)
    assert len(pids) == 3
    told = capsys.readouterr().err
    assert "code 3" in told
    assert [f"again in {pause} s" in told for pause in (1, 2, 4)] == [True, True, True]


def test_a_signal_in_the_middle_of_a_start_is_not_lost_and_the_child_is_known(tmp_path: Path) -> None:
    # a process of its own: a hook at the fork can't be taken back
    code = f"""
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_processes import _program
from hub.launcher.supervisor import Options, Supervisor, _interruptible

here = Path({str(tmp_path)!r})
hub = Supervisor(Options(var=here, host="127.0.0.1", port=1, demo=False))
os.register_at_fork(after_in_parent=lambda: signal.raise_signal(signal.SIGINT))
with _interruptible():
    try:
        hub._begin(_program(here, "import time; time.sleep(60)"))
    except KeyboardInterrupt:
        print("told", flush=True)
for each in hub.watched:
    each.child.ask_to_stop()
    print("ended", each.child.process.wait(10))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.split() == ["told", "ended", str(-signal.SIGTERM)], done.stderr
