"""An upload meets a store that is down, dies in the middle, or is overtaken; and what is left of it is swept."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from uuid import UUID

import pytest
from flask import Flask

from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.attachments import jobs
from hub.attachments.actions import attach
from hub.attachments.vocabulary import DocumentKind
from hub.core.errors import Conflict, NotVisible
from hub.extensions import db
from tests.attachments.conftest import Desk
from tests.attachments.storing import PLAIN, attach_file, blocks_of, count, execute, row_of
from tests.conftest import by_worker, environment_of
from tests.fixtures.store import Bucket
from tests.fixtures.world import World, act_as, look_at

sweep_loose = by_worker(jobs.sweep_loose)
sweep_unknown = by_worker(jobs.sweep_unknown)

PROJECT = Path(__file__).resolve().parents[2]
AT_ONCE = timedelta(0)


def test_without_the_store_nothing_is_kept_and_the_page_says_so(
    desk: Desk, database: SimpleNamespace
) -> None:
    officer = desk.officer()
    desk.settings(s3_endpoint="http://127.0.0.1:1")
    answer = desk.send(officer, "a.txt", PLAIN)
    assert answer.status_code == 503 and "Nothing was" in answer.get_data(as_text=True)
    assert desk.rows() == 0
    assert count(database, "SELECT count(*) FROM stored_object WHERE kept_at IS NULL") == 1


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
    attach_file(world, case_id)
    environment = environment_of(demo_app.config["HUB_SETTINGS"])
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
    assert count(database, "SELECT count(*) FROM attachment") == 1
    assert count(database, "SELECT count(*) FROM stored_object WHERE kept_at IS NULL") == 1
    assert bucket.client.list_multipart_uploads(Bucket=bucket.name).get("Uploads"), "parts were on their way"
    enter(db.session(), NOBODY)
    assert sweep_loose(Event(), older_than=-timedelta(hours=1)) == 1
    assert bucket.client.list_multipart_uploads(Bucket=bucket.name).get("Uploads", []) == []
    assert len(bucket.keys()) == 1


class Hiccup(Exception):
    """The sender is gone."""


def _breaking(after: int) -> Iterator[bytes]:
    for number, block in enumerate(blocks_of(PLAIN * 12)):
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
    assert count(database, "SELECT count(*) FROM attachment") == 0
    assert bucket.keys() == []
    uploads = bucket.client.list_multipart_uploads(Bucket=bucket.name).get("Uploads", [])
    assert uploads == []


def test_an_act_that_is_never_committed_is_swept(
    demo_app: Flask, world: World, case_id: UUID, bucket: Bucket, database: SimpleNamespace
) -> None:
    kept = attach_file(world, case_id)
    actor = act_as(world, "officer")
    attach(
        actor,
        case_id,
        name="a.txt",
        kind=DocumentKind.OTHER,
        description="",
        media_type="",
        blocks=blocks_of(),
    )
    db.session.rollback()
    assert len(bucket.keys()) == 2
    enter(db.session(), NOBODY)
    assert sweep_loose(Event()) == 0, "it is not a day old"
    assert sweep_loose(Event(), older_than=AT_ONCE) == 1
    look_at(act_as(world, "officer"))
    assert bucket.keys() == [row_of(kept).object_key]
    versions = bucket.client.list_object_versions(Bucket=bucket.name)
    assert len(versions.get("Versions", [])) == 1 and not versions.get("DeleteMarkers")
    assert count(database, "SELECT count(*) FROM stored_object WHERE removed_at IS NOT NULL") == 1
    swept = "SELECT count(*) FROM audit.event WHERE act = 'object.swept' AND source = 'job' AND category = 'erasure'"
    assert count(database, swept) == 1
    assert sweep_loose(Event(), older_than=AT_ONCE) == 0


def test_an_upload_that_the_sweep_overtook_is_not_kept(
    demo_app: Flask, world: World, case_id: UUID, database: SimpleNamespace
) -> None:
    actor = act_as(world, "officer")

    def slow() -> Iterator[bytes]:
        yield PLAIN
        execute(database, "UPDATE stored_object SET removed_at = now()")

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
    assert count(database, "SELECT count(*) FROM attachment") == 0


def test_objects_that_no_row_names_are_swept_and_a_strange_bucket_is_left_alone(
    demo_app: Flask, world: World, case_id: UUID, bucket: Bucket, database: SimpleNamespace
) -> None:
    bucket.write("sealed/ab/stray", b"x")
    bucket.write("other/kept", b"x")
    enter(db.session(), NOBODY)
    assert sweep_unknown(Event(), older_than=-timedelta(hours=1)) == 0, "an empty ledger: not our bucket"
    kept = attach_file(world, case_id)
    enter(db.session(), NOBODY)
    assert sweep_unknown(Event()) == 0, "not a day old"
    assert sweep_unknown(Event(), older_than=-timedelta(hours=1)) == 1
    look_at(act_as(world, "officer"))
    assert sorted(bucket.keys()) == sorted(["other/kept", row_of(kept).object_key])
    assert count(database, "SELECT count(*) FROM audit.event WHERE act = 'object.swept'") == 1


def test_what_a_crash_left_between_claim_and_removal_is_found_again(
    demo_app: Flask, world: World, case_id: UUID, bucket: Bucket, database: SimpleNamespace
) -> None:
    attach_file(world, case_id)
    actor = act_as(world, "officer")
    attach(
        actor,
        case_id,
        name="a.txt",
        kind=DocumentKind.OTHER,
        description="",
        media_type="",
        blocks=blocks_of(),
    )
    db.session.rollback()
    execute(database, "UPDATE stored_object SET removed_at = now() WHERE kept_at IS NULL")
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
        execute(
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
    assert count(database, "SELECT count(*) FROM attachment") == 0
    assert bucket.keys() == []


def test_no_transaction_is_held_over_the_stream(
    demo_app: Flask, world: World, case_id: UUID, database: SimpleNamespace
) -> None:
    actor = act_as(world, "officer")
    held: list[int] = []

    def watching() -> Iterator[bytes]:
        yield PLAIN[:10_000]
        held.append(
            count(
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
