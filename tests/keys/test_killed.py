"""`hub keys rotate`, killed on its way: every key opens all the while, and the next run goes on where it was."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.engine import make_url

from hub.core.ids import new_id
from hub.crypto import keyring, rotation, wrapping
from hub.crypto.models import DataKey, KeyEpoch
from hub.extensions import db
from tests.conftest import environment_of, settings_for
from tests.fixtures.world import World, act_as
from tests.keys.keeping import TEXT, epochs, keys_of, opened, records

PROJECT = Path(__file__).resolve().parents[2]
KEYS = 12 * rotation.BATCH
pytestmark = pytest.mark.slow


def test_a_kill_on_the_way_loses_no_key_and_the_next_run_goes_on(
    app: Flask, world: World, database: SimpleNamespace, root_key_file: Path
) -> None:
    made = records(world, 3)
    filler = _more_keys(database, epochs(world)[-1])
    spoc = act_as(world, "spoc")
    email = db.session.scalar(sa.text("SELECT email FROM app_user WHERE id = :id"), {"id": spoc.user_id})
    db.session.rollback()
    command = [sys.executable, "-m", "hub.cli", "keys", "rotate", "--as", str(email)]
    environment = environment_of(settings_for(database.cli, root_key_file))
    with subprocess.Popen(
        command, env=environment, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stderr is not None
        said = b""
        while b" keys " not in said:
            more = running.stderr.read(1)
            assert more, said
            said += more
        running.kill()
        assert running.wait(20) == -signal.SIGKILL

    old, new = epochs(world)[-2:]
    assert old.retired_at is None
    moved = keys_of(new.id)
    assert 0 < moved < KEYS and keys_of(old.id) + moved >= KEYS
    assert all(opened(world, record_id, sealed) == TEXT for record_id, sealed in made.items())
    _all_open(filler)

    again = subprocess.run(
        command, env=environment, cwd=PROJECT, capture_output=True, timeout=120, check=False
    )
    assert again.returncode == 0, again.stderr
    # the same epoch, and no third
    assert [one.id for one in epochs(world)][-2:] == [old.id, new.id]
    assert keys_of(old.id) == 0 and epochs(world)[-2].retired_at is not None
    assert all(opened(world, record_id, sealed) == TEXT for record_id, sealed in made.items())
    _all_open(filler)


def _more_keys(database: SimpleNamespace, epoch: KeyEpoch) -> dict[UUID, bytes]:
    """Keys of records that there are none of, wrapped as the hub wraps them: enough for a turn of some seconds."""
    above, area = keyring.open_epoch(epoch), epoch.partnership_id
    keys = {new_id(): index.to_bytes(32) for index in range(KEYS)}
    url = make_url(database.superuser).set(drivername="postgresql").render_as_string(hide_password=False)
    copying = "COPY data_key (id, created_at, partnership_id, record_id, epoch_id, wrapped) FROM STDIN"
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        with connection.cursor().copy(copying) as copy:
            for key_id, key in keys.items():
                wrapped = wrapping.wrap(above, key, purpose="data", ids=(area, key_id))
                copy.write_row((key_id, epoch.created_at, area, new_id(), epoch.id, wrapped))
    return keys


def _all_open(filler: dict[UUID, bytes]) -> None:
    db.session.expire_all()
    above = {epoch.id: keyring.open_epoch(epoch) for epoch in db.session.scalars(sa.select(KeyEpoch))}
    rows = db.session.scalars(sa.select(DataKey).where(DataKey.id.in_(filler))).all()
    assert len(rows) == len(filler)
    for row in rows:
        key = wrapping.unwrap(
            above[row.epoch_id], row.wrapped or b"", purpose="data", ids=(row.partnership_id, row.id)
        )
        assert key == filler[row.id]
