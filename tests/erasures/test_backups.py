"""Erased in backups too: a dump of before opens the file until its epoch and its root key's generation have ended, and never after.

The same dump opens just before, so that this could fail. And a dump and the bucket alone, without the keeper, open nothing.
"""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from uuid import UUID

import pytest
import sqlalchemy as sa

from hub.crypto import keyring, rotation, wrapping
from hub.crypto.errors import Unsealable
from hub.crypto.keepers.file import FileKeeper
from hub.crypto.keepers.kms import KmsKeeper
from hub.crypto.keepers.transit import TransitKeeper
from hub.crypto.rootkey import RootKey
from hub.crypto.stream import attachment_context, decrypt_chunks
from hub.crypto.wrapping import RootWrapped
from hub.erasures.actions import approve_erasure, ask_erasure
from hub.erasures.vocabulary import ErasureGround
from hub.extensions import db
from hub.jobs.app import Regular, run_now
from hub.keys.jobs import look_after_keys
from hub.launcher.postgres_binaries import choose
from tests.conftest import as_worker, on_database
from tests.erasures.conftest import CANARY, CONTENT, Scene, connect, plain
from tests.fixtures.keepers import Kms, Transit
from tests.fixtures.world import act_as
from tests.keys.keeping import records

pytestmark = pytest.mark.slow


@pytest.fixture(params=["file", "transit", "kms"])
def keeper(
    request: pytest.FixtureRequest, scene: Scene, root_key_file: Path, tmp_path: Path
) -> Iterator[RootKey]:
    """A keeper of this test's own; the epochs there are pass to it."""
    was, made = keyring.root(), _made(request, root_key_file, tmp_path)
    with scene.site.inside():
        act_as(scene.world, "spoc")
        keyring.install(_Passing(was, made))
        while rotation.move_epoch(db.session(), made.generation()):
            db.session.commit()
        rotation.turn_root(db.session())
        while rotation.move_epoch(db.session(), made.generation()):
            db.session.commit()
        db.session.commit()
    scene.sql("UPDATE root_generation SET left_at = now() WHERE name <> :now", now=made.generation())
    keyring.install(made)
    yield made
    keyring.install(was)


class _Passing:
    """Opens with one keeper and wraps with another, as a change of keepers would."""

    def __init__(self, old: RootKey, new: RootKey) -> None:
        self.old, self.new = old, new
        self.generation, self.wrap, self.turn, self.end = new.generation, new.wrap, new.turn, new.end

    def unwrap(self, wrapped: RootWrapped, *, purpose: str, ids: wrapping.Ids) -> bytes:
        if wrapped.generation.split(":")[0] != self.new.generation().split(":")[0]:
            return self.old.unwrap(wrapped, purpose=purpose, ids=ids)
        try:
            return self.new.unwrap(wrapped, purpose=purpose, ids=ids)
        except Unsealable:
            return self.old.unwrap(wrapped, purpose=purpose, ids=ids)


def _made(request: pytest.FixtureRequest, root_key_file: Path, tmp_path: Path) -> RootKey:
    if request.param == "kms":
        kms: Kms = request.getfixturevalue("kms")
        return KmsKeeper(kms.settings())
    if request.param == "transit":
        transit: Transit = request.getfixturevalue("transit")
        return TransitKeeper(transit.settings())
    file = tmp_path / "own.key"
    file.write_bytes(secrets.token_bytes(32))
    file.chmod(0o600)
    return FileKeeper(file)


