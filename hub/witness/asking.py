"""The log's side: asks a witness to cosign a checkpoint, and believes only what the witness's key signed."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from urllib.parse import urlsplit

from hub.crypto.tlog.checkpoints import Checkpoint
from hub.crypto.tlog.hashing import NotProven
from hub.crypto.tlog.notes import Verifier, open_note, write_note
from hub.crypto.tlog.tiles import Reader, Tree
from hub.witness.wire import PATH, Malformed, lines_of, read_size, text_of, write_request

TIMEOUT = 10.0
MOST_ANSWER = 16 * 1024
# A witness whose clock is so far ahead cosigns times that nobody can believe.
MOST_AHEAD = 24 * 60 * 60


class NotCosigned(Exception):
    """There is no cosignature; the kinds below say why."""


class Unreached(NotCosigned):
    """No answer in time, or none that is HTTP. Trying again later may help."""


class BadAnswer(NotCosigned):
    """The answer is not the cosignature that was asked for."""


class Refused(NotCosigned):
    """The witness said no, with this HTTP status."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Conflicted(Refused):
    """The witness knows the log at another size than the request said."""

    def __init__(self, size: int, why: str = "the witness knows the log at another size") -> None:
        super().__init__(HTTPStatus.CONFLICT, f"{why}: {size}")
        self.size = size


class WitnessAhead(Conflicted):
    """The witness has cosigned a larger tree than the checkpoint: either it is an old one, or the log was cut back."""


class Diverged(Refused):
    """The witness has cosigned a tree that the checkpoint does not extend. Somebody must look: this is the alarm."""


def ask(url: str, old_size: int, proof: Sequence[bytes], note: str, *, timeout: float = TIMEOUT) -> str:
    """Asks once. The answer's signature lines, of the right form but of any key; redirects are refusals.

    `timeout` is for everything from the connection to the last byte, but not for the look-up of the witness's name.
    """
    status, kind, answer = _post(url, write_request(old_size, proof, note), timeout)
    try:
        if status == HTTPStatus.OK:
            return "".join(lines_of(answer))
        if status == HTTPStatus.CONFLICT:
            raise Conflicted(read_size(answer))
    except Malformed as error:
        raise BadAnswer(f"the witness's answer ({status}, {kind}): {error}") from None
    raise Refused(status, f"the witness answered {status}")


def cosign(
    url: str, verifier: Verifier, note: str, size_known: int, read: Reader, *, timeout: float = TIMEOUT
) -> str:
    """The witness's own signature line over the note's text, verified.

    `size_known` is the size that this witness cosigned last, 0 where that is not known; a witness that knows another is
    asked once more, with a proof from there. `read` gives the log's tiles; what they lack raises `NotProven`, which is a
    fault of the log and none of the witness.
    """
    try:
        text = text_of(note)
    except Malformed as error:
        raise NotProven(str(error)) from None
    size = Checkpoint.parse(text).size
    tree = Tree(read, size)
    old = min(size_known, size)
    try:
        answer = _ask_from(url, old, tree, note, timeout)
    except Conflicted as conflict:
        if conflict.size > size:
            raise WitnessAhead(conflict.size, "the witness has cosigned a larger tree") from None
        if conflict.size == old:
            raise Diverged(conflict.status, f"the witness has cosigned another tree of size {old}") from None
        old = conflict.size
        answer = _ask_again(url, old, tree, note, timeout)
    return _verified(verifier, text, answer)


def _ask_again(url: str, old: int, tree: Tree, note: str, timeout: float) -> str:
    try:
        return _ask_from(url, old, tree, note, timeout)
    except Conflicted as conflict:
        if conflict.size == old == tree.size:
            raise Diverged(conflict.status, f"the witness has cosigned another tree of size {old}") from None
        raise


def _ask_from(url: str, old: int, tree: Tree, note: str, timeout: float) -> str:
    proof = tree.consistency(old) if old else []
    try:
        return ask(url, old, proof, note, timeout=timeout)
    except Refused as refused:
        if refused.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            why = f"the tree does not extend the one of size {old} that the witness has cosigned"
            raise Diverged(refused.status, why) from None
        raise


def _verified(verifier: Verifier, text: str, answer: str) -> str:
    """The one line of the answer that is the witness's; lines of keys that are not known are left out."""
    for line in answer.splitlines(keepends=True):
        try:
            _, signed = open_note(write_note(text, line), [verifier])
        except NotProven:
            continue
        at = signed[verifier.name]
        if at is not None and at <= time.time() + MOST_AHEAD:
            return line
    raise BadAnswer(f"no line of the answer is a cosignature of {verifier.name} over this checkpoint")


def _post(url: str, body: bytes, timeout: float) -> tuple[int, str, bytes]:
    connection = _connection(url, timeout)
    until = time.monotonic() + timeout
    try:
        connection.connect()
        with _cut_off(connection.sock, until):
            path = urlsplit(url).path.rstrip("/") + PATH
            headers = {"Content-Type": "text/plain; charset=utf-8", "Connection": "close"}
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            answer = response.read(MOST_ANSWER + 1)
            broken_off = bool(response.length) and len(answer) <= MOST_ANSWER
            if broken_off or time.monotonic() > until:
                raise Unreached("the witness did not answer whole, or not in time")
    except (OSError, http.client.HTTPException) as error:
        raise Unreached(f"the witness could not be asked: {type(error).__name__}") from None
    finally:
        connection.close()
    if len(answer) > MOST_ANSWER:
        raise BadAnswer("the witness's answer is too long")
    return response.status, response.getheader("Content-Type", "")[:80], answer


def _connection(url: str, timeout: float) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    if parts.username is not None or parts.query or parts.fragment or not parts.hostname:
        raise ValueError("a witness's address is http(s)://host[:port][/path]")
    if parts.scheme == "https":
        return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=timeout)
    if parts.scheme == "http":
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    raise ValueError("a witness's address begins with http:// or https://")


@contextmanager
def _cut_off(connection: socket.socket, until: float) -> Iterator[None]:
    """Ends the connection at that moment: a time-out of the socket alone begins anew with every byte."""

    def shut() -> None:
        try:
            socket.socket.shutdown(connection, socket.SHUT_RDWR)
        except OSError:
            pass  # the other side was first

    timer = threading.Timer(max(0.0, until - time.monotonic()), shut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
