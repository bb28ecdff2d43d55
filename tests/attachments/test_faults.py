"""What can go wrong between the hub and its store: down, killed, cut, changed, swapped, rolled back, stolen."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.attachments.actions import attach
from hub.attachments.jobs import sweep_loose, sweep_unknown
from hub.attachments.models import Attachment
from hub.attachments.queries import open_attachment
from hub.attachments.vocabulary import DocumentKind
from hub.core.errors import Conflict, NotVisible, Unavailable
from hub.crypto.errors import Unsealable
from hub.extensions import db
from tests.attachments.conftest import Desk, multipart, new_case
from tests.fixtures.store import Bucket
from tests.fixtures.world import World, act_as

PROJECT = Path(__file__).resolve().parents[2]
CANARY = b"canary-41d7-Danny-Bridgeman "
PLAIN = CANARY * 40_000  # over a megabyte, many chunks
AT_ONCE = timedelta(0)


def _blocks(content: bytes = PLAIN) -> Iterator[bytes]:
    return (content[at : at + 65_536] for at in range(0, len(content), 65_536))


def _attach(world: World, case_id: UUID, content: bytes = PLAIN, name: str = "Danny Bridgeman.txt") -> UUID:
    actor = act_as(world, "officer")
    made = attach(
        actor,
        case_id,
        name=name,
        kind=DocumentKind.OTHER,
        description="",
        media_type="",
        blocks=_blocks(content),
    )
    db.session.commit()
    return made.id


@pytest.fixture
def case_id(demo_app: Flask, world: World) -> UUID:
    return new_case(act_as(world, "officer"))


def _row(attachment_id: UUID) -> Attachment:
    return db.session.scalars(sa.select(Attachment).where(Attachment.id == attachment_id)).one()


def _count(database: SimpleNamespace, statement: str) -> int:
    engine = sa.create_engine(database.superuser, poolclass=sa.NullPool)
    with engine.connect() as connection:
        found = connection.execute(sa.text(statement)).scalar_one()
    engine.dispose()
    return int(found)


UNSOUND = "SELECT count(*) FROM audit.event WHERE act = 'attachment.unsound'"


def test_the_bucket_and_the_database_hold_no_plaintext(
    demo_app: Flask, world: World, case_id: UUID, bucket: Bucket, database: SimpleNamespace
) -> None:
    _attach(world, case_id)
    [key] = bucket.keys()
    held = bucket.read(key)
    assert len(held) > len(PLAIN) and CANARY not in held and b"Danny" not in held and "Danny" not in key
    head = bucket.client.head_object(Bucket=bucket.name, Key=key)
    assert "Danny" not in str(head)
    assert _count(database, "SELECT count(*) FROM attachment a WHERE a::text LIKE '%Danny%'") == 0
    assert (
        _count(database, "SELECT count(*) FROM audit.event WHERE convert_from(body, 'UTF8') LIKE '%Danny%'")
        == 0
    )


@pytest.mark.parametrize("where", ["header", "first chunk", "later", "last byte"])
def test_a_changed_object_never_gives_out_a_wrong_byte(
    demo_app: Flask, world: World, case_id: UUID, bucket: Bucket, database: SimpleNamespace, where: str
) -> None:
    attachment_id = _attach(world, case_id)
    row = _row(attachment_id)
    changed = bytearray(bucket.read(row.object_key))
    position = {"header": 40, "first chunk": 100, "later": 16_400 * 40, "last byte": len(changed) - 1}[where]
    changed[position] ^= 1
    _put_in_place(database, row, bucket.write(row.object_key, bytes(changed)))
    _refused(world, case_id, attachment_id, database)


def test_a_truncated_object_is_refused_unread(
    demo_app: Flask, world: World, case_id: UUID, bucket: Bucket, database: SimpleNamespace
) -> None:
    attachment_id = _attach(world, case_id)
    row = _row(attachment_id)
    cut = bucket.read(row.object_key)[:-5000]
    _put_in_place(database, row, bucket.write(row.object_key, cut))
    _refused(world, case_id, attachment_id, database)


def test_a_swapped_object_is_refused(
    demo_app: Flask, world: World, case_id: UUID, bucket: Bucket, database: SimpleNamespace
) -> None:
    first, second = _attach(world, case_id), _attach(world, case_id, PLAIN[::-1])
    mine, other = _row(first), _row(second)
    version = bucket.write(mine.object_key, bucket.read(other.object_key, other.object_version))
    _put_in_place(database, mine, version)
    _refused(world, case_id, first, database)


def test_rows_that_point_at_each_others_objects_open_neither(
    demo_app: Flask, world: World, case_id: UUID, database: SimpleNamespace
) -> None:
    """Whoever can write to the database, and has the keys of neither, gains nothing by moving keys and objects about."""
    first, second = _attach(world, case_id), _attach(world, case_id, PLAIN[::-1])
    _execute(
        database,
        "UPDATE attachment a SET wrapped_key = b.wrapped_key, object_version = b.object_version, stored_sha256 = b.stored_sha256"
        f" FROM attachment b WHERE a.id = '{first}' AND b.id = '{second}'",
    )
    _refused(world, case_id, first, database)


def test_an_older_version_in_the_bucket_changes_nothing(
    demo_app: Flask, world: World, case_id: UUID, bucket: Bucket
) -> None:
    """The row pins its version: what is written over it later is never read."""
    attachment_id = _attach(world, case_id)
    bucket.write(_row(attachment_id).object_key, b"something else")
    actor = act_as(world, "officer")
    assert b"".join(open_attachment(actor, case_id, attachment_id).blocks) == PLAIN


def test_an_object_that_is_gone_is_said_to_be_unsound(
    demo_app: Flask, world: World, case_id: UUID, bucket: Bucket, database: SimpleNamespace
) -> None:
    attachment_id = _attach(world, case_id)
    row = _row(attachment_id)
    bucket.client.delete_object(Bucket=bucket.name, Key=row.object_key, VersionId=row.object_version)
    _refused(world, case_id, attachment_id, database)


def _execute(database: SimpleNamespace, statement: str) -> None:
    engine = sa.create_engine(database.superuser, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()


def _put_in_place(database: SimpleNamespace, row: Attachment, version: str) -> None:
    """The thief can write to the bucket and to the row: only the keys are out of reach."""
    _execute(database, f"UPDATE attachment SET object_version = '{version}' WHERE id = '{row.id}'")


def _refused(world: World, case_id: UUID, attachment_id: UUID, database: SimpleNamespace) -> None:
    actor = act_as(world, "officer")
    released = bytearray()
    with pytest.raises((Unavailable, Unsealable)):
        for block in open_attachment(actor, case_id, attachment_id).blocks:
            released += block
    assert PLAIN.startswith(released) and len(released) < len(PLAIN)
    assert _count(database, UNSOUND) == 1


def test_over_http_a_change_in_the_middle_cuts_the_answer_short(
    desk: Desk, database: SimpleNamespace
) -> None:
    officer = desk.officer()
    key = desk.send(officer, "a.txt", PLAIN).headers["Location"].rpartition("added=")[2]
    stored = desk.site.sql(database.superuser, "SELECT object_key FROM attachment")[0].object_key
    changed = bytearray(desk.bucket.read(stored))
    changed[16_400 * 40] ^= 1
    version = desk.bucket.write(stored, bytes(changed))
    desk.site.sql(database.superuser, "UPDATE attachment SET object_version = :version", version=version)
    answer = officer.http.get(desk.path(key), buffered=False)
    assert answer.status_code == 200 and int(answer.headers["Content-Length"]) == len(PLAIN)
    released = bytearray()
    with pytest.raises(Unsealable):
        for block in answer.response:
            released += block if isinstance(block, bytes) else block.encode()
    answer.close()
    assert PLAIN.startswith(released) and 0 < len(released) < len(PLAIN)
    assert _count(database, UNSOUND) == 1
    changed[100] ^= 1
    version = desk.bucket.write(stored, bytes(changed))
    desk.site.sql(database.superuser, "UPDATE attachment SET object_version = :version", version=version)
    refused = officer.get(desk.path(key))
    assert refused.status_code == 503 and "integrity check" in refused.get_data(as_text=True)


def test_without_the_store_nothing_is_kept_and_the_page_says_so(
    desk: Desk, database: SimpleNamespace
) -> None:
    officer = desk.officer()
    desk.settings(s3_endpoint="http://127.0.0.1:1")
    answer = desk.send(officer, "a.txt", PLAIN)
    assert answer.status_code == 503 and "Nothing was" in answer.get_data(as_text=True)
    assert desk.rows() == 0
    assert _count(database, "SELECT count(*) FROM stored_object WHERE kept_at IS NULL") == 1


KILLED = """
import os, signal, sys, uuid
from hub.app import create_app
from hub.attachments.actions import attach
from hub.attachments.vocabulary import DocumentKind
from tests.fixtures.world import World, act_as
world = World(users={"officer": uuid.UUID(sys.argv[2])}, teams={"safety": uuid.UUID(sys.argv[3])})
def blocks():
    for number in range(400):
        if number == int(sys.argv[4]):
            os.kill(os.getpid(), signal.SIGKILL)
        yield b"canary-41d7" * 6000
