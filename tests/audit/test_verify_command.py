"""`hub audit verify`: what it says, what it exits with, and what it writes down of itself."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from hub.audit.verifying import (
    FIRST_SIGHT,
    NOT_DETECTED,
)
from hub.cli.audit import main as audit_command
from tests.audit.conftest import Connect
from tests.audit.forging import policy_of, sequenced
from tests.audit.test_verifying import one_event, rewrite
from tests.conftest import connected_to


def run_command(database: SimpleNamespace, root_key_file: Path, *arguments: str, **changes: str) -> Result:
    settings = {
        "HUB_DATABASE_URL": database.cli,
        "HUB_OWNER_DATABASE_URL": database.owner,
        "HUB_S3_ENDPOINT": "http://127.0.0.1:1",
        "HUB_S3_BUCKET": "hub",
        "HUB_DEMO": "1",
        "HUB_ROOT_KEY_FILE": str(root_key_file),
        "HUB_S3_ACCESS_KEY": "test",
        "HUB_S3_SECRET_KEY": "test",
        "HUB_SECRET_KEY": "k" * 40,
    }
    with connected_to(database.cli):
        return CliRunner().invoke(audit_command, ["verify", *arguments], env={**settings, **changes})


@pytest.fixture
def tree(logged: UUID, connect: Connect, tmp_path: Path) -> None:
    sequenced(connect("sequencer", autocommit=False), tmp_path)


def test_the_command_says_it_in_words_and_by_its_exit_code(
    tree: None, database: SimpleNamespace, root_key_file: Path, connect: Connect
) -> None:
    clean = run_command(database, root_key_file)
    assert clean.exit_code == 0 and "The log is in order." in clean.output and NOT_DETECTED in clean.output
    assert FIRST_SIGHT in clean.output and "No policy was given" in clean.output
    less = run_command(database, root_key_file, HUB_OWNER_DATABASE_URL="")
    assert less.exit_code == 0 and "checked as the service" in less.output
    connect("superuser").execute("UPDATE audit.event SET act = 'case.opened' WHERE act = 'search.run'")
    broken = run_command(database, root_key_file)
    assert broken.exit_code == 1 and "PROBLEM column" in broken.output
    told = json.loads(run_command(database, root_key_file, "--json").stdout)
    assert told["ok"] is False and told["whole"] is True
    assert [one["code"] for one in told["problems"]] == ["column"]
    assert told["tree"]["meets_policy"] == told["tree"]["size"] > 5


def test_a_log_without_a_tree_is_not_called_in_order(
    logged: UUID, database: SimpleNamespace, root_key_file: Path
) -> None:
    found = run_command(database, root_key_file)
    assert found.exit_code == 1 and "PROBLEM no_checkpoint" in found.output


def test_an_altered_event_is_found_by_its_leaf_by_owner_and_service(
    tree: None, database: SimpleNamespace, root_key_file: Path, connect: Connect
) -> None:
    superuser = connect("superuser")
    event, body = one_event(superuser, "incident.logged")
    rewrite(superuser, event, body.replace(b'"noise"', b'"nois_"'), hashed=True)
    for changes in ({}, {"HUB_OWNER_DATABASE_URL": ""}):
        found = run_command(database, root_key_file, "--json", **changes)
        assert found.exit_code == 1, found.output
        assert [one["code"] for one in json.loads(found.stdout)["problems"]] == ["event_altered"]


def test_the_policy_and_what_was_seen_last_are_held_to(
    tree: None, database: SimpleNamespace, root_key_file: Path, connect: Connect, tmp_path: Path
) -> None:
    policy, seen = tmp_path / "policy", tmp_path / "seen"
    policy.write_text(str(policy_of()))
    given = ("--policy", str(policy), "--seen", str(seen))
    first = run_command(database, root_key_file, *given)
    assert first.exit_code == 0 and FIRST_SIGHT in first.output
    again = run_command(database, root_key_file, *given)
    assert again.exit_code == 0 and FIRST_SIGHT not in again.output
    kept = seen.read_text()
    connect("superuser").execute("DELETE FROM audit.checkpoint")
    gone = run_command(database, root_key_file, *given)
    assert gone.exit_code == 1 and "no_checkpoint" in gone.output and seen.read_text() == kept
    seen.write_text(kept.replace("hub.example", "hub.exbmple"))
    damaged = run_command(database, root_key_file, *given)
    assert damaged.exit_code == 2 and "could not be checked" in damaged.output
    policy.write_text("log nonsense")
    assert run_command(database, root_key_file, *given).exit_code == 2
    narrow = run_command(database, root_key_file, *given, HUB_OWNER_DATABASE_URL="")
    assert narrow.exit_code == 2


def test_a_log_that_cannot_be_read_is_not_called_in_order(
    database: SimpleNamespace, root_key_file: Path
) -> None:
    nowhere = "postgresql+psycopg://hub_owner:x@127.0.0.1:1/hub"
    failed = run_command(database, root_key_file, HUB_OWNER_DATABASE_URL=nowhere)
    assert failed.exit_code == 2 and "could not be checked" in failed.output
    incomplete = run_command(database, root_key_file, "--json", HUB_SECRET_KEY="")
    assert incomplete.exit_code == 2 and json.loads(incomplete.stdout)["ok"] is None


def test_the_check_is_itself_an_event_of_the_first_organisation(
    tree: None, database: SimpleNamespace, root_key_file: Path, connect: Connect
) -> None:
    assert run_command(database, root_key_file).exit_code == 0
    rows = (
        connect("superuser")
        .execute(
            "SELECT e.source, u.name FROM audit.event e JOIN app_user u ON u.id = e.user_id WHERE act = 'log.verified'"
        )
        .fetchall()
    )
    assert rows == [("cli", "Hub service")]
