"""Uploads over a real line, to a real store: cut off, lying about their length, sent twice at once. No row without its object."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.serving import BaseWSGIServer, make_server

from hub.extensions import db
from hub.web.identity import COOKIE
from tests.attachments.conftest import Desk, multipart
from tests.conftest import settings_for
from tests.fixtures.applications import application_for
from tests.fixtures.site import Client, Site
from tests.fixtures.store import Bucket
from tests.fixtures.world import World

BIG = b"Words of a report. " * 120_000  # over two megabytes: many blocks


@pytest.fixture
def desk(database: SimpleNamespace, root_key_file: Path, world: World, bucket: Bucket) -> Iterator[Desk]:
    app = application_for(settings_for(database.app, root_key_file, demo=True, **bucket.settings()))
    yield Desk(Site(app, world), bucket)
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def server(desk: Desk) -> Iterator[BaseWSGIServer]:
    """The site on a port of its own, so that lines can really be cut."""
    made = make_server("127.0.0.1", 0, desk.site.app, threaded=True)
    serving = threading.Thread(target=made.serve_forever)
    serving.start()
    yield made
    made.shutdown()
    serving.join()
    made.server_close()


def request_of(desk: Desk, client: Client, content: bytes, *, key: str, length: int | None = None) -> bytes:
    form = {"csrf_token": client.csrf, "form_key": key, "kind": "report", "description": ""}
    body, content_type = multipart(form, "report.txt", content)
    cookie = client.http.get_cookie(COOKIE)
    assert cookie is not None
    head = (
        f"POST {desk.path()} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {COOKIE}={cookie.value}\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {len(body) if length is None else length}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body


def send(server: BaseWSGIServer, request: bytes, *, cut: bool = False, half: bool = False) -> bytes:
    """The answer to raw bytes; `cut` drops the line, `half` stops sending and waits for what is said."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as line:
        try:
            line.sendall(request)
            if cut:
                linger = b"\x01\0\0\0\0\0\0\0"  # a reset, as when the network goes
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                return b""
            if half:
                line.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        answer = b""
        try:
            while block := line.recv(65_536):
                answer += block
        except OSError:
            pass
        return answer


def settled(desk: Desk, database: SimpleNamespace) -> tuple[int, int]:
    """Rows and objects, once nothing is under way any more."""
    until = time.monotonic() + 15
    while time.monotonic() < until:
        busy = desk.site.sql(
            database.superuser,
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'"
            " AND pid <> pg_backend_pid()",
        )[0][0]
        found = desk.rows(), len(desk.bucket.keys())
        if not busy and found[0] == found[1]:
            return found
        time.sleep(0.1)
    return desk.rows(), len(desk.bucket.keys())


@pytest.mark.parametrize("share", [0.02, 0.5, 0.999])
def test_a_line_cut_in_the_middle_of_a_file_leaves_neither_row_nor_object(
    desk: Desk, server: BaseWSGIServer, database: SimpleNamespace, share: float
) -> None:
    client, key = desk.officer(), str(uuid4())
    whole = request_of(desk, client, BIG, key=key)
    send(server, whole[: int(len(whole) * share)], cut=True)
    time.sleep(0.3)
    assert settled(desk, database) == (0, 0)
    # the same form, sent again over a better line, is taken: its key was not used up
    assert send(server, whole).startswith(b"HTTP/1.1 303")
    assert settled(desk, database) == (1, 1)


def test_a_length_that_lies_is_told_and_leaves_nothing(
    desk: Desk, server: BaseWSGIServer, database: SimpleNamespace
) -> None:
    client = desk.officer()
    for length in (len(BIG) * 2, 10, 0, 10**15):
        answer = send(server, request_of(desk, client, BIG, key=str(uuid4()), length=length), half=True)
        status = answer.split(b" ", 2)[1:2]
        assert status and status[0][:1] == b"4", (length, answer[:200])
        assert b"Traceback" not in answer and b"hub-" in answer
    for said in ("-1", "abc", "9" * 40, "+5", "1e9"):
        raw = request_of(desk, client, b"words", key=str(uuid4())).split(b"Content-Length: ", 1)
        request = raw[0] + b"Content-Length: " + said.encode() + b"\r\n" + raw[1].split(b"\r\n", 1)[1]
        answer = send(server, request, half=True)
        assert answer[9:10] == b"4" or not answer, (said, answer[:200])
        assert b"Traceback" not in answer
    assert settled(desk, database) == (0, 0)


