"""`hub witness` as an operator types it."""

from __future__ import annotations

import socket
from pathlib import Path

from click.testing import CliRunner, Result

from hub.cli import main
from hub.crypto.tlog.notes import COSIGNATURE, Verifier
from tests.witness.log import KEY, ORIGIN, THIEF


def hub(*words: str) -> Result:
    return CliRunner().invoke(main, ["witness", *words])


def test_make_trust_and_status(tmp_path: Path) -> None:
    file = ["--state", str(tmp_path / "w.json")]
    done = hub("make", *file, "--name", "council.example/w1")
    assert done.exit_code == 0
    vkey = Verifier.parse(done.stdout)
    assert (vkey.name, vkey.kind) == ("council.example/w1", COSIGNATURE)
    assert "there already" in hub("make", *file, "--name", "again").output
    assert "No log is trusted yet" in hub("status", *file).output
    assert hub("trust", *file, str(KEY.verifier)).output == f"{ORIGIN} is trusted.\n"
    assert hub("trust", *file, str(KEY.verifier)).output == f"{ORIGIN} was trusted already.\n"
    refused = hub("trust", *file, str(THIEF.verifier))
    assert refused.exit_code == 1 and "--rotate" in refused.output
    assert hub("trust", *file, str(THIEF.verifier), "--rotate").exit_code == 0
    told = hub("status", *file).output
    assert str(vkey) in told and str(THIEF.verifier) in told and "key changed 1 time" in told


def test_what_is_wrong_is_said_in_one_line(tmp_path: Path) -> None:
    missing = ["--state", str(tmp_path / "none.json")]
    damaged = tmp_path / "damaged.json"
    damaged.write_text("{}")
    damaged.chmod(0o600)
    for words in (
        ["status", *missing],
        ["serve", *missing],
        ["trust", *missing, str(KEY.verifier)],
        ["make", "--state", str(tmp_path / "no" / "w.json"), "--name", "a"],
        ["make", *missing, "--name", "two words"],
        ["status", "--state", str(damaged)],
        ["serve", "--state", str(damaged)],
    ):
        done = hub(*words)
        assert done.exit_code == 1 and isinstance(done.exception, SystemExit)
        assert done.output.startswith("Error: ") and done.output.count("\n") == 1, done.output
    assert not (tmp_path / "none.json").exists()


def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    file = ["--state", str(tmp_path / "w.json")]
    hub("make", *file, "--name", "a")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = hub("serve", *file, "--port", str(taken.getsockname()[1]))
    assert done.exit_code == 1 and "can't be used" in done.output
