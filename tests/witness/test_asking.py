"""The log's side: it believes what the witness's key signed over this very checkpoint, and nothing else."""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from hub.crypto.tlog.hashing import NotProven
from hub.crypto.tlog.notes import COSIGNATURE, Signer, open_note
from hub.witness import asking
from tests.witness.log import KEY, THIEF, Running, TestLog

WITNESS = Signer.from_seed("council.example/witness", b"w" * 32, COSIGNATURE)


def cosign(witness: Running, log: TestLog, size: int, known: int = 0) -> str:
    verifier = witness.file.read().signer.verifier
    return asking.cosign(witness.url, verifier, log.note(size), known, log.read, timeout=10)


def test_it_brings_the_witness_forward(witness: Running, log: TestLog) -> None:
    verifier = witness.file.read().signer.verifier
    for size, known in ((5, 0), (9, 5), (9, 9), (300, 0), (301, 7), (600, 9999)):
        line = cosign(witness, log, size, known)
        _, signed = open_note(log.note(size) + line, [KEY.verifier, verifier])
        assert set(signed) == {KEY.name, verifier.name}
        assert witness.size() == size


def test_asking_once_tells_the_size_of_a_conflict(witness: Running, log: TestLog) -> None:
    line = asking.ask(witness.url + "/", 0, [], log.note(5))
    assert line.startswith("— council.example/witness ") and line.endswith("\n")
    with pytest.raises(asking.Conflicted) as raised:
        asking.ask(witness.url, 0, [], log.note(9))
    assert raised.value.size == 5


def test_an_old_checkpoint_finds_the_witness_ahead(witness: Running, log: TestLog) -> None:
    cosign(witness, log, 9)
    for known in (0, 4, 5, 9):
        with pytest.raises(asking.WitnessAhead) as raised:
            cosign(witness, log, 5, known)
        assert raised.value.size == 9


@pytest.mark.parametrize(("size", "known"), [(40, 0), (40, 40), (40, 7), (60, 0), (60, 40), (60, 7)])
def test_another_history_is_the_alarm(witness: Running, log: TestLog, size: int, known: int) -> None:
    cosign(witness, log, 40)
    with pytest.raises(asking.Diverged):
        cosign(witness, TestLog("rewritten").grow(60), size, known)
    assert witness.size() == 40


def test_a_refusal_keeps_its_status(witness: Running) -> None:
    with pytest.raises(asking.Refused) as raised:
        cosign(witness, TestLog(signer=THIEF).grow(5), 5)
    assert raised.value.status == 403
    with pytest.raises(asking.Refused) as raised:
        asking.ask(witness.url + "/elsewhere", 0, [], TestLog().grow(5).note(5))
    assert raised.value.status == 404


def test_a_log_without_its_tiles_is_not_the_witnesses_fault(witness: Running, log: TestLog) -> None:
    cosign(witness, log, 300)
    note = log.note(600)
    log.tiles.clear()
    with pytest.raises(NotProven):
        asking.cosign(witness.url, witness.file.read().signer.verifier, note, 300, log.read)


@pytest.mark.parametrize(
    "url", ["ftp://a.example", "a.example", "http://", "http://me@a.example", "http://a/?b", "http://a:x"]
)
def test_what_is_no_address_is_refused(url: str, log: TestLog) -> None:
    with pytest.raises(ValueError, match=r"address|ort"):
        asking.ask(url, 0, [], log.note(5))


Answering = Callable[[socket.socket], None]


@contextmanager
def answering(answer: Answering) -> Iterator[str]:
    """Something at a port that is no witness of ours; it reads the request and then does as told."""
    listener = socket.create_server(("127.0.0.1", 0))
    count = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                count.append(1)
                try:
                    _take_in(connection)
                    answer(connection)
                except OSError:
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)
        assert len(count) <= 2


def _take_in(connection: socket.socket) -> None:
    """The whole request: closing on unread bytes would be a reset, which is another test."""
    got = b""
    while (cut := got.find(b"\r\n\r\n")) < 0:
        got += connection.recv(65536)
    found = re.search(rb"Content-Length: (\d+)", got)
    assert found is not None
    while len(got) < cut + 4 + int(found[1]):
        got += connection.recv(65536)


