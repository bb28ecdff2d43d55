"""Files up and down through the served hub, against the same bytes through boto3 without encryption, as ratios of one run.

    .venv/bin/python -m bench.files [MIB]

One file of that size (1,024) each way, rounds in turn with boto3's own transfers (eight-megabyte parts, ten threads); then
eight at once, while the memory of the web processes is watched, and their open files and the folder for temporary ones for
anything that is written there. The hub reads every byte twice over a line and hashes it twice; boto3 does so once.
"""

from __future__ import annotations

import io
import os
import re
import secrets
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
from botocore.config import Config

from hub.config import LARGEST_UPLOAD_MIB
from hub.launcher.objectstore import S3Address
from hub.launcher.ports import LOOPBACK
from hub.web.identity import COOKIE
from tests.attachments.conftest import Desk
from tests.fixtures.alone import alone
from tests.fixtures.server import Served, serving

MIB = 1024 * 1024
MIB_EACH = 1024
AT_ONCE = 8
ROUNDS = 2
AT_LEAST = 0.8
GROWTH_MIB = 64
LINE = (secrets.token_hex(32) + " canary-9e1c Danny Bridgeman\n").encode()
BLOCK = (LINE * (MIB // len(LINE) + 1))[:MIB]


class Sent(io.RawIOBase):
    """So many bytes of text that are never held."""

    def __init__(self, size: int, head: bytes = b"", tail: bytes = b"") -> None:
        self.parts = [memoryview(head), size, memoryview(tail)]

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        size = MIB if size < 0 else size
        head, left, tail = self.parts
        if head:
            self.parts[0] = head[size:]
            return bytes(head[:size])
        if left:
            size = min(size, left)
            self.parts[1] = left - size
            return BLOCK[:size] if size <= MIB else (BLOCK * (size // MIB + 1))[:size]
        self.parts[2] = tail[size:]
        return bytes(tail[:size])


class Nowhere(io.RawIOBase):
    """Takes everything and keeps nothing."""

    def writable(self) -> bool:
        return True

    def write(self, given: Any) -> int:
        return len(given)


class Browser:
    """An officer with a case, who sends files and fetches them, each over a line of its own."""

    def __init__(self, desk: Desk, served: Served) -> None:
        officer = desk.officer()
        cookie = officer.http.get_cookie(COOKIE)
        assert cookie is not None
        self.cookie = f"{COOKIE}={cookie.value}"
        self.path, self.token, self.port = desk.path(), officer.csrf, served.port

    def send(self, size: int) -> str:
        """The address of the file that was attached."""
        mark = uuid4().hex
        fields = {"csrf_token": self.token, "form_key": str(uuid4()), "kind": "video", "description": ""}
        parts = [
            f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        head = f'{"".join(parts)}--{mark}\r\nContent-Disposition: form-data; name="file"; filename="bench.txt"\r\n\r\n'
        tail = f"\r\n--{mark}--\r\n"
        headers = {
            "Content-Type": f"multipart/form-data; boundary={mark}",
            "Content-Length": str(len(head) + size + len(tail)),
        }
        body = Sent(size, head.encode(), tail.encode())
        answer = self._ask("POST", self.path, headers, body)
        where = answer.headers.get("Location", "")
        if answer.status != 303:
            raise SystemExit(f"the hub did not take the file: {answer.status}")
        return f"{self.path}/{where.rpartition('added=')[2]}"

    def fetch(self, path: str, **headers: str) -> int:
        """How many bytes came."""
        answer = self._ask("GET", path, headers)
        came = 0
        while block := answer.read(MIB):
            came += len(block)
        if answer.status not in (200, 206):
            raise SystemExit(f"the hub did not give the file: {answer.status}")
        return came

    def _ask(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> HTTPResponse:
        connection = HTTPConnection(LOOPBACK, self.port, timeout=600, blocksize=MIB)
        connection.request(method, path, body, {**headers, "Cookie": self.cookie})
        return connection.getresponse()


class Plain:
    """The same bytes through boto3, as its documentation says, without encryption."""

    def __init__(self, address: S3Address) -> None:
        self.bucket = address.bucket
        self.client = boto3.client(
            "s3",
            endpoint_url=address.endpoint,
            aws_access_key_id=address.access_key,
            aws_secret_access_key=address.secret_key,
            region_name=address.region,
            config=Config(s3={"addressing_style": "path"}),
        )
        self.key = f"bench/{uuid4().hex}"

    def send(self, size: int) -> None:
        self.client.upload_fileobj(Sent(size), self.bucket, self.key)

    def fetch(self) -> None:
        self.client.download_fileobj(self.bucket, self.key, Nowhere())


@dataclass
class Watch(threading.Thread):
    """Memory of the web processes, and what they have written that could be read."""

    processes: list[int]
    folder: Path
    done: threading.Event = field(default_factory=threading.Event)
    before: dict[int, int] = field(default_factory=dict)
    grown: dict[int, int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        self.before = {process: _resident(process) for process in self.processes}
        while not self.done.wait(0.05):
            for process in self.processes:
                more = _resident(process) - self.before[process]
                self.grown[process] = max(more, self.grown.get(process, 0))
                self.seen |= _readable_files(process)
            self.seen |= {str(found) for found in self.folder.rglob("*") if found.is_file()}

    def end(self) -> None:
        self.done.set()
        self.join()


def _resident(process: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{process}/status").read_text())
    return int(found.group(1)) // 1024 if found else 0


def _readable_files(process: int) -> set[str]:
    """Open files of a process that hold our text; those without a name too."""
    found = set()
    for entry in Path(f"/proc/{process}/fd").iterdir():
        try:
            target = os.readlink(entry)
            if (
                target.startswith("/")
                and not target.startswith("/dev/")
                and LINE[-20:] in entry.read_bytes()[:MIB]
            ):
                found.add(target)
        except OSError:
            continue
    return found


def _timed(what: Callable[[], Any]) -> float:
    began = time.perf_counter()
    what()
    return time.perf_counter() - began


def _at_once(what: list[Callable[[], Any]]) -> float:
    threads = [threading.Thread(target=one) for one in what]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began


def measure(browser: Browser, plain: Plain, watch: Watch, mib: int) -> int:
    # connections, plans and templates: what a process holds for its eight threads whatever they send
    _at_once([lambda: browser.fetch(browser.send(MIB))] * AT_ONCE)
    watch.start()
    too_slow = 0
    for label, hub, bare, work in _each_way(browser, plain, watch.processes, mib * MIB):
        ratio = bare / hub
        too_slow += ratio < AT_LEAST
        print(
            f"{label:<22} hub {mib / hub:6.0f} MiB/s   boto3 {mib / bare:6.0f} MiB/s   ratio {ratio:.2f}"
            f"   work of the hub {work * 1024 / mib / ROUNDS:.1f} s/GiB{f'   below {AT_LEAST}' if ratio < AT_LEAST else ''}",
            flush=True,
        )
    one = max(watch.grown.values())
    kept: list[str] = []
    up = _at_once([lambda: kept.append(browser.send(mib * MIB))] * AT_ONCE)
    down = _at_once([lambda path=path: browser.fetch(path) for path in kept])  # type: ignore[misc]
    watch.end()
    grown = max(watch.grown.values())
    print(f"{AT_ONCE} at once, {mib} MiB each: up in {up:.1f} s, down in {down:.1f} s")
    print(f"memory of a web process grew by {one} MiB for one file, by {grown} MiB for {AT_ONCE} at once")
    print(f"readable anywhere meanwhile: {sorted(watch.seen) or 'nothing'}")
    return int(bool(too_slow) or grown > GROWTH_MIB or bool(watch.seen) or len(kept) < AT_ONCE)


def _each_way(
    browser: Browser, plain: Plain, processes: list[int], size: int
) -> Iterator[tuple[str, float, float, float]]:
    """The best of the rounds, hub and boto3 in turn; and the processor's seconds that the hub's processes took in all."""
    kept = ""

    def send() -> None:
        nonlocal kept
        kept = browser.send(size)

    ways: tuple[tuple[str, Callable[[], Any], Callable[[], Any]], ...] = (
        ("up", send, lambda: plain.send(size)),
        ("down", lambda: browser.fetch(kept), plain.fetch),
        ("down, all but a byte", lambda: browser.fetch(kept, Range="bytes=1-"), plain.fetch),
    )
    for label, hub, bare in ways:
        before = sum(map(_worked, processes))
        times = [(_timed(bare), _timed(hub)) for _ in range(ROUNDS)]
        work = sum(map(_worked, processes)) - before
        yield label, min(one for _, one in times), min(one for one, _ in times), work


def _worked(process: int) -> float:
    """Seconds of the processor, in user and in system mode."""
    told = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    mib = int(sys.argv[1]) if len(sys.argv) > 1 else MIB_EACH
    with tempfile.TemporaryDirectory(prefix="hub-files-") as name, alone(Path(name)) as ground:
        temporary = Path(name) / "temporary"
        temporary.mkdir()
        desk = Desk(ground.site, ground.bucket)
        environment = {"HUB_UPLOAD_MIB": str(LARGEST_UPLOAD_MIB), "TMPDIR": str(temporary)}
        with serving(ground.settings(), Path(name), **environment) as served:
            watch = Watch(served.workers, temporary)
            return measure(Browser(desk, served), Plain(ground.bucket.address), watch, mib)


if __name__ == "__main__":
    raise SystemExit(main())