class Backup:
    """A dump of the database and a copy of the bucket, restored beside the living ones."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        self.scene = scene
        self.file = folder / "dump"
        scene.dump(self.file)
        self.objects = {key: scene.bucket.read(key) for key in sorted(scene.bucket.keys())}
        self.name = f"hub_restored_{secrets.token_hex(4)}"
        self.url = on_database(scene.database.superuser, self.name)

    def __enter__(self) -> Backup:
        self._admin(f"CREATE DATABASE {self.name}")
        subprocess.run(
            [choose("", made_by=None).bin / "pg_restore", "-d", plain(self.url), self.file],
            check=True,
            capture_output=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._admin(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")

    def _admin(self, statement: str) -> None:
        engine = sa.create_engine(
            on_database(self.scene.database.superuser, "postgres"),
            isolation_level="AUTOCOMMIT",
            poolclass=sa.NullPool,
        )
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()

    def opened(self, root: RootKey) -> bytes:
        """The file, with all that the backup holds and this keeper."""
        engine = connect(self.url)
        with engine.connect() as connection:
            row = connection.execute(
                sa.text(
                    "SELECT a.id, a.partnership_id, a.version, a.object_key, a.wrapped_key, d.id AS key_id, d.wrapped,"
                    " e.id AS epoch_id, e.wrapped AS epoch, e.root_key_id FROM attachment a"
                    " JOIN data_key d ON d.id = a.data_key_id JOIN key_epoch e ON e.id = d.epoch_id"
                )
            ).one()
        engine.dispose()
        area: UUID = row.partnership_id
        epoch = root.unwrap(
            RootWrapped(row.root_key_id, bytes(row.epoch)), purpose="epoch", ids=(area, row.epoch_id)
        )
        data = wrapping.unwrap(epoch, bytes(row.wrapped), purpose="data", ids=(area, row.key_id))
        file = wrapping.unwrap(data, bytes(row.wrapped_key), purpose="file", ids=(row.id, str(row.version)))
        context = attachment_context(area, row.id, row.version)
        return b"".join(decrypt_chunks(file, context, [self.objects[row.object_key]]))


def test_an_erased_file_opens_from_no_backup_once_its_keys_have_ended(
    scene: Scene, keeper: RootKey, tmp_path: Path
) -> None:
    with scene.site.inside():
        others = records(scene.world, 1)
    with Backup(scene, tmp_path) as backup:
        assert backup.opened(keeper) == CONTENT
        with scene.site.inside():
            key = ask_erasure(act_as(scene.world, "manager"), scene.case_id, ErasureGround.ERASURE_REQUEST).id
            db.session.commit()
            approve_erasure(act_as(scene.world, "reader"), key)
            db.session.commit()
        assert backup.opened(keeper) == CONTENT
        _days(scene, "data_key", "destroyed_at", rotation.TURN_AFTER_ERASURE.days)
        _days(scene, "key_epoch", "retired_at", rotation.RETIRED_FOR.days)
        assert scene.sql("SELECT count(*) AS n FROM key_epoch WHERE destroyed_at IS NOT NULL")[0].n
        # the living database has destroyed what it had; the backup opens still, until the keeper lets go
        assert backup.opened(keeper) == CONTENT
        _days(scene, "root_generation", "left_at", rotation.LEFT_FOR.days)
        _days(scene, "root_generation", "left_at", rotation.LEFT_FOR.days)
        with pytest.raises(Exception, match=r"do not open|keeper_unavailable"):
            backup.opened(keeper)
    with scene.site.inside():
        act_as(scene.world, "officer")
        keyring.forget(db.session())
        for record_id, sealed in others.items():
            held = keyring.data_key(db.session(), scene.world.partnerships["northbrook"], record_id)
            assert wrapping.open_text(held.key, sealed, purpose="test", ids=(held.id,))


def test_a_dump_and_the_bucket_alone_open_nothing(scene: Scene, tmp_path: Path) -> None:
    """Every 32 bytes and every wrapped value that lie in them are tried as the root key, and as the key of each step below."""
    backup = Backup(scene, tmp_path)
    assert all(CANARY.encode() not in body for body in backup.objects.values())
    rows = scene.sql("SELECT id, partnership_id, wrapped, root_key_id FROM key_epoch")
    tried = 0
    for row in rows:
        candidates = {bytes(row.wrapped)[at : at + 32] for at in range(len(row.wrapped) - 31)}
        for other in scene.sql("SELECT wrapped FROM data_key WHERE wrapped IS NOT NULL"):
            candidates |= {bytes(other.wrapped)[at : at + 32] for at in range(len(other.wrapped) - 31)}
        candidates |= {one.secret[:32] for one in scene.sql("SELECT secret FROM audit.session_key")}
        candidates |= {row.id.bytes * 2, row.partnership_id.bytes * 2, bytes(32)}
        for candidate in candidates:
            tried += 1
            with pytest.raises(Unsealable):
                wrapping.unwrap(
                    candidate, bytes(row.wrapped), purpose="epoch", ids=(row.partnership_id, row.id)
                )
    assert tried > 50


def _days(scene: Scene, table: str, column: str, days: int) -> None:
    """As if so many days had passed, and the worker had come by."""
    scene.sql(
        "SET LOCAL session_replication_role = replica;"
        f" UPDATE {table} SET {column} = {column} - make_interval(days => {days}, hours => 1)"
    )
    with scene.site.app.app_context(), as_worker():
        run_now(scene.site.app, Regular("look_after_keys", "* * * * *", look_after_keys), Event())
