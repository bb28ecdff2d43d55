"""The log's key and the pages under two accounts of the system, as on a server: SECURITY K8. Needs root, to start as either."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from hub.config import APP, CLI, LOADER, WORKER
from hub.launcher.environment import LOG_KEY, SEQUENCER_URL, for_sequencer, for_service
from hub.launcher.ports import LOOPBACK, Ports
from hub.launcher.processes import Child, Program, wait_until
from hub.launcher.unprivileged import Account
from tests.conftest import environment_of, settings_for

PROJECT = Path(__file__).resolve().parents[2]
# no account has to have these numbers
WEB, SEQUENCER = Account(61_481, 61_481), Account(61_482, 61_482)
PATIENCE_SECONDS = 90.0
QUIET = {"PYTHONDONTWRITEBYTECODE": "1"}
Python = tuple[str, dict[str, str]]


@pytest.fixture
def place() -> Iterator[Path]:
    """Where both may pass, each to what is their own."""
    if os.geteuid() != 0:
        pytest.skip("needs root: two processes are started under two accounts")
    made = Path(tempfile.mkdtemp(prefix="hub-two-users-", dir="/var/tmp"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _within_reach(folder: Path, copy: Path) -> Path:
    """The folder, or a copy of it where no other account can pass to it."""
    if WEB.may_pass(folder):
        return folder
    return Path(shutil.copytree(folder, copy, symlinks=True, copy_function=_link, dirs_exist_ok=True))


@pytest.fixture
def project(place: Path) -> Path:
    """What both run, where both can read it."""
    if WEB.may_pass(PROJECT):
        return PROJECT
    for name in ("hub", "templates", "migrations"):
        _within_reach(PROJECT / name, place / "project" / name)
    return place / "project"


@pytest.fixture
def python(place: Path) -> Python:
    """Python as every account can run it, and its variables: where root keeps it to itself, a copy with our libraries."""
    ours = Path(sys.executable)
    if WEB.may_run(ours) and WEB.may_pass(ours.resolve().parent):
        return str(ours), QUIET
    copied = shutil.copytree(
        sys.base_prefix, place / "python", symlinks=True, copy_function=_link,
        ignore=shutil.ignore_patterns("site-packages", "test", "tests", "share", "include"),
    )  # fmt: skip
    copied.chmod(0o755)
    libraries = os.pathsep.join(
        str(_within_reach(Path(path), place / "libraries" / str(number)))
        for number, path in enumerate(sys.path)
        if path.endswith("site-packages")
    )
    # it may be linked to a library of its own beside it
    found = {**QUIET, "PYTHONPATH": libraries, "LD_LIBRARY_PATH": str(copied / "lib")}
    return str(copied / ours.resolve().relative_to(sys.base_prefix)), found


def _belongs(path: Path, account: Account, content: bytes | None = None) -> Path:
    """A file, or a folder where there is nothing to hold, that this account alone can open."""
    if content is None:
        path.mkdir(mode=0o700)
    else:
        path.touch(mode=0o600)
        path.write_bytes(content)
    os.chown(path, account.uid, account.gid)
    return path


@contextmanager
def _running(
    python: Python,
    project: Path,
    arguments: list[str],
    environment: dict[str, str],
    account: Account,
    log: Path,
) -> Iterator[Child]:
    program, more = python
    child = Child(
        Program(
            name=log.stem, command=[program, *arguments], environment={**environment, **more}, directory=project, log=log,
            account=account,
        )
    )  # fmt: skip
    try:
        yield child
    finally:
        child.stop()


def _can_read(python: Python, path: Path, account: Account) -> bool:
    answer = subprocess.run(
        [python[0], "-c", "import sys; open(sys.argv[1], 'rb').read()", path],
        env=python[1], user=account.uid, group=account.gid, extra_groups=[], stderr=subprocess.PIPE, text=True, check=False, cwd="/",
    )  # fmt: skip
    assert answer.returncode == 0 or "PermissionError" in answer.stderr, answer.stderr
    return answer.returncode == 0


def _answers(port: int) -> bool:
    connection = HTTPConnection(LOOPBACK, port, timeout=10)
    try:
        connection.request("GET", "/sign-in")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _family(pid: int) -> list[int]:
    """The process and those that it has forked."""
    forked = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in forked for one in _family(int(child)))]


@pytest.mark.slow
def test_the_pages_can_neither_read_the_log_s_key_nor_learn_where_it_is(
    database: SimpleNamespace, place: Path, project: Path, python: Python
) -> None:
    key = _belongs(place / "log.key", SEQUENCER, secrets.token_bytes(32))
    memory = _belongs(place / "sequencer", SEQUENCER)
    root_key = _belongs(place / "root.key", WEB, secrets.token_bytes(32))
    # the launcher's whole environment, of which each gets its part
    whole = environment_of(
        settings_for(database.app, root_key), HUB_VAR=str(place), HUB_DEMO="1", HUB_LOG_ORIGIN="hub.example/log"
    ) | {
        WORKER.variable: database.worker, CLI.variable: database.cli, LOADER.variable: database.loader,
        "HUB_OWNER_DATABASE_URL": database.owner, SEQUENCER_URL: database.sequencer, LOG_KEY: str(key),
    }  # fmt: skip
    port = Ports(place).claim("web")
    gunicorn = [
        "-m", "gunicorn", f"--bind={LOOPBACK}:{port}", "--workers=1", "--worker-class=gthread", "--threads=2",
        "--worker-tmp-dir=/dev/shm", "--no-control-socket", "hub.app:create_app()",
    ]  # fmt: skip
    with ExitStack() as stack:
        sequencer = stack.enter_context(
            _running(
                python,
                project,
                ["-m", "hub.cli", "sequencer"],
                for_sequencer(whole),
                SEQUENCER,
                place / "sequencer.log",
            )
        )
        web = stack.enter_context(
            _running(python, project, gunicorn, for_service(whole, APP), WEB, place / "web.log")
        )
        for child, ready in ((sequencer, lambda: _signed(database)), (web, lambda: _answers(port))):
            wait_until(
                lambda: child.exit_code is not None or ready(), seconds=PATIENCE_SECONDS, every=0.2  # noqa: B023
            )  # fmt: skip
            assert child.exit_code is None and ready(), child.last_words()

        assert (_can_read(python, key, SEQUENCER), _can_read(python, key, WEB)) == (True, False)
        assert not _can_read(python, Path(f"/proc/{sequencer.pid}/environ"), WEB)
        assert not _can_read(python, memory / "signed-last", WEB)
        kin = _family(web.pid)
        assert len(kin) >= 2
        for pid in kin:
            assert Path(f"/proc/{pid}").stat().st_uid == WEB.uid
            told = Path(f"/proc/{pid}/environ").read_bytes().decode()
            assert database.app in told
            for secret in (
                *(
                    str(key),
                    database.sequencer,
                    database.owner,
                    database.worker,
                    database.cli,
                    database.loader,
                ),
                *(LOG_KEY, SEQUENCER_URL, WORKER.variable, CLI.variable, LOADER.variable),
            ):
                assert secret not in told


def _signed(database: SimpleNamespace) -> bool:
    with psycopg.connect(database.owner.replace("+psycopg", "", 1)) as connection:
        return (
            connection.execute("SELECT FROM audit.checkpoint WHERE note IS NOT NULL LIMIT 1").fetchone()
            is not None
        )
