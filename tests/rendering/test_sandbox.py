"""The lock: what hostile code would try fails behind it, and works before it, so that the test tells something."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub.rendering.filter import ABSENT, ALLOW, ARCHITECTURES, KILL, REFUSE, program
from hub.rendering.sandbox import MEMORY_BYTES

# each attempt is an expression; what it needs is imported before the lock
ATTEMPTS = {
    "open a socket": "socket.socket()",
    "connect": "_must(libc.connect(1, None, 0))",
    "a pair of sockets": "socket.socketpair()",
    "read a file": "open('/etc/passwd').read(1)",
    "write a file": "open(f'/tmp/hub-{os.getpid()}', 'w').write('x')",
    "list a folder": "os.listdir('/')",
    "look at a file": "os.stat('/etc/passwd')",
    "remove a file": "os.unlink(made)",
    "fork": "os.fork() or os._exit(0)",
    "start a program": "subprocess.run(['/bin/true'])",
    "become a program": "(os.fork() and os.wait()) or os.execv('/bin/true', ['true'])",
    "trace": "_must(libc.ptrace(0, 0, 0, 0))",
    "read another's memory": "_must(libc.process_vm_readv(os.getppid(), None, 0, None, 0, 0))",
    "send a signal": "os.kill(os.getpid(), 0)",
    "take another name": "_must(libc.prctl(15, b'innocent', 0, 0, 0))",
    "memory that runs": "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)",
    "raise a limit": "_must(libc.prlimit(0, 0, None, ctypes.create_string_buffer(16)))",
    "a pipe": "os.pipe()",
    "anonymous file": "os.memfd_create('x')",
}
PROGRAM = """
import ctypes, mmap, os, socket, subprocess, sys, tempfile
from hub.rendering.sandbox import lock
libc = ctypes.CDLL(None, use_errno=True)
descriptor, made = tempfile.mkstemp()
def _must(answer):
    if answer == -1:
        raise OSError(ctypes.get_errno(), "refused")
if sys.argv[2] == "locked":
    lock()
try:
    eval(sys.argv[1])
except OSError as error:
    os.write(1, b"refused %d" % error.errno)
    os._exit(0)
os.write(1, b"done")
os._exit(0)
"""
WORKS_BEFORE = [what for what in ATTEMPTS if what not in ("connect", "read another's memory")]


def _tried(attempt: str, locked: str) -> bytes:
    asked = [sys.executable, "-c", PROGRAM, attempt, locked]
    return subprocess.run(asked, capture_output=True, timeout=60, check=False).stdout


@pytest.mark.parametrize("what", ATTEMPTS)
def test_behind_the_lock_nothing_is_to_be_had(what: str) -> None:
    assert _tried(ATTEMPTS[what], "locked") == b"refused 1"


@pytest.mark.parametrize("what", WORKS_BEFORE)
def test_without_the_lock_the_same_works(what: str) -> None:
    assert _tried(ATTEMPTS[what], "open").startswith(b"done")


def _ended(code: str) -> subprocess.CompletedProcess[bytes]:
    locked = f"import os, threading\nfrom hub.rendering.sandbox import lock\nlock()\n{code}"
    return subprocess.run([sys.executable, "-c", locked], capture_output=True, timeout=120, check=False)


def test_memory_and_time_end() -> None:
    assert b"MemoryError" in _ended(f"bytearray({MEMORY_BYTES})").stderr
    threads = (
        "gate = threading.Event()\nwhile True:\n    threading.Thread(target=gate.wait, daemon=True).start()"
    )
    assert b"can't start new thread" in _ended(threads).stderr
    assert _ended("import resource\nwhile True: pass").returncode != 0


def test_an_ordinary_user_locks_as_well(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("these tests run as an ordinary user already")
    code = "import os, socket\nfrom hub.rendering.sandbox import lock\nos.setgid(65534)\nos.setuid(65534)\nlock()\nsocket.socket()"
    assert (
        b"PermissionError: [Errno 1]"
        in subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).stderr
    )


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_the_filter_says_no_to_whatever_it_does_not_name(machine: str) -> None:
    architecture = ARCHITECTURES[machine]
    kept = set(architecture.kept)
    for number in range(600):
        answer = _answer(program(architecture), architecture.audit, number)
        if number == architecture.clone3:
            assert answer == ABSENT
        elif number in architecture.memory:
            assert answer == ALLOW
            assert _answer(program(architecture), architecture.audit, number, third=7) == REFUSE
        elif number == architecture.clone:
            assert answer == REFUSE
            assert _answer(program(architecture), architecture.audit, number, first=0x3D0F00) == ALLOW
        else:
            assert answer == (ALLOW if number in kept else REFUSE)
    # the numbers of another architecture, and those of the x32 interface
    assert _answer(program(architecture), 0x40000003, 0) == KILL
    assert _answer(program(architecture), architecture.audit, 0x40000000) == REFUSE


def _answer(code: bytes, audit: int, number: int, *, first: int = 0, third: int = 0) -> int:
    """Runs the filter as the kernel does."""
    data = {0: number, 4: audit, 16: first, 32: third}
    steps = [
        (
            int.from_bytes(code[at : at + 2], "little"),
            code[at + 2],
            code[at + 3],
            int.from_bytes(code[at + 4 : at + 8], "little"),
        )
        for at in range(0, len(code), 8)
    ]
    at, held = 0, 0
    while True:
        operation, then, otherwise, value = steps[at]
        at += 1
        if operation == 0x20:
            held = data[value]
        elif operation == 0x06:
            return value
        else:
            hit = held == value if operation == 0x15 else bool(held & value)
            at += then if hit else otherwise
