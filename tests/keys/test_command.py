"""`hub keys` as an operator runs it: in a process of its own, under a keeper that is asked over the network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.crypto import keyring
from hub.crypto.keepers.transit import TransitKeeper
from hub.crypto.models import KeyEpoch
from hub.extensions import db
from tests.conftest import environment_of, settings_for
from tests.fixtures.keepers import Transit
from tests.fixtures.world import World, act_as
from tests.keys.keeping import TEXT, as_superuser, epochs, opened, records

PROJECT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


class Operator:
    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def __call__(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: PLW1510 - the exit code is what is tested
            [sys.executable, "-m", "hub.cli", "keys", *arguments],
            env={**self.environment, **changes},
            cwd=PROJECT,
            text=True,
            capture_output=True,
            timeout=120,
        )


def test_status_rotate_and_destroy(
    app: Flask, world: World, database: SimpleNamespace, transit: Transit, root_key_file: Path
) -> None:
    as_superuser(database, "DELETE FROM data_key")
    as_superuser(database, "DELETE FROM key_epoch")
    was = keyring.root()
    keyring.install(TransitKeeper(transit.settings()))
    environment = environment_of(settings_for(database.cli, root_key_file), **transit.environment())
    environment = {
        name: value for name, value in environment.items() if name not in ("HUB_DEMO", "HUB_ROOT_KEY_FILE")
    }
    hub = Operator(environment)
    try:
        spoc, other = _email(world, "spoc"), _email(world, "police_spoc")
        made = records(world, 3)
        status = hub("status", "--as", spoc)
        assert status.returncode == 0, status.stderr
        assert (
            "wraps and opens, now with transit:transit/hub:1" in status.stdout
            and "NOR  " in status.stdout
            and "in use" in status.stdout
        )

        turned = hub("rotate", "--as", spoc)
        assert turned.returncode == 0, turned.stderr
        assert "keys were passed on" in turned.stdout and "keys …" in turned.stderr
        old = epochs(world)[0]
        assert old.retired_at is not None

        root = hub("rotate", "--as", spoc, "--root")
        assert "wrapped by the new root key" in root.stdout, root.stderr
        assert set(db.session.scalars(sa.select(KeyEpoch.root_key_id))) == {"transit:transit/hub:2"}

        assert "somebody else" in hub("destroy", "--as", spoc, "--epoch", str(old.id)).stdout
        own = hub("destroy", "--as", spoc, "--epoch", str(old.id), "--approve")
        assert own.returncode == 1 and "Somebody else has to let it go" in own.stderr
        gone = hub("destroy", "--as", other, "--epoch", str(old.id), "--approve")
        assert gone.returncode == 0, gone.stderr
        told = json.loads(hub("status", "--as", spoc, "--json", "--partnership", "x").stdout or "{}")
        assert told == {}
        states = [one["state"] for one in json.loads(hub("status", "--as", spoc, "--json").stdout)["epochs"]]
        assert "destroyed" in states and "in use" in states
        assert all(opened(world, key, sealed) == TEXT for key, sealed in made.items())

        transit.sealed = True
        assert hub("status", "--as", spoc).returncode == 1
        transit.sealed = False
        refused = hub("rotate", "--as", _email(world, "officer"))
        assert refused.returncode == 1 and "role does not allow" in refused.stderr
        away = hub("rotate", "--as", spoc, HUB_TRANSIT_URL="http://127.0.0.1:1")
        assert away.returncode == 1 and "key keeper is not available" in away.stderr
        assert "Traceback" not in away.stderr
    finally:
        keyring.install(was)


def test_a_key_file_without_a_demonstration_does_not_start(
    database: SimpleNamespace, root_key_file: Path
) -> None:
    environment = environment_of(settings_for(database.app, root_key_file), HUB_DEMO="0")
    refused = Operator({**environment, "HOME": os.environ.get("HOME", "/")})(
        "status", "--as", "x@example.org"
    )
    assert refused.returncode == 1
    assert "HUB_ROOT_KEY_FILE is for demonstrations only" in refused.stderr


def _email(world: World, user: str) -> str:
    actor = act_as(world, user)
    found: str = db.session.execute(
        sa.text("SELECT email FROM app_user WHERE id = :id"), {"id": actor.user_id}
    ).scalar_one()
    db.session.rollback()
    return found
