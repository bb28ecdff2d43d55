"""Real parts fail under the served hub while a file goes up or down: what is left is sound, and the user is told."""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.attachments.jobs import sweep_loose, sweep_unknown
from hub.attachments.models import Attachment
from hub.attachments.queries import open_attachment
from hub.extensions import db
from hub.launcher.ports import LOOPBACK
from hub.launcher.processes import wait_until
from hub.web.identity import COOKIE
from tests.attachments.asking import Line
from tests.attachments.conftest import Desk
from tests.attachments.lying import Between
from tests.conftest import as_worker
from tests.fixtures.alone import Alone, alone
from tests.fixtures.server import Served, serving
from tests.fixtures.world import act_as

pytestmark = pytest.mark.slow

CANARY = b"canary-5b1f-Ada-Bridgeman "
# several parts of an object
BIG = CANARY * 700_000
OTHER = BIG[::-1]


@dataclass
class Ground:
    """The served hub on a database and a store of its own, which may be stopped, with a line between that may lie."""

    alone: Alone
    between: Between
    served: Served
    desk: Desk
    folder: Path
    rest: bytes = field(default=b"", repr=False)

    @property
    def line(self) -> Line:
        officer = self.desk.officer()
        cookie = officer.http.get_cookie(COOKIE)
        assert cookie is not None
        return Line(self.served.port, cookie.value, officer.csrf)

    def upload(self, content: bytes = BIG, name: str = "footage.txt") -> str:
        """Attaches a file, which must succeed, and gives its address."""
        heard = self.line.upload(self.desk.path(), name, content)
        assert heard.status == 303, heard.body[-500:]
        return self.desk.path(heard.headers["Location"].rpartition("added=")[2])

    def begin(self, share: float, content: bytes = BIG) -> socket.socket:
        """An upload on its way, of which so much was sent."""
        line = self.line
        body, content_type = line.form("footage.txt", content)
        head = (
            f"POST {self.desk.path()} HTTP/1.1\r\nHost: {LOOPBACK}\r\nCookie: {COOKIE}={line.token}\r\n"
            f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        sent = int(len(body) * share)
        sending = socket.create_connection((LOOPBACK, self.served.port), timeout=60)
        sending.sendall(head.encode() + body[:sent])
        self.rest = body[sent:]
        return sending

    def count(self, what: str) -> int:
        return int(self.desk.site.sql(self.alone.urls.superuser, f"SELECT count(*) FROM {what}")[0][0])

    def settled(self) -> None:
        """Until nothing is under way any more."""
        busy = "pg_stat_activity WHERE usename = 'hub_app' AND state <> 'idle'"
        assert wait_until(lambda: not self.count(busy), seconds=20, every=0.1)

    def check_sound(self) -> None:
        """Every row's object is readable, every object is in the ledger, and nothing readable lies anywhere."""
        with self.desk.site.inside():
            db.engine.dispose()
            actor = act_as(self.desk.site.world, "officer")
            rows = db.session.execute(sa.select(Attachment.id, Attachment.record_id)).all()
            for key, record in rows:
                opened = open_attachment(actor, record, key)
                digest = hashlib.sha256(b"".join(opened.blocks)).hexdigest()
                assert digest == opened.meta.sha256
        ledger = {
            row[0]
            for row in self.desk.site.sql(self.alone.urls.superuser, "SELECT object_key FROM stored_object")
        }
        assert set(self.desk.bucket.keys()) <= ledger
        assert self._readable() == []

    def _readable(self) -> list[str]:
        """Files of the store, the database's folder, the temporary folder and open ones that hold the canary."""
        found = subprocess.run(
            ["grep", "-rlaF", CANARY[:12].decode(), str(self.folder), str(self.alone.server.directory)],
            capture_output=True, text=True, check=False,
        ).stdout.split()  # fmt: skip
        for worker in self.served.workers:
            for entry in Path(f"/proc/{worker}/fd").iterdir():
                try:
                    if os.readlink(entry).startswith("/") and CANARY[:12] in entry.read_bytes()[: 1 << 20]:
                        found.append(os.readlink(entry))
                except OSError:
                    continue
        return found


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("faults")
    with alone(folder, lasting=True) as made, Between(made.bucket) as between:
        temporary = folder / "temporary"
        temporary.mkdir()
        settings = made.settings(s3_endpoint=between.endpoint)
        with serving(settings, folder, TMPDIR=str(temporary)) as served:
            yield Ground(made, between, served, Desk(made.site, made.bucket), folder)


@pytest.fixture
def ground(running: Ground) -> Iterator[Ground]:
    """As the test finds it: honest; and what it leaves is sound."""
    yield running
    running.between.honest()
    running.settled()
    running.check_sound()


def test_a_store_that_is_killed_in_an_upload_and_in_a_download(ground: Ground) -> None:
    path, before = ground.upload(), ground.count("attachment")
    sending = ground.begin(0.6)
    child = ground.alone.store.child
    assert child is not None
    os.killpg(child.pid, signal.SIGKILL)
    child.process.wait()
    sending.sendall(ground.rest)
    told = _all_of(sending)
    assert told.startswith(b"HTTP/1.1 503") and b"Nothing was" in told
    refused = ground.line.get(path)
    assert refused.status == 503 and CANARY not in refused.body
    assert ground.count("attachment") == before
    ground.alone.store.start()
    assert ground.line.get(path).body == BIG, "it comes back by itself"
    assert ground.count("audit.event WHERE act = 'attachment.unsound'") == 0, (
        "a store that is down is no tampering"
    )


def test_a_slow_store_is_waited_for(ground: Ground) -> None:
    ground.between.slow = True
    path = ground.upload(BIG[: 3 << 20])
    assert ground.line.get(path).body == BIG[: 3 << 20]


def test_a_store_that_answers_with_something_else_is_not_believed(ground: Ground) -> None:
    path, other = ground.upload(), ground.upload(OTHER)
    [row] = ground.desk.site.sql(
        ground.alone.urls.superuser,
        "SELECT object_key, object_version FROM attachment WHERE id = :id",
        id=other.rpartition("/")[2],
    )
    another = ground.desk.bucket.read(row.object_key, row.object_version)
    lies = {
        "another object": lambda _: another,
        "fewer bytes": lambda true: true[:-20_000],
        "more bytes": lambda true: true + bytes(20),
        "a flipped bit": lambda true: true[:5_000_000] + bytes([true[5_000_000] ^ 1]) + true[5_000_001:],
        "nothing": lambda _: b"",
    }
    for name, lie in lies.items():
        before = ground.count("audit.event WHERE act = 'attachment.unsound'")
        ground.between.lie = lie
        heard = ground.line.get(path)
        ground.between.honest()
        if heard.status == 200:
            assert heard.cut and BIG.startswith(heard.body) and len(heard.body) < 5_000_000, name
        else:
            assert heard.status == 503 and CANARY not in heard.body, name
        assert ground.count("audit.event WHERE act = 'attachment.unsound'") == before + 1, name
    assert ground.line.get(path).body == BIG


def test_a_line_to_the_store_that_breaks_in_a_download_is_no_tampering(ground: Ground) -> None:
    path, before = ground.upload(), ground.count("audit.event WHERE act = 'attachment.unsound'")
    ground.between.cut_after = 3_000_000
    heard = ground.line.get(path)
    assert heard.cut and BIG.startswith(heard.body) and 0 < len(heard.body) < len(BIG)
    ground.between.honest()
    came = len(heard.body)
    rest = ground.line.get(path, **{"Range": f"bytes={came}-", "If-Range": heard.headers["ETag"]})
    assert rest.status == 206 and heard.body + rest.body == BIG, "resumed where it broke off"
    assert ground.count("audit.event WHERE act = 'attachment.unsound'") == before


@pytest.mark.parametrize("share", [0.02, 0.6, 0.9999])
def test_a_sender_who_hangs_up_leaves_neither_row_nor_object(ground: Ground, share: float) -> None:
    rows, objects = ground.count("attachment"), len(ground.desk.bucket.keys())
    _reset(ground.begin(share))
    time.sleep(0.5)
    ground.settled()
    assert wait_until(lambda: len(ground.desk.bucket.keys()) == objects, seconds=20, every=0.2)
    assert ground.count("attachment") == rows


def test_a_reader_who_hangs_up_leaves_the_hub_as_it_was(ground: Ground) -> None:
    path, line = ground.upload(), ground.line
    for _ in range(12):  # more than it has threads
        reading = socket.create_connection((LOOPBACK, ground.served.port), timeout=30)
        head = f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}\r\nCookie: {COOKIE}={line.token}\r\n\r\n"
        reading.sendall(head.encode())
        assert reading.recv(20_000).startswith(b"HTTP/1.1 200")
        _reset(reading)
    assert ground.line.get(path).body == BIG