app = create_app()
with app.app_context():
    actor = act_as(world, "officer")
    attach(actor, uuid.UUID(sys.argv[1]), name="a.txt", kind=DocumentKind.OTHER, description="", media_type="", blocks=blocks())
"""


def test_a_process_killed_in_the_middle_leaves_no_row_and_nothing_after_the_sweep(
    demo_app: Flask, world: World, case_id: UUID, bucket: Bucket, database: SimpleNamespace
) -> None:
    _attach(world, case_id)
    settings = demo_app.config["HUB_SETTINGS"]
    environment = {
        "PATH": os.environ["PATH"],
        "HUB_DATABASE_URL": settings.database_url,
        "HUB_S3_ENDPOINT": settings.s3_endpoint,
        "HUB_S3_BUCKET": settings.s3_bucket,
        "HUB_S3_ACCESS_KEY": settings.s3_access_key,
        "HUB_S3_SECRET_KEY": settings.s3_secret_key,
        "HUB_SECRET_KEY": settings.secret_key,
        "HUB_ROOT_KEY_FILE": str(settings.root_key_file),
    }
    ids = [str(case_id), str(world.users["officer"]), str(world.teams["safety"])]
    # beyond the first part of the object, so that the store holds some of it
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, *ids, "300"],
        env=environment,
        cwd=PROJECT,
        capture_output=True,
        check=False,
    )
    assert ended.returncode == -9, ended.stderr.decode()[-2000:]
    assert _count(database, "SELECT count(*) FROM attachment") == 1
    assert _count(database, "SELECT count(*) FROM stored_object WHERE kept_at IS NULL") == 1
    assert bucket.client.list_multipart_uploads(Bucket=bucket.name).get("Uploads"), "parts were on their way"
    enter(db.session(), NOBODY)
    assert sweep_loose(Event(), older_than=-timedelta(hours=1)) == 1
    assert bucket.client.list_multipart_uploads(Bucket=bucket.name).get("Uploads", []) == []
    assert len(bucket.keys()) == 1


class Hiccup(Exception):
    """The sender is gone."""


def _breaking(after: int) -> Iterator[bytes]:
    for number, block in enumerate(_blocks(PLAIN * 12)):
        if number == after:
            raise Hiccup
        yield block


@pytest.mark.parametrize("after", [1, 150])
def test_an_upload_that_breaks_off_leaves_no_row_and_no_object(
    demo_app: Flask, world: World, case_id: UUID, bucket: Bucket, database: SimpleNamespace, after: int
) -> None:
    actor = act_as(world, "officer")
    with pytest.raises(Hiccup):
        attach(
            actor,
            case_id,
            name="a.txt",
            kind=DocumentKind.OTHER,
            description="",
            media_type="",
            blocks=_breaking(after),
        )
    db.session.rollback()
    assert _count(database, "SELECT count(*) FROM attachment") == 0
    assert bucket.keys() == []
    uploads = bucket.client.list_multipart_uploads(Bucket=bucket.name).get("Uploads", [])
    assert uploads == []


def test_an_act_that_is_never_committed_is_swept(
    demo_app: Flask, world: World, case_id: UUID, bucket: Bucket, database: SimpleNamespace
) -> None:
    kept = _attach(world, case_id)
    actor = act_as(world, "officer")
    attach(
        actor, case_id, name="a.txt", kind=DocumentKind.OTHER, description="", media_type="", blocks=_blocks()
    )
    db.session.rollback()
    assert len(bucket.keys()) == 2
    enter(db.session(), NOBODY)
    assert sweep_loose(Event()) == 0, "it is not a day old"
    assert sweep_loose(Event(), older_than=AT_ONCE) == 1
    act_as(world, "officer")
    assert bucket.keys() == [_row(kept).object_key]
    versions = bucket.client.list_object_versions(Bucket=bucket.name)
    assert len(versions.get("Versions", [])) == 1 and not versions.get("DeleteMarkers")
    assert _count(database, "SELECT count(*) FROM stored_object WHERE removed_at IS NOT NULL") == 1
    swept = "SELECT count(*) FROM audit.event WHERE act = 'object.swept' AND source = 'job' AND category = 'erasure'"
    assert _count(database, swept) == 1
    assert sweep_loose(Event(), older_than=AT_ONCE) == 0


def test_an_upload_that_the_sweep_overtook_is_not_kept(
    demo_app: Flask, world: World, case_id: UUID, database: SimpleNamespace
) -> None:
    actor = act_as(world, "officer")

    def slow() -> Iterator[bytes]:
        yield PLAIN
        _execute(database, "UPDATE stored_object SET removed_at = now()")

    with pytest.raises(Conflict):
        attach(
            actor,
            case_id,
            name="a.txt",
            kind=DocumentKind.OTHER,
            description="",
            media_type="",
            blocks=slow(),
        )
    assert _count(database, "SELECT count(*) FROM attachment") == 0


def test_objects_that_no_row_names_are_swept_and_a_strange_bucket_is_left_alone(
    demo_app: Flask, world: World, case_id: UUID, bucket: Bucket, database: SimpleNamespace
) -> None:
    bucket.write("sealed/ab/stray", b"x")
    bucket.write("other/kept", b"x")
    enter(db.session(), NOBODY)
    assert sweep_unknown(Event(), older_than=-timedelta(hours=1)) == 0, "an empty ledger: not our bucket"
    kept = _attach(world, case_id)
    enter(db.session(), NOBODY)
    assert sweep_unknown(Event()) == 0, "not a day old"
    assert sweep_unknown(Event(), older_than=-timedelta(hours=1)) == 1
    act_as(world, "officer")
    assert sorted(bucket.keys()) == sorted(["other/kept", _row(kept).object_key])
    assert _count(database, "SELECT count(*) FROM audit.event WHERE act = 'object.swept'") == 1


def test_what_a_crash_left_between_claim_and_removal_is_found_again(
    demo_app: Flask, world: World, case_id: UUID, bucket: Bucket, database: SimpleNamespace
) -> None:
    _attach(world, case_id)
    actor = act_as(world, "officer")
    attach(
        actor, case_id, name="a.txt", kind=DocumentKind.OTHER, description="", media_type="", blocks=_blocks()
    )
    db.session.rollback()
    _execute(database, "UPDATE stored_object SET removed_at = now() WHERE kept_at IS NULL")
    enter(db.session(), NOBODY)
    assert sweep_loose(Event(), older_than=AT_ONCE) == 0
    assert sweep_unknown(Event(), older_than=-timedelta(hours=1)) == 1
    assert len(bucket.keys()) == 1


def test_the_right_is_checked_again_when_the_last_byte_has_come(
    demo_app: Flask, world: World, case_id: UUID, bucket: Bucket, database: SimpleNamespace
) -> None:
    actor = act_as(world, "officer")

    def overtaken() -> Iterator[bytes]:
        yield PLAIN
        _execute(
            database, f"UPDATE record SET lead_team_id = '{world.teams['housing']}' WHERE id = '{case_id}'"
        )

    with pytest.raises(NotVisible):
        attach(
            actor,
            case_id,
            name="a.txt",
            kind=DocumentKind.OTHER,
            description="",
            media_type="",
            blocks=overtaken(),
        )
    assert _count(database, "SELECT count(*) FROM attachment") == 0
    assert bucket.keys() == []


def test_no_transaction_is_held_over_the_stream(
    demo_app: Flask, world: World, case_id: UUID, database: SimpleNamespace
) -> None:
    actor = act_as(world, "officer")
    held: list[int] = []

    def watching() -> Iterator[bytes]:
        yield PLAIN[:10_000]
        held.append(
            _count(
                database,
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'hub_app'"
                " AND state <> 'idle'",
            )
        )
        yield PLAIN

    attach(
        actor,
        case_id,
        name="a.txt",
        kind=DocumentKind.OTHER,
        description="",
        media_type="",
        blocks=watching(),
    )
    db.session.commit()
    assert held == [0]


class _Written(threading.Thread):
    """Watches the folders where temporary files go, and this process's own open files, for anything with the canary."""

    def __init__(self, *folders: Path) -> None:
        super().__init__(daemon=True)
        self.folders = folders
        self.done = Event()
        # the test runner keeps what is printed in such files
        self.before = self._open_files()
        self.seen: set[str] = set()

    def run(self) -> None:
        while not self.done.is_set():
            for folder in self.folders:
                self.seen.update(str(found) for found in folder.rglob("*") if found.is_file())
            self.seen.update(self._open_files() - self.before)
            time.sleep(0.005)

    def _open_files(self) -> set[str]:
        found = set()
        for entry in Path("/proc/self/fd").iterdir():
            try:
                target = os.readlink(entry)
            except OSError:
                continue
            if "(deleted)" in target or any(target.startswith(str(folder)) for folder in self.folders):
                found.add(target)
        return found


