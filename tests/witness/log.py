"""A log for these tests: a real tree in tiles, real keys, and a witness's real server on loopback."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hub.crypto.tlog.checkpoints import Checkpoint
from hub.crypto.tlog.hashing import leaf_hash
from hub.crypto.tlog.notes import Signer, write_note
from hub.crypto.tlog.tiles import Tree, grown
from hub.witness.serving import WitnessServer
from hub.witness.state import StateFile, trust
from hub.witness.wire import PATH, write_request

ORIGIN = "hub.example/audit"
KEY = Signer.from_seed(ORIGIN, b"k" * 32)
THIEF = Signer.from_seed(ORIGIN, b"t" * 32)


@dataclass
class TestLog:
    """`kind` tells one history from another: two logs of the same kind and size are the same tree."""

    __test__ = False

    kind: str = "honest"
    size: int = 0
    signer: Signer = KEY
    tiles: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def grow(self, size: int) -> TestLog:
        leaves = [leaf_hash(f"{self.kind} {number}".encode()) for number in range(self.size, size)]
        self.tiles.update(grown(self.read, self.size, leaves))
        self.size = size
        return self

    def read(self, level: int, number: int) -> bytes:
        return self.tiles.get((level, number), b"")

    def tree(self, size: int) -> Tree:
        return Tree(self.read, size)

    def text(self, size: int) -> str:
        return Checkpoint(self.signer.name, size, self.tree(size).root()).text

    def note(self, size: int) -> str:
        text = self.text(size)
        return write_note(text, self.signer.sign(text))

    def request(self, old: int, size: int) -> bytes:
        return write_request(old, self.tree(size).consistency(old) if old else [], self.note(size))


@dataclass
class Answer:
    status: int
    kind: str
    body: bytes
    headers: dict[str, str]

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Running:
    """A witness that answers at `port`, from `file`."""

    file: StateFile
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def post(self, body: bytes, path: str = PATH) -> Answer:
        return self.send("POST", path, body)

    def send(self, method: str, path: str, body: bytes | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body)
            got = connection.getresponse()
            return Answer(got.status, got.getheader("Content-Type", ""), got.read(), dict(got.getheaders()))
        finally:
            connection.close()

    def size(self) -> int:
        head = self.file.read().logs[ORIGIN].head
        return head.size if head else 0


def made(directory: Path, *, trusting: Signer = KEY) -> StateFile:
    file = StateFile(directory / "witness.json")
    file.make("council.example/witness")
    trust(file, str(trusting.verifier))
    return file


@contextmanager
def running(file: StateFile, *, seconds: float = 10.0, connections: int = 64) -> Iterator[Running]:
    # a StateFile of its own, as another process has
    server = WitnessServer(("127.0.0.1", 0), StateFile(file.path), seconds=seconds, connections=connections)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Running(file, server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
