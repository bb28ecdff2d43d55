"""Several files in one form: each kept by itself, told by its name, and never twice."""

from __future__ import annotations

import json
from types import SimpleNamespace
from uuid import uuid4

from tests.attachments.conftest import Desk
from tests.attachments.test_views import png
from tests.fixtures.site import Client


def body(files: list[tuple[str, bytes]], form: dict[str, str], *, cut: int = 0) -> tuple[bytes, str]:
    mark = f"----hub{uuid4().hex}"
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in form.items()
    ]
    for name, content in files:
        head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        parts += [head.encode(), content, b"\r\n"]
    whole = b"".join(parts) + f"--{mark}--\r\n".encode()
    return whole[: len(whole) - cut], f"multipart/form-data; boundary={mark}"


def send(
    desk: Desk,
    client: Client,
    files: list[tuple[str, bytes]],
    *,
    key: str = "",
    accept: str = "",
    cut: int = 0,
):  # type: ignore[no-untyped-def]
    form = {"csrf_token": client.csrf, "form_key": key or str(uuid4()), "kind": "photo"}
    sent, content_type = body(files, form, cut=cut)
    # what is declared is what would have come
    length = len(sent) + cut
    headers = {"Accept": accept} if accept else {}
    return client.http.post(
        desk.path(),
        data=sent,
        content_type=content_type,
        headers=headers,
        environ_overrides={"CONTENT_LENGTH": str(length)},
    )


def refusals(desk: Desk, superuser: str) -> list[str]:
    rows = desk.site.sql(
        superuser,
        "SELECT convert_from(body, 'UTF8')::jsonb -> 'facts' ->> 'why' AS why FROM audit.event"
        " WHERE act = 'attachment.refused' ORDER BY at",
    )
    return [row.why for row in rows]


THREE = [("one.png", png()), ("two.png", png()), ("two.png", png() + b"\0")]


def test_three_files_are_three_rows_and_three_events(desk: Desk, database: SimpleNamespace) -> None:
    officer = desk.officer()
    sent = send(desk, officer, THREE)
    assert sent.status_code == 303 and desk.rows() == 3
    page = officer.get(sent.headers["Location"]).get_data(as_text=True)
    assert "3 files are attached" in page
    events = desk.site.sql(
        database.superuser,
        "SELECT count(*) AS n FROM audit.event WHERE act = 'attachment.added' AND outcome = 'ok'",
    )
    assert events[0].n == 3


def test_what_is_refused_is_told_by_name_and_the_others_stay(desk: Desk, database: SimpleNamespace) -> None:
    officer = desk.officer()
    sent = send(desk, officer, [THREE[0], ("bad.exe", b"MZ" + bytes(3000)), THREE[1]])
    page = sent.get_data(as_text=True)
    assert sent.status_code == 422 and desk.rows() == 2
    assert "bad.exe" in page and ".exe are not taken" in page and page.count("Not attached") == 1
    assert refusals(desk, database.superuser) == ["file_type"]


def test_one_that_is_too_large_does_not_take_the_next_with_it(desk: Desk) -> None:
    desk.settings(upload_mib=1)
    officer = desk.officer()
    large = png() + bytes(1024 * 1024 + 1)
    sent = send(desk, officer, [THREE[0], ("large.png", large), THREE[1]])
    assert sent.status_code == 413 and desk.rows() == 2
    assert "large.png: The file must be 1 MB or smaller" in sent.get_data(as_text=True)


def test_a_repeat_adds_nothing(desk: Desk) -> None:
    officer, key = desk.officer(), str(uuid4())
    first, second = send(desk, officer, THREE, key=key), send(desk, officer, THREE, key=key)
    assert first.headers["Location"] == second.headers["Location"] and desk.rows() == 3


def test_after_a_cut_line_the_repeat_adds_what_was_missing(desk: Desk) -> None:
    officer, key = desk.officer(), str(uuid4())
    cut = send(desk, officer, THREE, key=key, cut=len(THREE[2][1]))
    assert cut.status_code == 400 and desk.rows() == 2
    assert send(desk, officer, THREE, key=key).status_code == 303 and desk.rows() == 3


def test_another_file_under_a_used_key_is_not_taken_for_the_first(desk: Desk) -> None:
    officer, key = desk.officer(), str(uuid4())
    send(desk, officer, [*THREE[:2], ("bad.exe", b"MZ" + bytes(3000))], key=key)
    again = send(desk, officer, [("one.png", png() + b"other"), THREE[1]], key=key)
    assert again.status_code == 409 and "it is another one" in again.get_data(as_text=True)
    assert desk.rows() == 2


def test_a_wrong_field_keeps_none_of_them(desk: Desk) -> None:
    officer = desk.officer()
    sent, content_type = body(
        THREE, {"csrf_token": officer.csrf, "form_key": str(uuid4()), "kind": "", "source": "Mrs Vale"}
    )
    answer = officer.http.post(desk.path(), data=sent, content_type=content_type)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422 and desk.rows() == 0
    assert "Select what kind of file it is" in page and "Mrs Vale" in page


def test_a_program_is_told_in_json(desk: Desk) -> None:
    officer = desk.officer()
    kept = send(desk, officer, THREE[:1], accept="application/json")
    assert kept.status_code == 200
    told = json.loads(kept.get_data())
    assert told["files"][0]["name"] == "one.png" and told["files"][0]["id"] and not told["errors"]
    refused = send(desk, officer, [("bad.exe", b"MZ")], accept="application/json")
    assert refused.status_code == 422
    assert ".exe" in json.loads(refused.get_data())["files"][0]["why"]


def test_more_than_fifty_are_refused_after_the_fiftieth(desk: Desk) -> None:
    officer = desk.officer()
    sent = send(desk, officer, [("bad.exe", b"MZ")] * 51)
    page = sent.get_data(as_text=True)
    assert sent.status_code == 422 and page.count("Not attached") == 50
    assert "Choose 50 files or fewer at once" in page and "or smaller" not in page
