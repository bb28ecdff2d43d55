"""The witness's server against clients that are slow, loud, broken or many: an answer of the list, never a traceback."""

from __future__ import annotations

import http.client
import re
import socket
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.witness.wire import MOST_BYTES, PATH, write_request
from tests.witness.log import ORIGIN, Running, TestLog, made, running


def raw(witness: Running, data: bytes, *, ending: bool = True) -> bytes:
    """Everything that comes back for these bytes, until the server closes."""
    with socket.create_connection(("127.0.0.1", witness.port), timeout=20) as connection:
        connection.sendall(data)
        if ending:
            connection.shutdown(socket.SHUT_WR)
        got = b""
        while part := connection.recv(65536):
            got += part
        return got


def test_the_front_page_tells_who_it_is(witness: Running, log: TestLog) -> None:
    witness.post(log.request(0, 5))
    answer = witness.send("GET", "/")
    assert answer.status == 200 and answer.kind.startswith("text/plain")
    state = witness.file.read()
    assert str(state.signer.verifier) in answer.text and "size 5" in answer.text and ORIGIN in answer.text
    assert state.seed not in answer.text
    assert witness.send("HEAD", "/").body == b""


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", PATH, 405),
        ("PUT", PATH, 405),
        ("DELETE", "/", 405),
        ("OPTIONS", PATH, 405),
        ("POST", "/", 404),
        ("POST", PATH + "/", 404),
        ("POST", PATH + "?a=b", 404),
        ("GET", "/witness.json", 404),
        ("GET", "/../witness.json", 404),
        ("BREW", PATH, 501),
    ],
)
def test_other_methods_and_addresses(witness: Running, method: str, path: str, status: int) -> None:
    answer = witness.send(method, path, b"old 0\n")
    assert answer.status == status
    assert answer.headers["Connection"] == "close"  # its body was not read
    assert (status == 405) == ("Allow" in answer.headers)


def test_a_connection_serves_one_request_after_the_other(witness: Running, log: TestLog) -> None:
    def request(body: bytes) -> bytes:
        return b"POST %s HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (PATH.encode(), len(body), body)

    many = (
        request(log.request(0, 5))
        + request(b"nonsense")
        + request(log.request(0, 9))
        + request(log.request(5, 9))
    )
    statuses = re.findall(rb"^HTTP/1.1 (\d+)", raw(witness, many), re.MULTILINE)
    assert statuses == [b"200", b"400", b"409", b"200"]


MALFORMED = {
    "empty": lambda good: b"",
    "no old line": lambda good: good.partition(b"\n")[2],
    "leading zero": lambda good: good.replace(b"old 5", b"old 05"),
    "plus": lambda good: good.replace(b"old 5", b"old +5"),
    "minus": lambda good: good.replace(b"old 5", b"old -5"),
    "other digits": lambda good: good.replace(b"old 5", "old ٥".encode()),
    "two spaces": lambda good: good.replace(b"old 5", b"old  5"),
    "carriage returns": lambda good: good.replace(b"\n", b"\r\n"),
    "huge number": lambda good: good.replace(b"old 5", b"old " + b"9" * 5000),
    "not UTF-8": lambda good: good.replace(b"old 5\n", b"old 5\n\xff\xfe\n"),
    "proof line not base64": lambda good: good.replace(b"old 5\n", b"old 5\n!!!\n"),
    "proof line too short": lambda good: good.replace(b"old 5\n", b"old 5\nAAAA\n"),
    "proof line not canonical": lambda good: good.replace(b"old 5\n", b"old 5\n" + b"A" * 42 + b"B=\n"),
    "64 proof lines": lambda good: good.replace(b"old 5\n", b"old 5\n" + (b"A" * 43 + b"=\n") * 64),
    "no empty line": lambda good: good.replace(b"\n\n", b"\n", 1),
    "two empty lines": lambda good: good.replace(b"\n\n", b"\n\n\n", 1),
    "no signature": lambda good: good[: good.rindex(b"\n\n") + 2],
    "no last newline": lambda good: good[:-1],
    "bad signature line": lambda good: good + b"\xe2\x80\x94 name AA\n",
    "hyphen for dash": lambda good: good.replace("—".encode(), b"-"),
    "root of 31 bytes": lambda good: re.sub(rb"\n9\n[^\n]+", b"\n9\n" + b"A" * 42 + b"==", good),
    "control character": lambda good: good.replace(ORIGIN.encode() + b"\n9", ORIGIN.encode() + b"\x07\n9"),
    "size above the checkpoint's": lambda good: good.replace(b"old 5", b"old 10"),
}


@pytest.mark.parametrize("how", MALFORMED)
def test_a_malformed_request_is_a_400(
    witness: Running, log: TestLog, how: str, capfd: pytest.CaptureFixture[str]
) -> None:
    witness.post(log.request(0, 5))
    good = log.request(5, 9)
    bad = MALFORMED[how](good)
    assert bad != good
    assert witness.post(bad).status == 400
    assert witness.size() == 5
    assert witness.post(good).status == 200
    assert "Traceback" not in capfd.readouterr().err


def test_63_proof_lines_are_read(witness: Running, log: TestLog) -> None:
    witness.post(log.request(0, 5))
    assert witness.post(write_request(5, [bytes(32)] * 63, log.note(9))).status == 422


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Running:
    with running(made(tmp_path_factory.mktemp("steady")), seconds=2) as found:
        found.post(TestLog().grow(300).request(0, 300))
        yield found


GOOD = TestLog().grow(600).request(300, 600)


