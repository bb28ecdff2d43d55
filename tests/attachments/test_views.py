"""Files over HTTP: up as a stream, down byte for byte, refused with a sentence."""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote
from uuid import uuid4

import pytest

from hub.core.ids import new_id
from tests.attachments.conftest import Desk, multipart, new_case, share
from tests.attachments.making import office, pdf
from tests.fixtures.site import Client
from tests.fixtures.world import act_as

PAPERS = sorted((Path(__file__).resolve().parents[3] / "shared" / "papers").glob("*.txt"))


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(range(0, 192, 3)) for _ in range(64))
    header = struct.pack(">IIBBBBB", 64, 64, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def paper() -> bytes:
    """The like of a real paper: long lines, typographic characters, form feeds."""
    line = "Minutes of the Community Safety Partnership – “Working Together” – £1,200 for Ward 3…\n"
    return (line * 700 + "\f" + "x" * 5000).encode()


FILES = [
    ("minutes.txt", paper(), "text/plain; charset=utf-8"),
    ("photo.png", png(), "image/png"),
    ("order.PDF", pdf(), "application/pdf"),
    ("figures.xlsx", office("xlsx"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (
        "letter.docx",
        office("docx"),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    ("rows.csv", "Ward;Count\nCentré;3\n".encode("cp1252"), "text/csv; charset=utf-8"),
]


def _added(location: str) -> str:
    return location.rpartition("added=")[2]


def test_a_file_comes_back_byte_for_byte(desk: Desk) -> None:
    officer = desk.officer()
    for name, content, media_type in FILES:
        _round_trip(desk, officer, name, content, media_type)


def _round_trip(desk: Desk, officer: Client, name: str, content: bytes, media_type: str) -> None:
    sent = desk.send(officer, name, content, description="As received")
    assert sent.status_code == 303, sent.get_data(as_text=True)
    page = officer.get(sent.headers["Location"]).get_data(as_text=True)
    digest = hashlib.sha256(content).hexdigest()
    for shown in (
        name,
        digest,
        "Not scanned for malware",
        "Report",
        "As received",
        "Amara Okafor",
        "Northbrook Council",
    ):
        assert shown in page
    answer = officer.get(desk.path(_added(sent.headers["Location"])))
    assert answer.status_code == 200 and answer.get_data() == content
    headers = answer.headers
    assert headers["Content-Type"] == media_type and int(headers["Content-Length"]) == len(content)
    assert headers["Content-Disposition"] == f"attachment; filename=\"{name}\"; filename*=UTF-8''{name}"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Cache-Control"] == "no-store"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.skipif(not PAPERS, reason="the partnership's own papers are not beside this checkout")
def test_real_papers_come_back_byte_for_byte(desk: Desk) -> None:
    officer = desk.officer()
    for file in PAPERS:
        sent = desk.send(officer, file.name, file.read_bytes(), kind="minutes")
        assert sent.status_code == 303
        assert officer.get(desk.path(_added(sent.headers["Location"]))).get_data() == file.read_bytes()


def test_every_step_is_an_event_with_the_files_facts(desk: Desk, database: SimpleNamespace) -> None:
    officer = desk.officer()
    key = _added(desk.send(officer, "order.pdf", pdf()).headers["Location"])
    officer.get(desk.path(key))
    events = desk.site.sql(
        database.superuser,
        "SELECT act, outcome, record_ids, convert_from(body, 'UTF8')::jsonb -> 'file' ->> 'sha256' AS sha256"
        " FROM audit.event WHERE act LIKE 'attachment.%' ORDER BY at",
    )
    assert [(row.act, row.outcome) for row in events] == [
        ("attachment.added", "ok"),
        ("attachment.downloaded", "ok"),
    ]
    assert all(row.record_ids == [desk.case_id] for row in events)
    stored = desk.site.sql(
        database.superuser, "SELECT object_key, stored_sha256, object_version FROM attachment"
    )[0]
    assert events[0].sha256 == stored.stored_sha256
    assert (
        hashlib.sha256(desk.bucket.read(stored.object_key, stored.object_version)).hexdigest()
        == stored.stored_sha256
    )


REFUSED = [
    ("setup.exe", b"MZ" + bytes(5000), 422, ".exe are not taken"),
    ("page.html", b"<!doctype html><script>1</script>", 422, ".html are not taken"),
    ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422, ".svg are not taken"),
    ("order.pdf", b"<html><script>1</script>", 422, "not what .pdf says"),
    ("order.pdf.exe", pdf(), 422, ".exe are not taken"),
    ("photo.png", pdf(), 422, "not what .png says"),
    ("notes.txt", b"MZ\x90\0" + bytes(3000), 422, "not what .txt says"),
    ("notes.txt", b"<html><body>", 422, "not what .txt says"),
    ("notes.txt", pdf(), 422, "not what .txt says"),
    ("notes.csv", b"a,b\n\0\0\0", 422, "not what .csv says"),
    ("sheet.xlsx", office("docx"), 422, "not what .xlsx says"),
    ("sheet.xlsx", office("xlsx", ("xl/vbaProject.bin", b"<a/>")), 422, "not what .xlsx says"),
    ("letter.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5000), 422, "protected by a password"),
    ("letter", b"text", 422, "has no type"),
    (".txt", b"text", 422, "has no type"),
    ("empty.txt", b"", 422, "The file is empty"),
    ("", b"", 422, "Choose a file"),
    ("/", b"text", 422, "has no name"),
    ("n" * 252 + ".txt", b"text", 422, "255 characters or fewer"),
]


def test_what_is_not_taken_is_refused_with_a_sentence_and_leaves_nothing(
    desk: Desk, database: SimpleNamespace
) -> None:
    officer = desk.officer()
    for name, content, status, sentence in REFUSED:
        answer = desk.send(officer, name, content, description="Kept text")
        page = answer.get_data(as_text=True)
        assert answer.status_code == status and sentence in page, (name, page[:3000])
        assert "Kept text" in page and "Error:" in page.partition("</title>")[0]
    assert desk.rows() == 0 and desk.bucket.keys() == []
    refused = desk.site.sql(
        database.superuser, "SELECT outcome FROM audit.event WHERE act = 'attachment.refused'"
    )
    assert [row.outcome for row in refused] == ["denied"] * len(REFUSED)


NAMES = [
    ("C:\\Users\\amara\\order.pdf", "order.pdf"),
    ("../../etc/order.pdf", "order.pdf"),
    ("Zażółć gęślą – 夜 😀.pdf", "Zażółć gęślą – 夜 😀.pdf"),
    ("fdp.\u202etxt.pdf", "fdp.txt.pdf"),
    ("a'b;c%22.pdf", "a'b;c\".pdf"),
]


def test_a_name_keeps_its_letters_and_loses_its_path(desk: Desk) -> None:
    officer = desk.officer()
    for given, kept in NAMES:
        sent = desk.send(officer, given, pdf())
        assert sent.status_code == 303, sent.get_data(as_text=True)[:2000]
        headers = officer.get(desk.path(_added(sent.headers["Location"]))).headers
        named = re.search(r"filename\*=UTF-8''(.*)$", headers["Content-Disposition"])
        assert named is not None and unquote(named.group(1)) == kept
        assert headers["Content-Disposition"].isascii()


def test_a_form_without_its_token_is_refused_before_the_file_is_read(desk: Desk) -> None:
    officer = desk.officer()
    body, content_type = multipart(
        {"csrf_token": "0" * 64, "form_key": str(uuid4()), "kind": "report"}, "a.pdf", pdf()
    )
    answer = officer.http.post(desk.path(), data=body, content_type=content_type)
    assert answer.status_code == 400 and desk.rows() == 0 and desk.bucket.keys() == []
    foreign = officer.http.post(
        desk.path(), data=body, content_type=content_type, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert foreign.status_code == 400


def test_the_same_form_sent_twice_attaches_once(desk: Desk) -> None:
    officer = desk.officer()
    key = str(uuid4())
    first = desk.send(officer, "a.pdf", pdf(), key=key)
    second = desk.send(officer, "a.pdf", pdf(), key=key)
    assert first.status_code == second.status_code == 303
    assert first.headers["Location"] == second.headers["Location"]
    assert desk.rows() == 1 and len(desk.bucket.keys()) == 1


def test_a_file_over_the_limit_is_refused_by_its_length_and_by_its_count(desk: Desk) -> None:
    desk.settings(upload_mib=1)
    officer = desk.officer()
    for size in (1024 * 1024 + 1, 3 * 1024 * 1024):
        answer = desk.send(officer, "big.txt", b"x" * size)
        assert answer.status_code == 413 and "must be 1 MB or smaller" in answer.get_data(as_text=True)
    assert desk.send(officer, "fits.txt", b"x" * 1024 * 1024).status_code == 303
    assert desk.rows() == 1 and len(desk.bucket.keys()) == 1


def test_a_body_shorter_than_it_said_is_refused(desk: Desk) -> None:
    officer = desk.officer()
    form = {"csrf_token": officer.csrf, "form_key": str(uuid4()), "kind": "report"}
    body, content_type = multipart(form, "a.txt", b"x" * 200_000)
    for length in (len(body) + 1000, len(body) - 5000):
        answer = officer.http.post(
            desk.path(),
            data=body,
            content_type=content_type,
            environ_overrides={"CONTENT_LENGTH": str(length)},
        )
        assert answer.status_code in (400, 422), answer.status_code
    assert desk.rows() == 0


def test_the_form_says_what_is_missing(desk: Desk) -> None:
    officer = desk.officer()
    answer = desk.send(officer, "a.pdf", pdf(), kind="", marking="7", description="d" * 2001)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    for sentence in ("Select what kind of file it is", "Select a marking", "2,000 characters or fewer"):
        assert sentence in page


def test_a_file_of_one_case_is_not_found_under_another(desk: Desk, database: SimpleNamespace) -> None:
    officer = desk.officer()
    key = _added(desk.send(officer, "a.pdf", pdf()).headers["Location"])
    with desk.site.inside():
        other = new_case(act_as(desk.site.world, "officer"))
    assert officer.get(f"/cases/{other}/files/{key}").status_code == 404
    assert officer.get(desk.path(new_id())).status_code == 404
    stranger = desk.site.as_user("sergeant")
    assert stranger.get(desk.path(key)).status_code == 404
    denied = desk.site.sql(
        database.superuser,
        "SELECT count(*) FROM audit.event WHERE act = 'attachment.downloaded' AND outcome = 'denied' AND record_ids = '{}'",
    )
    assert denied[0][0] == 3


def test_a_share_opens_files_only_with_their_section(desk: Desk, database: SimpleNamespace) -> None:
    key = _added(desk.send(desk.officer(), "a.pdf", pdf()).headers["Location"])
    share(desk.site, database.superuser, desk.case_id, "summary")
    sergeant = desk.site.as_user("sergeant")
    assert sergeant.get(desk.path()).status_code == 404
    assert sergeant.get(desk.path(key)).status_code == 404
    desk.site.sql(database.superuser, "UPDATE record_grant SET sections = '{summary,files}'")
    assert sergeant.get(desk.path(key)).get_data() == pdf()
    page = sergeant.get(desk.path()).get_data(as_text=True)
    assert "a.pdf" in page and "Attach a file" not in page
    assert desk.send(sergeant, "b.pdf", pdf()).status_code == 403


def test_a_partner_who_may_add_files_does_and_the_lead_is_told(desk: Desk, database: SimpleNamespace) -> None:
    share(desk.site, database.superuser, desk.case_id, "summary", "files", may_contribute=True)
    sergeant = desk.site.as_user("sergeant")
    sent = desk.send(sergeant, "b.pdf", pdf())
    assert sent.status_code == 303, sent.get_data(as_text=True)[:2000]
    told = desk.officer().get("/notifications").get_data(as_text=True)
    assert "A file was added by another organisation" in told
    # after the share has ended, what one's own organisation contributed stays readable
    desk.site.sql(
        database.superuser,
        "UPDATE record_grant SET revoked_at = now(), revoked_by = requested_by, revoked_why = 'ended'",
    )
    assert sergeant.get(desk.path(_added(sent.headers["Location"]))).get_data() == pdf()


def test_a_reader_has_no_form_and_no_right(desk: Desk) -> None:
    reader = desk.site.as_user("reader")
    assert "Attach a file" not in reader.get(desk.path()).get_data(as_text=True)
    assert desk.send(reader, "a.pdf", pdf()).status_code == 403
    assert desk.rows() == 0


def test_outside_a_demonstration_a_file_waits_for_its_scan(desk: Desk) -> None:
    desk.settings(demo=False)
    officer = desk.officer()
    sent = desk.send(officer, "a.pdf", pdf())
    page = officer.get(sent.headers["Location"]).get_data(as_text=True)
    assert "Waiting for the malware scan" in page and "New files wait for the malware scan" in page
    answer = officer.get(desk.path(_added(sent.headers["Location"])))
    assert answer.status_code == 409 and pdf() not in answer.get_data()


def test_a_closed_case_takes_no_file(desk: Desk, database: SimpleNamespace) -> None:
    desk.site.sql(
        database.superuser,
        "UPDATE case_record SET status = 'closed', closed_at = now(), closure_reason = 'other' WHERE id = :id",
        id=desk.case_id,
    )
    answer = desk.send(desk.officer(), "a.pdf", pdf())
    assert answer.status_code == 409 and "closed" in answer.get_data(as_text=True)
    assert desk.rows() == 0 and desk.bucket.keys() == []


def test_asking_only_for_the_headers_of_a_file_is_a_download_that_sends_nothing(
    desk: Desk, database: SimpleNamespace
) -> None:
    officer = desk.officer()
    key = _added(desk.send(officer, "a.pdf", pdf()).headers["Location"])
    answer = officer.http.head(desk.path(key))
    assert answer.status_code == 200 and answer.get_data() == b""
    assert int(answer.headers["Content-Length"]) == len(pdf())
    acts = desk.site.sql(
        database.superuser, "SELECT count(*) FROM audit.event WHERE act = 'attachment.downloaded'"
    )
    assert acts[0][0] == 1


def test_pages_of_files_turn_without_loss(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.attachments.queries.PAGE_SIZE", 2)
    officer = desk.officer()
    names = [f"paper {number}.pdf" for number in range(5)]
    for name in names:
        assert desk.send(officer, name, pdf()).status_code == 303
    seen: list[str] = []
    address = desk.path()
    while address:
        page = officer.get(address).get_data(as_text=True)
        seen += re.findall(r">(paper \d\.pdf)</a>", page)
        address = next(iter(re.findall(r'href="(/cases/[^"]+/files\?after=[^"]+)"', page)), "")
    assert seen == names[::-1]
