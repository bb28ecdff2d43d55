"""What the launcher keeps under one directory: secrets, ports, the lock, the note of a running hub."""

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from hub.config import APP, CLI, LOADER, WORKER, DatabaseRole
from hub.launcher import running
from hub.launcher.environment import (
    DATABASE_NAMES,
    LOG_KEY,
    MEMORY,
    OWNER_URL,
    SEQUENCER_URL,
    for_secrets,
    for_sequencer,
    for_service,
    given,
)
from hub.launcher.ports import Ports, is_free
from hub.launcher.secrets import Secrets


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first = Secrets(tmp_path).token("word")
    assert len(first) >= 40
    assert Secrets(tmp_path).token("word") == first
    assert Secrets(tmp_path).token("other") != first
    assert _mode(tmp_path / "secrets") == 0o700
    assert _mode(tmp_path / "secrets" / "word") == 0o600
    assert sorted(path.name for path in (tmp_path / "secrets").iterdir()) == ["other", "word"]


def test_a_loosened_secret_is_tightened(tmp_path: Path) -> None:
    Secrets(tmp_path).token("word")
    (tmp_path / "secrets" / "word").chmod(0o644)
    Secrets(tmp_path).token("word")
    assert _mode(tmp_path / "secrets" / "word") == 0o600


def test_a_key_file_holds_32_bytes_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    path = Secrets(tmp_path).key_file("root_key")
    kept = path.read_bytes()
    assert len(kept) == 32
    assert Secrets(tmp_path).key_file("root_key").read_bytes() == kept
    path.write_bytes(kept[:-1])
    with pytest.raises(SystemExit, match="32 bytes"):
        Secrets(tmp_path).key_file("root_key")


def test_a_port_is_remembered_until_another_program_takes_it(tmp_path: Path) -> None:
    port = Ports(tmp_path).claim("web")
    assert Ports(tmp_path).claim("web") == port
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)
        other = Ports(tmp_path).claim("web")
        assert other != port
    assert is_free(port)
    assert Ports(tmp_path).claim("web") == other


def test_two_that_claim_in_turn_keep_each_other_s_ports(tmp_path: Path) -> None:
    one, two = Ports(tmp_path), Ports(tmp_path)
    ports = {one.claim("a"), two.claim("b"), one.claim("c")}
    assert len(ports) == 3
    assert set(Ports(tmp_path).chosen) == {"a", "b", "c"}


def test_a_damaged_list_of_ports_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text('{"web": 80')
    assert Ports(tmp_path).claim("web") >= 20000


def test_half_of_a_server_s_variables_is_a_mistake() -> None:
    assert not given(DATABASE_NAMES, {})
    assert given(DATABASE_NAMES, dict.fromkeys(DATABASE_NAMES, "x"))
    with pytest.raises(SystemExit, match="HUB_DATABASE_URL given without HUB_OWNER_DATABASE_URL"):
        given(DATABASE_NAMES, {"HUB_DATABASE_URL": "x"})


def test_given_secrets_are_used_and_none_is_made(tmp_path: Path) -> None:
    assert (
        for_secrets(
            tmp_path, {"HUB_SECRET_KEY": "s", "HUB_ROOT_KEY_FILE": "f", "HUB_LOG_KEY_FILE": "l"}, demo=True
        )
        == {}
    )
    assert list(tmp_path.iterdir()) == []
    made = set(for_secrets(tmp_path, {}, demo=True))
    assert made == {"HUB_SECRET_KEY", "HUB_ROOT_KEY_FILE", "HUB_LOG_KEY_FILE"}
    # a key file serves demonstrations only
    assert set(for_secrets(tmp_path, {}, demo=False)) == {"HUB_SECRET_KEY", "HUB_LOG_KEY_FILE"}


@pytest.mark.parametrize("role", [APP, WORKER, CLI, LOADER], ids=lambda role: str(role.name))
def test_each_process_gets_the_address_of_its_own_role_and_nobody_else_s(role: DatabaseRole) -> None:
    """It can neither change the schema nor sign the log either."""
    given = {OWNER_URL: "x", SEQUENCER_URL: "y", LOG_KEY: "z", "HUB_PORT": "1"}
    given |= {one.variable: f"as {one.name}" for one in (APP, WORKER, CLI, LOADER)}
    assert for_service(given, role) == {
        "HUB_DATABASE_URL": f"as {role.name}",
        "HUB_PORT": "1",
        **MEMORY,
    }
    assert (
        for_service({**given, **dict.fromkeys(MEMORY, "0")}, role).items()
        >= dict.fromkeys(MEMORY, "0").items()
    )


def test_the_sequencer_gets_no_other_key_and_no_other_address() -> None:
    given = {OWNER_URL: "x", SEQUENCER_URL: "y", LOG_KEY: "z", "HUB_DATABASE_URL": "d", "HUB_SECRET_KEY": "s"}
    assert for_sequencer({**given, "PATH": "p", "HUB_ROOT_KEY_FILE": "r", "HUB_S3_SECRET_KEY": "s3"}) == {
        SEQUENCER_URL: "y",
        LOG_KEY: "z",
        "PATH": "p",
    }


def test_only_one_launcher_on_a_directory_and_its_death_frees_it(tmp_path: Path) -> None:
    code = "import sys, time; from pathlib import Path; from hub.launcher.running import locked\n"
    code += "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(SystemExit, match=rf"already \(process {holder.pid}\)"), running.locked(tmp_path):
            pass
        holder.kill()
    with running.locked(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_a_note_of_the_running_hub_is_believed_only_while_it_runs(tmp_path: Path) -> None:
    assert running.recall(tmp_path) == {}
    with running.locked(tmp_path):
        running.remember(tmp_path, {"HUB_DATABASE_URL": "x", "PATH": "y"})
        assert _mode(tmp_path / "environment") == 0o600
        assert running.recall(tmp_path) == {"HUB_DATABASE_URL": "x"}
    assert running.recall(tmp_path) == {}
