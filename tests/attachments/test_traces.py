"""A file leaves nothing readable behind: not in the bucket, not in the database, not on the disk."""

from __future__ import annotations

import os
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from flask import Flask

from hub.config import LARGEST_UPLOAD_MIB
from hub.web.identity import COOKIE
from tests.attachments.conftest import Desk, multipart
from tests.attachments.storing import CANARY, PLAIN, attach_file, count
from tests.conftest import settings_for
from tests.fixtures.server import Served, serving
from tests.fixtures.store import Bucket
from tests.fixtures.world import World


def test_the_bucket_and_the_database_hold_no_plaintext(
    demo_app: Flask, world: World, case_id: UUID, bucket: Bucket, database: SimpleNamespace
) -> None:
    attach_file(world, case_id)
    [key] = bucket.keys()
    held = bucket.read(key)
    assert len(held) > len(PLAIN) and CANARY not in held and b"Danny" not in held and "Danny" not in key
    head = bucket.client.head_object(Bucket=bucket.name, Key=key)
    assert "Danny" not in str(head)
    assert count(database, "SELECT count(*) FROM attachment a WHERE a::text LIKE '%Danny%'") == 0
    assert (
        count(database, "SELECT count(*) FROM audit.event WHERE convert_from(body, 'UTF8') LIKE '%Danny%'")
        == 0
    )


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


@pytest.fixture
def served(
    database: SimpleNamespace, root_key_file: Path, bucket: Bucket, tmp_path: Path
) -> Iterator[Served]:
    """The hub as it takes the largest files that it may be told to take."""
    settings = settings_for(database.app, root_key_file, **bucket.settings())
    with serving(settings, tmp_path, HUB_UPLOAD_MIB=str(LARGEST_UPLOAD_MIB)) as running:
        yield running


@pytest.mark.nightly
def test_the_largest_file_of_all_goes_up_and_comes_back(served: Served, desk: Desk) -> None:
    """4 GiB through the served hub, and its last bytes by a range."""
    size = LARGEST_UPLOAD_MIB * 1024 * 1024
    officer = desk.officer()
    form = {"csrf_token": officer.csrf, "form_key": str(uuid4()), "kind": "video"}
    whole, content_type = multipart(form, "large.txt", b"@@")
    head, tail = whole.split(b"@@")
    cookie = officer.http.get_cookie(COOKIE)
    assert cookie is not None
    sent = {
        "Cookie": f"{COOKIE}={cookie.value}",
        "Content-Type": content_type,
        "Content-Length": str(len(head) + size + len(tail)),
    }
    with closing(HTTPConnection("127.0.0.1", served.port, timeout=900)) as connection:
        connection.request("POST", desk.path(), _Made(head, size, tail), sent)
        answer = connection.getresponse()
        assert answer.status == 303, answer.read()[-500:]
        path = desk.path(answer.headers["Location"].rpartition("added=")[2])
    for asked, length in (({}, size), ({"Range": "bytes=-1000"}, 1000)):
        with closing(HTTPConnection("127.0.0.1", served.port, timeout=900)) as connection:
            connection.request("GET", path, headers={"Cookie": sent["Cookie"], **asked})
            answer = connection.getresponse()
            came = 0
            while block := answer.read(1024 * 1024):
                came += len(block)
            assert came == length


@pytest.mark.nightly
def test_a_slow_sender_is_waited_for_longer_than_a_process_may_be_silent(served: Served, desk: Desk) -> None:
    """The threads' process shows a sign of life while one of them waits: 90 s are longer than its 60."""
    officer = desk.officer()
    form = {"csrf_token": officer.csrf, "form_key": str(uuid4()), "kind": "video"}
    body, content_type = multipart(form, "slow.txt", CANARY * 20_000)
    cookie = officer.http.get_cookie(COOKIE)
    assert cookie is not None
    sent = {
        "Cookie": f"{COOKIE}={cookie.value}",
        "Content-Type": content_type,
        "Content-Length": str(len(body)),
    }

    def slowly() -> Iterator[bytes]:
        step = len(body) // 90 + 1
        for at in range(0, len(body), step):
            yield body[at : at + step]
            time.sleep(1)

    with closing(HTTPConnection("127.0.0.1", served.port, timeout=900)) as connection:
        connection.request("POST", desk.path(), slowly(), sent)
        assert connection.getresponse().status == 303