def test_a_length_that_is_missing_or_lies_is_told(ground: Ground) -> None:
    line, before = ground.line, ground.count("attachment")
    body, content_type = line.form("a.txt", CANARY * 5000)
    for headers, statuses in (
        (f"Content-Length: {len(body) + 500}\r\n", (b"400",)),
        (f"Content-Length: {len(body) - 500}\r\n", (b"400", b"422")),
        ("Transfer-Encoding: chunked\r\n", (b"411", b"400")),
    ):
        sending = socket.create_connection((LOOPBACK, ground.served.port), timeout=30)
        head = (
            f"POST {ground.desk.path()} HTTP/1.1\r\nHost: {LOOPBACK}\r\nCookie: {COOKIE}={line.token}\r\n"
            f"Content-Type: {content_type}\r\nConnection: close\r\n{headers}\r\n"
        )
        chunked = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
        sending.sendall(head.encode() + (chunked if "chunked" in headers else body))
        sending.shutdown(socket.SHUT_WR)
        assert _all_of(sending)[9:12] in statuses, headers
    assert ground.count("attachment") == before


def test_a_web_process_killed_in_an_upload_leaves_what_the_sweep_finds(ground: Ground) -> None:
    rows, objects = ground.count("attachment"), set(ground.desk.bucket.keys())
    sending = ground.begin(0.7)
    loose = "stored_object WHERE kept_at IS NULL AND removed_at IS NULL AND begun_at > now() - interval '1 minute'"
    assert wait_until(lambda: ground.count(loose) > 0, seconds=20, every=0.05)
    [worker] = ground.served.workers
    os.kill(worker, signal.SIGKILL)
    _reset(sending)
    assert wait_until(lambda: ground.served.workers not in ([], [worker]), seconds=30, every=0.1)
    assert ground.count("attachment") == rows
    with ground.desk.site.inside(), as_worker():
        assert sweep_loose(threading.Event(), older_than=-timedelta(days=1)) >= 1
        enter(db.session(), NOBODY)
        sweep_unknown(threading.Event(), older_than=-timedelta(days=1))
    assert set(ground.desk.bucket.keys()) == objects
    uploads = ground.desk.bucket.client.list_multipart_uploads(Bucket=ground.desk.bucket.name)
    assert uploads.get("Uploads", []) == []
    assert ground.line.get(ground.upload()).body == BIG