def test_a_large_upload_touches_no_disk_and_little_memory(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """64 MiB up and down through the whole application."""
    size = 64 * 1024 * 1024
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    officer = desk.officer()
    form = {"csrf_token": officer.csrf, "form_key": str(uuid4()), "kind": "report"}
    body, content_type = multipart(form, "large.txt", b"@@")
    head, tail = body.split(b"@@")
    sent_length = len(head) + size + len(tail)
    watch = _Written(folder)
    watch.start()
    tracemalloc.start()
    try:
        answer = officer.http.post(
            desk.path(),
            environ_overrides={
                "wsgi.input": _Made(head, size, tail),
                "CONTENT_LENGTH": str(sent_length),
                "CONTENT_TYPE": content_type,
            },
        )
        assert answer.status_code == 303, answer.get_data(as_text=True).partition("There is a problem")[2][
            :800
        ]
        key = answer.headers["Location"].rpartition("added=")[2]
        back = officer.http.get(desk.path(key), buffered=False)
        assert sum(len(block) for block in back.response) == size
        back.close()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        watch.done.set()
        watch.join()
    assert peak < 48 * 1024 * 1024, peak
    assert watch.seen == set()


class _Made:
    """A body of any size that is never held."""

    def __init__(self, head: bytes, size: int, tail: bytes) -> None:
        self.head, self.left, self.tail = head, size, tail

    def read(self, size: int = -1) -> bytes:
        if self.head:
            block, self.head = self.head[:size], self.head[size:]
        elif self.left:
            block = (CANARY * (size // len(CANARY) + 1))[: min(size, self.left)]
            self.left -= len(block)
        else:
            block, self.tail = self.tail[:size], self.tail[size:]
        return block

    def readinto(self, into: bytearray) -> int:
        block = self.read(len(into))
        into[: len(block)] = block
        return len(block)