def test_two_at_once_of_one_name_are_two_files_and_of_one_form_are_one(
    desk: Desk, server: BaseWSGIServer, database: SimpleNamespace
) -> None:
    client, key = desk.officer(), str(uuid4())
    forms = [request_of(desk, client, BIG, key=str(uuid4())) for _ in range(2)]
    assert [answer[9:12] for answer in at_once(server, forms)] == [b"303", b"303"]
    assert settled(desk, database) == (2, 2)
    answers = at_once(server, [request_of(desk, client, BIG, key=key)] * 3)
    assert [answer[9:12] for answer in answers] == [b"303"] * 3
    assert desk.rows() == 3
    page = client.get(desk.path()).get_data(as_text=True)
    assert page.count(">report.txt<") == 3 or page.count("report.txt") >= 3


def at_once(server: BaseWSGIServer, requests: list[bytes]) -> list[bytes]:
    answers: list[bytes] = []
    sending = [threading.Thread(target=lambda one=one: answers.append(send(server, one))) for one in requests]
    for one in sending:
        one.start()
    for one in sending:
        one.join()
    return answers


WRONG: list[tuple[str, bytes, str]] = [
    ("a.txt\0.exe", b"words", "400"),
    ("a.exe", b"MZ", "422"),
    ("page.html", b"<script>", "422"),
    ("picture.svg", b"<svg onload=x>", "422"),
    ("report.pdf", b"no pdf at all", "422"),
    ("report.pdf.exe", b"%PDF-1.7", "422"),
    ("../../../etc/passwd", b"root:x", "422"),
    ("report.txt", b"", "422"),
    ("", b"words", "422"),
    ("report.txt" + "x" * 2000, b"words", "400"),
    ("\r\nX: y.txt", b"words", "422"),
]


def test_files_that_are_not_taken_say_why_and_leave_nothing(desk: Desk, database: SimpleNamespace) -> None:
    client, wrong = desk.officer(), []
    for name, content, status in WRONG:
        answer = desk.send(client, name, content)
        page = answer.get_data(as_text=True)
        if str(answer.status_code) != status or "govuk-error-summary" not in page or "Traceback" in page:
            wrong.append((name, answer.status_code))
    assert wrong == []
    assert settled(desk, database) == (0, 0)


def test_bodies_that_are_no_upload_are_refused_by_a_page_of_ours(
    desk: Desk, database: SimpleNamespace
) -> None:
    client = desk.officer()
    right = {"csrf_token": client.csrf, "form_key": str(uuid4()), "kind": "report", "description": ""}
    body, content_type = multipart(right, "a.txt", b"words")
    bodies: list[tuple[bytes, str]] = [
        (b"csrf_token=" + client.csrf.encode(), "application/x-www-form-urlencoded"),
        (b'{"file": "x"}', "application/json"),
        (body, "multipart/form-data"),
        (body, "multipart/form-data; boundary=other"),
        (body[: len(body) // 2], content_type),
        (b"", content_type),
        (body.replace(b'name="kind"', b'name="csrf_token"'), content_type),
        (body.replace(b"report\r\n", b"re\xffport\r\n", 1), content_type),
        (body.replace(b"report\r\n", b"re\0port\r\n", 1), content_type),
        (body.replace(b'name="kind"', b'name="kind\0"'), content_type),
    ]
    for sent, kind in bodies:
        answer: Any = client.http.post(desk.path(), data=sent, content_type=kind)
        page = answer.get_data(as_text=True)
        assert 400 <= answer.status_code < 500, (kind, sent[:80], answer.status_code)
        assert "govuk-error-summary" in page or "hub-error-page" in page
    for field, value, status in (
        ("marking", "9", 422),
        ("marking", "1", 303),
        ("kind", "x", 422),
        ("form_key", "x", 422),
    ):
        assert desk.send(client, "a.txt", b"words", **{field: value}).status_code == status, (field, value)
    assert settled(desk, database) == (1, 1)