def test_a_database_that_restarts_in_an_upload(ground: Ground) -> None:
    path, rows = ground.upload(), ground.count("attachment")
    sending = ground.begin(0.6)
    with ground.desk.site.inside():
        db.engine.dispose()
    ground.alone.server.stop()
    ground.alone.server.start()
    sending.sendall(ground.rest)
    told = _all_of(sending)
    assert told[9:12] in (b"303", b"503"), told[:300]
    assert told[9:12] == b"303" or b"Nothing was" in told or b"othing was lost" in told
    assert ground.count("attachment") == rows + (told[9:12] == b"303")
    assert ground.line.get(path).body == BIG


def test_a_full_disk_under_the_store_takes_nothing_by_halves(ground: Ground) -> None:
    """Its files may grow no more: to the store that is a disk without room."""
    path, rows = ground.upload(), ground.count("attachment")
    child = ground.alone.store.child
    assert child is not None
    for process in _family(child.pid):
        resource.prlimit(process, resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    heard = ground.line.upload(ground.desk.path(), "footage.txt", BIG)
    assert heard.status == 503 and b"Nothing was" in heard.body
    assert ground.count("attachment") == rows
    child.stop()
    ground.alone.store.start()
    assert ground.line.get(path).body == BIG


def test_two_at_once_of_one_name_are_two_files(ground: Ground) -> None:
    contents = [BIG, OTHER]
    paths: list[str] = []
    sending = [threading.Thread(target=lambda one=one: paths.append(ground.upload(one))) for one in contents]
    for one in sending:
        one.start()
    for one in sending:
        one.join()
    assert len(set(paths)) == 2
    assert sorted(ground.line.get(path).body for path in paths) == sorted(contents)


def _all_of(sending: socket.socket) -> bytes:
    told = b""
    try:
        while block := sending.recv(65_536):
            told += block
    except OSError:
        pass
    sending.close()
    return told


def _reset(line: socket.socket) -> None:
    """As when the network goes."""
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.close()


def _family(pid: int) -> list[int]:
    children = [
        int(one) for task in Path(f"/proc/{pid}/task").glob("*/children") for one in task.read_text().split()
    ]
    return [pid, *(one for child in children for one in _family(child))]
