"""Readers of a running site, who keep every byte that reached them and may kill the server as it arrives."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from hub.web.identity import COOKIE

# few, because each connection of a new process plans its statements anew
AT_ONCE = 2


def children(process: subprocess.Popen[bytes]) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


@dataclass(frozen=True)
class Answer:
    """The bytes that came, and whether all of them did."""

    received: bytes
    whole: bool

    def header(self, name: str) -> str:
        for line in self.received.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]:
            told, _, value = line.partition(":")
            if told.lower() == name:
                return value.strip()
        return ""


def ask(port: int, path: str, token: str, arrived: Callable[[bytes], None] = lambda _: None) -> Answer:
    """One request over a connection of its own; whatever arrived before it broke counts."""
    came = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(
                f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nAccept: text/html\r\nCookie: {COOKIE}={token}\r\n\r\n".encode()
            )
            while part := connection.recv(65536):
                came += part
                arrived(came)
    except OSError:
        pass
    answer = Answer(came, False)
    length = answer.header("content-length")
    body = came.partition(b"\r\n\r\n")[2]
    return Answer(came, length.isdigit() and len(body) == int(length))


@dataclass
class Readers:
    """Officers who read all pages again and again, at the same time, until they are stopped."""

    web: subprocess.Popen[bytes]
    port: int
    token: str
    paths: list[str]
    words: list[str]
    answers: list[Answer] = field(default_factory=list)
    shown: int = 0
    cut: int = 0
    done: threading.Event = field(default_factory=threading.Event)
    # set: whoever is next to hold a canary in their hands kills at once
    armed: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def at_work(self) -> Iterator[Readers]:
        threads = [threading.Thread(target=self._read, args=(seed,)) for seed in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self.done.set()
            for thread in threads:
                thread.join()

    def _read(self, seed: int) -> None:
        draw = random.Random(seed)
        while not self.done.is_set():
            answer = ask(self.port, draw.choice(self.paths), self.token, self._strike)
            self.answers.append(answer)
            self.cut += not answer.whole
            self.shown += bool(words_in(answer.received, self.words))

    def _strike(self, came: bytes) -> None:
        """Before the server knows that its bytes have arrived."""
        if self.armed.is_set() and words_in(came, self.words):
            self.armed.clear()
            self.kill()

    def kill(self) -> None:
        """Every process that serves; their parent starts others in their place."""
        for pid in children(self.web):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def words_in(received: bytes, words: list[str]) -> list[str]:
    text = received.lower()
    return [word for word in words if word.encode() in text]
