"""What the store holds is changed, cut, swapped, rolled back or gone: never a wrong byte comes out."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest
from flask import Flask

from hub.attachments.models import Attachment
from hub.attachments.queries import open_attachment
from hub.core.errors import Unavailable
from hub.crypto.errors import Unsealable
from tests.attachments.conftest import Desk
from tests.attachments.storing import PLAIN, attach_file, count, execute, row_of
from tests.attachments.tampering import arena_of, tried
from tests.fixtures.store import Bucket
from tests.fixtures.world import World, act_as

UNSOUND = "SELECT count(*) FROM audit.event WHERE act = 'attachment.unsound'"


@pytest.mark.parametrize("where", ["header", "first chunk", "later", "last byte"])
def test_a_changed_object_never_gives_out_a_wrong_byte(
    demo_app: Flask, world: World, case_id: UUID, bucket: Bucket, database: SimpleNamespace, where: str
) -> None:
    attachment_id = attach_file(world, case_id)
    row = row_of(attachment_id)
    changed = bytearray(bucket.read(row.object_key))
    position = {"header": 40, "first chunk": 100, "later": 16_400 * 40, "last byte": len(changed) - 1}[where]
    changed[position] ^= 1
    _put_in_place(database, row, bucket.write(row.object_key, bytes(changed)))
    _refused(world, case_id, attachment_id, database)


def test_a_truncated_object_is_refused_unread(
    demo_app: Flask, world: World, case_id: UUID, bucket: Bucket, database: SimpleNamespace
) -> None:
    attachment_id = attach_file(world, case_id)
    row = row_of(attachment_id)
    cut = bucket.read(row.object_key)[:-5000]
    _put_in_place(database, row, bucket.write(row.object_key, cut))
    _refused(world, case_id, attachment_id, database)


def test_a_swapped_object_is_refused(
    demo_app: Flask, world: World, case_id: UUID, bucket: Bucket, database: SimpleNamespace
) -> None:
    first, second = attach_file(world, case_id), attach_file(world, case_id, PLAIN[::-1])
    mine, other = row_of(first), row_of(second)
    version = bucket.write(mine.object_key, bucket.read(other.object_key, other.object_version))
    _put_in_place(database, mine, version)
    _refused(world, case_id, first, database)


def test_rows_that_point_at_each_others_objects_open_neither(
    demo_app: Flask, world: World, case_id: UUID, database: SimpleNamespace
) -> None:
    """Whoever can write to the database, and has the keys of neither, gains nothing by moving keys and objects about."""
    first, second = attach_file(world, case_id), attach_file(world, case_id, PLAIN[::-1])
    execute(
        database,
        "UPDATE attachment a SET wrapped_key = b.wrapped_key, object_version = b.object_version, stored_sha256 = b.stored_sha256"
        f" FROM attachment b WHERE a.id = '{first}' AND b.id = '{second}'",
    )
    _refused(world, case_id, first, database)


def test_an_older_version_in_the_bucket_changes_nothing(
    demo_app: Flask, world: World, case_id: UUID, bucket: Bucket
) -> None:
    """The row pins its version: what is written over it later is never read."""
    attachment_id = attach_file(world, case_id)
    bucket.write(row_of(attachment_id).object_key, b"something else")
    actor = act_as(world, "officer")
    assert b"".join(open_attachment(actor, case_id, attachment_id).blocks) == PLAIN


def test_an_object_that_is_gone_is_said_to_be_unsound(
    demo_app: Flask, world: World, case_id: UUID, bucket: Bucket, database: SimpleNamespace
) -> None:
    attachment_id = attach_file(world, case_id)
    row = row_of(attachment_id)
    bucket.client.delete_object(Bucket=bucket.name, Key=row.object_key, VersionId=row.object_version)
    _refused(world, case_id, attachment_id, database)


def _put_in_place(database: SimpleNamespace, row: Attachment, version: str) -> None:
    """The thief can write to the bucket and to the row: only the keys are out of reach."""
    execute(database, f"UPDATE attachment SET object_version = '{version}' WHERE id = '{row.id}'")


def _refused(world: World, case_id: UUID, attachment_id: UUID, database: SimpleNamespace) -> None:
    actor = act_as(world, "officer")
    released = bytearray()
    with pytest.raises((Unavailable, Unsealable)):
        for block in open_attachment(actor, case_id, attachment_id).blocks:
            released += block
    assert PLAIN.startswith(released) and len(released) < len(PLAIN)
    assert count(database, UNSOUND) == 1


def test_over_http_every_tampering_is_refused_and_written_down_once(
    desk: Desk, database: SimpleNamespace, root_key_file: Path, tmp_path: Path
) -> None:
    """The cases of `make tamper`, by the whole and by a range; and the log of it all is sound."""
    with arena_of(desk, database, root_key_file, tmp_path) as arena:
        wrong = [line for well, line in tried(arena) if not well]
        assert wrong == []
        assert arena.sequence_and_verify(database.sequencer, tmp_path)
