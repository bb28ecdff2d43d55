"""The command `hub`: loads what is called, and says in one line what went wrong."""

import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from hub.cli import COMMANDS, main, use_running_hub
from hub.launcher import running

PROJECT = Path(__file__).resolve().parents[2]


def _hub(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    return subprocess.run(
        [sys.executable, "-m", "hub.cli", *arguments],
        env=kept | environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_help_names_every_command_there_is() -> None:
    answer = CliRunner().invoke(main, ["--help"])
    assert answer.exit_code == 0
    present = [name for name in COMMANDS if (PROJECT / "hub" / "cli" / f"{name}.py").exists()]
    assert "up" in present
    for name in present:
        assert f"\n  {name}" in answer.output


def test_an_unknown_command_is_refused() -> None:
    assert CliRunner().invoke(main, ["down"]).exit_code == 2


def test_missing_settings_are_one_line_and_code_1(tmp_path: Path) -> None:
    answer = _hub("db", "upgrade", HUB_VAR=str(tmp_path))
    assert answer.returncode == 1
    assert "HUB_DATABASE_URL" in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1


def test_an_error_nobody_foresaw_is_one_line_too(tmp_path: Path) -> None:
    code = "import hub.cli, os; hub.cli.use_running_hub = lambda e: os.stat('/nowhere'); hub.cli.main(['db', 'upgrade'])"
    command = [sys.executable, "-c", code]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT, timeout=60)
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert answer.stderr.startswith("Error: [Errno 2] No such file or directory: '/nowhere'")
    shown = subprocess.run(
        command,
        env=os.environ | {"HUB_TRACEBACK": "1"},
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
        timeout=60,
    )
    assert "Traceback" in shown.stderr


def test_a_command_beside_a_running_hub_uses_its_addresses_unless_others_are_given(tmp_path: Path) -> None:
    with running.locked(tmp_path):
        running.remember(tmp_path, {"HUB_DATABASE_URL": "theirs", "HUB_PORT": "1"})
        beside = {"HUB_VAR": str(tmp_path), "HUB_PORT": "2"}
        use_running_hub(beside)
        assert beside["HUB_DATABASE_URL"] == "theirs"
        assert beside["HUB_PORT"] == "2"
        other = {"HUB_VAR": str(tmp_path), "HUB_DATABASE_URL": "mine"}
        use_running_hub(other)
        assert other["HUB_DATABASE_URL"] == "mine"
        assert "HUB_PORT" not in other
