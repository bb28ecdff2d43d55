"""Size, count and quotas: refused by what the body's length tells, and by counting where that lies."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from hub.attachments.actions import attach
from hub.attachments.file_policy import FileRules
from hub.attachments.types import IN_WORDS, TAKEN, words_for
from hub.attachments.vocabulary import DocumentKind
from hub.config import LARGEST_UPLOAD_MIB
from hub.core.errors import Conflict
from hub.crypto.stream import ciphertext_length
from hub.extensions import db
from hub.storage.uploads import MOST_PARTS, PART_BYTES
from tests.attachments.conftest import Desk, multipart
from tests.attachments.storing import attach_file, count, execute
from tests.fixtures.site import Client
from tests.fixtures.store import Bucket
from tests.fixtures.world import World, act_as

MIB = 1024 * 1024
GIB = 1024 * MIB
USED = "SELECT sum(stored_bytes), sum(files) FROM file_use"
OF_ROWS = "SELECT sum(size), count(*) FROM attachment"


def rules(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """What partnerships take, for this test."""
    ruled = FileRules(
        **{
            "extensions": frozenset(TAKEN),
            "max_mib": 4096,
            "user_quota_mib": 100_000,
            "organisation_quota_mib": 100_000,
            "max_files": 1000,
            **changes,
        }
    )
    monkeypatch.setattr("hub.attachments.limits.policy_of", lambda _: ruled)
    monkeypatch.setattr("hub.attachments.actions.policy_of", lambda _: ruled)


class Body:
    """An endless body that notes how much of it was read."""

    def __init__(self, head: bytes) -> None:
        self.head = head
        self.taken = 0

    def read(self, size: int = -1) -> bytes:
        block, self.head = self.head[:size], self.head[size:]
        block = block or b"x" * size
        self.taken += len(block)
        return block

    def readinto(self, into: bytearray) -> int:
        block = self.read(len(into))
        into[: len(block)] = block
        return len(block)


def announce(desk: Desk, client: Client, size: int) -> tuple[TestResponse, Body]:
    """Begins to send a file of that size as the queue of a page would: by itself, and saying so."""
    form = {"csrf_token": client.csrf, "form_key": str(uuid4()), "kind": "video", "alone": "1"}
    whole, content_type = multipart(form, "footage.txt", b"@@")
    head, tail = whole.split(b"@@")
    body = Body(head)
    answer = client.http.post(
        desk.path(),
        environ_overrides={
            "wsgi.input": body,
            "CONTENT_LENGTH": str(len(head) + size + len(tail)),
            "CONTENT_TYPE": content_type,
        },
    )
    return answer, body


def test_a_file_of_4_gib_and_a_byte_is_refused_by_its_length(
    desk: Desk, database: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.attachments.receiving.DRAIN_SECONDS", 0)
    desk.settings(upload_mib=LARGEST_UPLOAD_MIB)
    answer, body = announce(desk, desk.officer(), 4 * GIB + 1)
    assert answer.status_code == 413 and "must be 4.3 GB or smaller" in answer.get_data(as_text=True)
    assert body.taken < 256 * 1024
    assert count(database, "SELECT count(*) FROM stored_object") == 0, "the store never heard of it"


def test_the_largest_file_fits_into_the_parts_that_a_store_takes() -> None:
    assert ciphertext_length(LARGEST_UPLOAD_MIB * MIB) <= MOST_PARTS * PART_BYTES


def test_a_partnership_may_take_smaller_files_only(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    rules(monkeypatch, max_mib=1)
    officer = desk.officer()
    answer = desk.send(officer, "a.txt", b"x" * (MIB + 1))
    assert answer.status_code == 413 and "must be 1 MB or smaller" in answer.get_data(as_text=True)
    assert desk.send(officer, "a.txt", b"x" * MIB).status_code == 303


def test_the_file_field_offers_what_the_partnership_takes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules(monkeypatch, max_mib=1, extensions=frozenset({"pdf", "png", "jpg"}))
    officer = desk.officer()
    page = officer.get(desk.path()).get_data(as_text=True)
    assert 'accept=".pdf,.jpg,.png"' in page and "each up to 1 MB. PDF and pictures." in page
    assert f'data-max-bytes="{MIB}"' in page
    assert words_for(TAKEN) == IN_WORDS and words_for({"txt", "mp4", "wav"}) == "text, sound and video"


def test_a_record_holds_so_many_files(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    rules(monkeypatch, max_files=1)
    officer = desk.officer()
    assert desk.send(officer, "a.txt", b"words").status_code == 303
    answer = desk.send(officer, "b.txt", b"words")
    assert answer.status_code == 409 and "holds 1 files" in answer.get_data(as_text=True)


def test_a_user_s_quota_is_exact_and_asked_before_the_store_is(
    desk: Desk, database: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules(monkeypatch, user_quota_mib=1)
    officer = desk.officer()
    assert desk.send(officer, "a.txt", b"x" * 600_000).status_code == 303
    answer = desk.send(officer, "b.txt", b"x" * (MIB - 600_000 + 1), alone="1")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409 and "You have 449 KB left of 1 MB for files" in page
    assert count(database, "SELECT count(*) FROM stored_object") == 1
    assert desk.send(officer, "b.txt", b"x" * (MIB - 600_000)).status_code == 303
    assert desk.send(officer, "c.txt", b"x").status_code == 409
    refused = "SELECT count(*) FROM audit.event WHERE act = 'attachment.refused' AND outcome = 'denied'"
    assert count(database, refused) == 2


def test_an_organisation_s_quota_counts_all_its_users(
    desk: Desk, database: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules(monkeypatch, organisation_quota_mib=1)
    assert desk.send(desk.officer(), "a.txt", b"x" * 900_000).status_code == 303
    manager = desk.site.as_user("manager")
    answer = desk.send(manager, "b.txt", b"x" * 200_000)
    assert answer.status_code == 409 and "Your organisation has" in answer.get_data(as_text=True)
    assert count(database, "SELECT count(*) FROM attachment") == 1


def _attach(world: World, case_id: UUID, blocks: Iterator[bytes]) -> None:
    attach(
        act_as(world, "officer"),
        case_id,
        name="a.txt",
        kind=DocumentKind.OTHER,
        description="",
        media_type="",
        blocks=blocks,
    )


def test_a_stream_without_a_length_is_stopped_at_the_first_byte_over(
    demo_app: Flask, world: World, case_id: UUID, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules(monkeypatch, user_quota_mib=1)
    taken: list[int] = []

    def endless() -> Iterator[bytes]:
        while True:
            taken.append(65_536)
            yield b"x" * 65_536

    with pytest.raises(Conflict):
        _attach(world, case_id, endless())
    assert sum(taken) == MIB + 65_536
    assert bucket.keys() == []


def test_room_that_another_file_took_meanwhile_is_gone(
    demo_app: Flask,
    world: World,
    case_id: UUID,
    bucket: Bucket,
    database: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules(monkeypatch, user_quota_mib=1)
    attach_file(world, case_id, b"x" * 1000)

    def overtaken() -> Iterator[bytes]:
        yield b"x" * 500_000
        execute(database, "UPDATE file_use SET stored_bytes = stored_bytes + 900000")

    with pytest.raises(Conflict):
        _attach(world, case_id, overtaken())
    db.session.rollback()
    assert len(bucket.keys()) == 1


def test_what_is_used_is_what_is_there(
    demo_app: Flask, world: World, case_id: UUID, database: SimpleNamespace
) -> None:
    for size in (1, 20_000, 300_000):
        attach_file(world, case_id, b"x" * size)
    assert _pair(database, USED) == _pair(database, OF_ROWS) == (320_001, 3)
    execute(database, "DELETE FROM attachment WHERE size = 20000")
    assert _pair(database, USED) == _pair(database, OF_ROWS) == (300_001, 2)


def _pair(database: SimpleNamespace, statement: str) -> tuple[int, int]:
    first, second = statement.removeprefix("SELECT ").split(" FROM ")[0].split(", ")
    return tuple(count(database, statement.replace(f"{first}, {second}", one)) for one in (first, second))  # type: ignore[return-value]