@given(data=st.data())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_spoilt_request_is_never_cosigned(
    steady: Running, data: st.DataObject, capfd: pytest.CaptureFixture[str]
) -> None:
    spoilt = bytearray(GOOD)
    at = data.draw(st.integers(0, len(GOOD) - 1))
    kind = data.draw(st.sampled_from(["flip", "cut", "insert", "remove"]))
    if kind == "flip":
        spoilt[at] ^= 1 << data.draw(st.integers(0, 7))
    elif kind == "cut":
        del spoilt[at:]
    elif kind == "insert":
        spoilt[at:at] = data.draw(st.binary(min_size=1, max_size=4))
    else:
        del spoilt[at : at + data.draw(st.integers(1, 100))]
    assert steady.post(bytes(spoilt)).status in (400, 403, 404, 409, 422)
    assert steady.size() == 300
    assert "Traceback" not in capfd.readouterr().err


@given(data=st.binary(max_size=400))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_not_http_gets_a_line_and_no_more(
    steady: Running, data: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    got = raw(steady, data)
    assert not got.startswith(b"HTTP/1.1 200") and len(got) < 400
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"", 411),
        (b"Transfer-Encoding: chunked\r\n", 411),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", 411),
        (b"Content-Length: 3\r\nContent-Length: 4\r\n", 400),
        (b"Content-Length: -1\r\n", 400),
        (b"Content-Length: +3\r\n", 400),
        (b"Content-Length: 1_0\r\n", 400),
        (b"Content-Length: 9999999999999\r\n", 400),
        (b"Content-Length: 65537\r\n", 413),
        (b"Content-Length: 999999999999\r\n", 413),
        (b"Content-Length: 100\r\n", 400),  # and then breaks off
    ],
)
def test_a_body_without_a_right_length_is_refused(witness: Running, head: bytes, status: int) -> None:
    start = b"POST " + PATH.encode() + b" HTTP/1.1\r\nHost: a\r\n"
    got = raw(witness, start + head + b"\r\nabc")
    assert got.startswith(b"HTTP/1.1 %d " % status), got
    assert got.count(b"HTTP/1.1") == 1 and b"Connection: close" in got


def test_a_body_that_is_too_long_is_told_so(witness: Running, log: TestLog) -> None:
    good = log.request(0, 5)
    assert witness.post(good.ljust(MOST_BYTES + 1, b"\n")).status == 413
    assert witness.post(b"x" * (3 * MOST_BYTES)).status == 413
    assert witness.post(b"x" * MOST_BYTES).status == 400
    assert witness.size() == 0


def test_who_is_still_sending_too_much_gets_to_read_why(witness: Running) -> None:
    with socket.create_connection(("127.0.0.1", witness.port), timeout=20) as connection:
        connection.sendall(b"POST %s HTTP/1.1\r\nContent-Length: 200000\r\n\r\n" % PATH.encode())
        for _ in range(4):
            connection.sendall(b"x" * 50_000)
            time.sleep(0.1)
        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_a_slow_client_is_left_and_keeps_nobody_waiting(tmp_path: Path, log: TestLog) -> None:
    with running(made(tmp_path), seconds=1.0) as witness:
        head = b"POST %s HTTP/1.1\r\nContent-Length: 500\r\n\r\n" % PATH.encode()
        for sent in (b"", b"POST /add", head[:-4], head + b"old 0\n"):
            with socket.create_connection(("127.0.0.1", witness.port), timeout=20) as slow:
                began = time.monotonic()
                slow.sendall(sent)
                assert witness.post(b"nonsense").status == 400
                assert slow.recv(1000) == b""
                assert 0.8 < time.monotonic() - began < 5


def test_one_byte_now_and_then_gains_no_time(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with (
        running(made(tmp_path), seconds=1.0) as witness,
        socket.create_connection(("127.0.0.1", witness.port), timeout=20) as slow,
    ):
        began = time.monotonic()
        try:
            slow.sendall(b"POST %s HTTP/1.1\r\nContent-Length: 5000\r\n\r\n" % PATH.encode())
            while time.monotonic() - began < 6:
                slow.sendall(b"o")
                time.sleep(0.01)
        except OSError:
            pass
        assert time.monotonic() - began < 5
    assert capfd.readouterr().err == ""


def test_a_moment_that_has_passed_is_no_fault(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with running(made(tmp_path), seconds=0) as witness:
        try:
            assert raw(witness, b"GET / HTTP/1.1\r\n\r\n") == b""
        except ConnectionResetError:
            pass  # it did not read what was sent
    assert capfd.readouterr().err == ""


def test_more_connections_than_it_takes_are_closed_and_then_welcome_again(
    tmp_path: Path, log: TestLog
) -> None:
    with running(made(tmp_path), seconds=20, connections=3) as witness:
        open_ones = [socket.create_connection(("127.0.0.1", witness.port), timeout=20) for _ in range(3)]
        with socket.create_connection(("127.0.0.1", witness.port), timeout=20) as one_more:
            assert one_more.recv(10) == b""
        for one in open_ones:
            one.close()
        assert served_soon(witness, log.request(0, 5)) == 200


def served_soon(witness: Running, body: bytes) -> int:
    """The status, once the server has seen that the others are gone."""
    for _ in range(100):
        try:
            return witness.post(body).status
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
    return 0


def test_the_journal_holds_no_address_and_nothing_of_strangers(
    witness: Running, log: TestLog, capfd: pytest.CaptureFixture[str]
) -> None:
    witness.post(log.request(0, 5))
    witness.post(b"old 0\n\nsecret-origin\n1\nAAAA\n\n")
    witness.send("GET", "/secret-path")
    raw(witness, b"secret bytes\r\n\r\n")
    assert capfd.readouterr().err == f"200 {ORIGIN} size 5\n"