def said(status: str, body: bytes, *headers: str) -> Answering:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return lambda connection: connection.sendall("\r\n".join([*head, "", ""]).encode() + body)


def cosigned(text: str, *, signer: Signer = WITNESS, at: int | None = None) -> bytes:
    return signer.sign(text, at=int(time.time()) if at is None else at).encode()


def ask_there(answer: Answering, log: TestLog, *, timeout: float = 5) -> str:
    with answering(answer) as url:
        return asking.cosign(url, WITNESS.verifier, log.note(9), 0, log.read, timeout=timeout)


def test_lines_of_other_keys_are_left_out(log: TestLog) -> None:
    own = cosigned(log.text(9))
    stranger = cosigned(log.text(9), signer=Signer.from_seed("b", b"b" * 32, COSIGNATURE))
    assert ask_there(said("200 OK", stranger + own + stranger), log) == own.decode()


def test_what_does_not_verify_is_not_believed(log: TestLog) -> None:
    text = log.text(9)
    good = cosigned(text)
    impostor = Signer.from_seed(WITNESS.name, b"x" * 32, COSIGNATURE)
    as_log = Signer(WITNESS.name, WITNESS.private)
    for body in (
        b"",
        b"\n",
        b"<html>",
        b"\xff\xfe\n",
        good[:-1],
        good + b"\n",
        good.replace("—".encode(), b"-"),
        cosigned(log.text(8)),
        cosigned(text, signer=impostor),
        as_log.sign(text).encode(),
        cosigned(text, at=int(time.time()) + 10 * 86400),
        cosigned(text, at=2**64 - 1),
    ):
        with pytest.raises(asking.BadAnswer):
            ask_there(said("200 OK", body), log)


def test_an_endless_answer_is_not_read_to_its_end(log: TestLog) -> None:
    with pytest.raises(asking.BadAnswer, match="too long"):
        ask_there(said("200 OK", cosigned(log.text(9)) * 500), log)


@pytest.mark.parametrize(
    "body", [b"", b"\n", b"5", b"05\n", b"-1\n", b"five\n", b"5\n5\n", b"\xd9\xa5\n", b"9" * 30 + b"\n"]
)
def test_a_conflict_without_a_size_is_a_bad_answer(body: bytes, log: TestLog) -> None:
    with pytest.raises(asking.BadAnswer):
        ask_there(said("409 Conflict", body), log)


def test_a_witness_that_changes_its_mind_is_asked_twice_and_no_more(log: TestLog) -> None:
    sizes = iter([b"3\n", b"4\n", b"5\n"])

    def changing(connection: socket.socket) -> None:
        said("409 Conflict", next(sizes))(connection)

    with pytest.raises(asking.Conflicted) as raised:
        ask_there(changing, log)
    assert raised.value.size == 4


def test_a_redirect_is_not_followed(witness: Running, log: TestLog) -> None:
    for status in ("301 Moved", "302 Found", "307 Temporary", "308 Permanent"):
        with pytest.raises(asking.Refused) as raised:
            ask_there(said(status, b"", f"Location: {witness.url}/add-checkpoint"), log)
        assert raised.value.status == int(status[:3])
    assert witness.size() == 0


def drip(start: bytes) -> Answering:
    def slowly(connection: socket.socket) -> None:
        connection.sendall(start)
        for _ in range(100):
            connection.sendall(b"a")
            time.sleep(0.05)

    return slowly


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    "answer",
    [
        lambda connection: None,
        lambda connection: time.sleep(2),
        lambda connection: connection.sendall(b"SSH-2.0-hello\r\n"),
        lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"),
        reset,
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
        drip(b"HTTP/1.1 200 OK\r\n\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nX-Slow: "),
        drip(b""),
    ],
    ids=["closes", "sleeps", "no HTTP", "breaks off", "resets", "body", "endless body", "header", "status"],
)
def test_what_does_not_answer_in_time_was_not_reached(answer: Answering, log: TestLog) -> None:
    with answering(answer) as url:
        began = time.monotonic()
        with pytest.raises(asking.Unreached):
            asking.ask(url, 0, [], log.note(5), timeout=0.5)
        assert time.monotonic() - began < 1.5


def test_nobody_there_was_not_reached(log: TestLog) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(asking.Unreached):
        asking.ask(f"http://127.0.0.1:{port}", 0, [], log.note(5))
