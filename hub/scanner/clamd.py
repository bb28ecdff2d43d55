"""Asks clamd whether a stream holds malware: sends it by INSTREAM and reads the one answer.

Anything but an exact `stream: OK` for a stream that was sent to its end is not clean. The framing is written here because
the library `clamav-client` sends by `send`, which may leave out part of a block, so that clamd judges another stream than
ours; because it speaks IPv4 only; and because it reads no answer that comes before the end, as it does past StreamMaxLength.
"""

from __future__ import annotations

import enum
import re
import select
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event
from typing import Self

from hub.config import Settings

MIB = 1024 * 1024
CONNECT_SECONDS = 5.0
SEND_SECONDS = 30.0
# clamd itself gives up a file after two minutes (MaxScanTime)
ANSWER_SECONDS = 180.0
_LOOK_ROUND_SECONDS = 0.5
_LONGEST_ANSWER = 4096

_CLEAN = b"stream: OK\0"
_TOO_LONG = b"INSTREAM size limit exceeded. ERROR\0"
_FOUND = re.compile(rb"stream: ([^\0\n]+) FOUND\0")
_ERROR = re.compile(rb"[^\0\n]*ERROR\0")
# clamd tells these like signatures: AlertExceedsMax and AlertEncrypted
_HEURISTICS = {"Heuristics.Limits.Exceeded": "limits", "Heuristics.Encrypted": "encrypted"}
_NO_CODE = re.compile(r"[^A-Za-z0-9._-]")
_VERSION = re.compile(r"ClamAV [^/]+/\d+/(.+)")


class Outcome(enum.StrEnum):
    CLEAN = "clean"
    INFECTED = "infected"
    UNSCANNABLE = "unscannable"


@dataclass(frozen=True)
class Verdict:
    """What is known of a file for good; `finding` is the signature that was found, or why it can't be scanned."""

    outcome: Outcome
    finding: str | None = None


class NoVerdict(Exception):
    """Nothing is known of the file: it is scanned again later.

    `unreachable`, `broken_off` and `stopped` say nothing of it either; `timeout`, `scanner_error` and `broken_answer` may
    be its own doing.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Scanner:
    """One clamd, at `unix:/path` or `tcp:host:port`. Every question is a connection of its own."""

    def __init__(
        self,
        address: str,
        *,
        max_bytes: int,
        connect_seconds: float = CONNECT_SECONDS,
        send_seconds: float = SEND_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self.address = address
        # clamd passes over what is beyond its own limits unless it is set up well: for more than this it is not trusted
        self.max_bytes = max_bytes
        self.connect_seconds = connect_seconds
        self.send_seconds = send_seconds
        self.answer_seconds = answer_seconds

    @classmethod
    def from_settings(cls, settings: Settings) -> Self | None:
        """None where no scanner is named, which only a demonstration may do."""
        if settings.clamd is None:
            return None
        return cls(settings.clamd, max_bytes=settings.clamd_max_mib * MIB)

    def scan(self, blocks: Iterable[bytes], stop: Event) -> Verdict:
        """The verdict on a stream. `NoVerdict` where there is none; an error of `blocks` passes through as it is."""
        with self._connected() as line:
            sent = self._send(line, blocks, stop)
            if not sent:
                _say_no_more(line)
            answer = self._read(line, stop)
        return _verdict_of(answer, sent)

    def check(self) -> None:
        """`NoVerdict` unless clamd answers."""
        if self._ask(b"zPING\0") != b"PONG\0":
            raise NoVerdict("broken_answer")

    def signatures_made_at(self) -> datetime | None:
        """When the signatures that clamd has in use were made; None where it has none but local ones."""
        answer = self._ask(b"zVERSION\0").rstrip(b"\0").decode("ascii", "replace")
        dated = _VERSION.fullmatch(answer)
        if dated is None:
            return None
        try:
            return datetime.strptime(dated.group(1), "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
        except ValueError:
            return None

    def _ask(self, command: bytes) -> bytes:
        with self._connected() as line:
            _put(line, command)
            return self._read(line, Event())

    @contextmanager
    def _connected(self) -> Iterator[socket.socket]:
        line = self._connect()
        try:
            line.settimeout(self.send_seconds)
            yield line
        finally:
            line.close()

    def _connect(self) -> socket.socket:
        kind, _, place = self.address.partition(":")
        try:
            if kind == "tcp":
                host, _, port = place.rpartition(":")
                return socket.create_connection((host.strip("[]"), int(port)), self.connect_seconds)
            line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                line.settimeout(self.connect_seconds)
                line.connect(place)
            except OSError:
                line.close()
                raise
        except OSError:
            raise NoVerdict("unreachable") from None
        return line

    def _send(self, line: socket.socket, blocks: Iterable[bytes], stop: Event) -> bool:
        """Whether the stream was sent to its end: clamd may answer or break off before."""
        if not _put(line, b"zINSTREAM\0"):
            return False
        for block in blocks:
            if stop.is_set():
                raise NoVerdict("stopped")
            # a block of no length would be the end of the stream
            if block and (_says_something(line, 0) or not _put(line, len(block).to_bytes(4) + block)):
                return False
        return _put(line, bytes(4))

    def _read(self, line: socket.socket, stop: Event) -> bytes:
        """All that clamd says until it closes the line."""
        until = time.monotonic() + self.answer_seconds
        answer = b""
        while len(answer) <= _LONGEST_ANSWER:
            if stop.is_set():
                raise NoVerdict("stopped")
            if time.monotonic() > until:
                raise NoVerdict("timeout")
            if not _says_something(line, _LOOK_ROUND_SECONDS):
                continue
            try:
                more = line.recv(_LONGEST_ANSWER)
            except OSError:
                break
            if not more:
                break
            answer += more
        return answer


def _put(line: socket.socket, data: bytes) -> bool:
    try:
        line.sendall(data)
    except TimeoutError:
        raise NoVerdict("timeout") from None
    except OSError:
        return False
    return True


def _say_no_more(line: socket.socket) -> None:
    """So that the other side does not wait for what never comes."""
    try:
        line.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def _says_something(line: socket.socket, seconds: float) -> bool:
    poll = select.poll()
    poll.register(line, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _verdict_of(answer: bytes, sent: bool) -> Verdict:
    if not answer:
        raise NoVerdict("broken_off")
    if answer == _CLEAN and sent:
        return Verdict(Outcome.CLEAN)
    if answer == _TOO_LONG:
        return Verdict(Outcome.UNSCANNABLE, "too_large")
    if found := _FOUND.fullmatch(answer):
        return _found(_NO_CODE.sub("_", found.group(1).decode("ascii", "replace"))[:100])
    raise NoVerdict("scanner_error" if _ERROR.fullmatch(answer) else "broken_answer")


def _found(signature: str) -> Verdict:
    for start, reason in _HEURISTICS.items():
        if signature.startswith(start):
            return Verdict(Outcome.UNSCANNABLE, reason)
    return Verdict(Outcome.INFECTED, signature)
