"""Seeing a file without having it: marked copies, their own right, one event an opening."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from PIL import Image
from werkzeug.test import TestResponse

from hub.core.ids import new_id
from hub.rendering import running
from tests.attachments.conftest import Desk, new_case, share
from tests.attachments.making import office, pdf, photograph
from tests.fixtures.world import act_as


def sent(desk: Desk, name: str, content: bytes) -> str:
    """The address of the file."""
    answer = desk.send(desk.officer(), name, content)
    assert answer.status_code == 303, answer.get_data(as_text=True)[-2000:]
    return desk.path(answer.headers["Location"].rpartition("added=")[2])


def events(desk: Desk, database: SimpleNamespace) -> list[str]:
    rows = desk.site.sql(
        database.superuser, "SELECT outcome FROM audit.event WHERE act = 'attachment.previewed' ORDER BY at"
    )
    return [row.outcome for row in rows]


def words(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def test_a_photograph_is_seen_without_its_place_and_kept_as_it_came(desk: Desk) -> None:
    path = sent(desk, "photo.jpg", photograph())
    officer = desk.officer()
    page = officer.get(f"{path}/preview")
    assert (
        page.status_code == 200
        and f'src="{path}/preview/1.png"' in words(page)
        and "photo.jpg" in words(page)
    )
    drawn = officer.get(f"{path}/preview/1.png")
    assert drawn.content_type == "image/png" and drawn.headers["Cache-Control"] == "no-store"
    assert drawn.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert drawn.headers["X-Content-Type-Options"] == "nosniff"
    assert drawn.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    shown = Image.open(io.BytesIO(drawn.get_data()))
    # upright, with the band of words below
    assert shown.width == 200 and shown.height > 320 and not shown.getexif() and shown.info == {}
    assert officer.get(path).get_data() == photograph()


def test_one_opening_is_one_event_and_each_picture_stands_on_it(
    desk: Desk, database: SimpleNamespace
) -> None:
    path, officer = sent(desk, "notice.pdf", pdf(pages=3)), desk.officer()
    assert "Page 2 of 3" in words(officer.get(f"{path}/preview?page=2"))
    for number in (1, 2, 3):
        assert officer.get(f"{path}/preview/{number}.png").status_code == 200
    assert events(desk, database) == ["ok"]
    # a picture that was asked for without its page is an opening of its own, for another user as well
    other = sent(desk, "other.pdf", pdf())
    assert officer.get(f"{other}/preview/1.png").status_code == 200
    assert desk.site.as_user("reader").get(f"{path}/preview/1.png").status_code == 200
    assert events(desk, database) == ["ok"] * 3
    desk.site.sql(
        database.superuser,
        "SET session_replication_role = replica; UPDATE audit.event SET at = at - interval '9 minutes'",
    )
    assert officer.get(f"{path}/preview/1.png").status_code == 200
    assert events(desk, database) == ["ok"] * 4


def test_pages_turn_and_end(desk: Desk) -> None:
    path, officer = sent(desk, "notice.pdf", pdf(pages=3)), desk.officer()
    first, last = words(officer.get(f"{path}/preview")), words(officer.get(f"{path}/preview?page=3"))
    assert "Next page" in first and "Previous page" not in first
    assert "Previous page" in last and "Next page" not in last
    assert officer.get(f"{path}/preview?page=4").status_code == 404
    assert officer.get(f"{path}/preview/4.png").status_code == 409
    assert officer.get(f"{path}/preview/0.png").status_code == 409


def test_text_is_shown_as_text(desk: Desk) -> None:
    path = sent(desk, "notes.txt", b"Minutes\n<script>alert(1)</script>\n" + b"line\n" * 60_000)
    page = words(desk.officer().get(f"{path}/preview"))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page and "Only the beginning is shown" in page
    assert len(page) < 300_000
    wide = sent(desk, "wide.txt", "Zofia Wróbel".encode("utf-16"))
    assert "Zofia Wróbel" in words(desk.officer().get(f"{wide}/preview"))
    old = sent(desk, "old.csv", "Café;£5".encode("cp1252"))
    assert "Café;£5" in words(desk.officer().get(f"{old}/preview"))


def test_what_is_not_shown_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    officer = desk.officer()
    letter = sent(desk, "letter.docx", office("docx"))
    page = words(officer.get(f"{letter}/preview"))
    assert "Files of this type are not shown here" in page and "Download the original" in page
    assert officer.get(f"{letter}/preview/1.png").status_code == 409
    monkeypatch.setattr("hub.attachments.previewing.MAX_SHOWN", 100)
    large = sent(desk, "photo.jpg", photograph())
    assert "larger than 64 MB" in words(officer.get(f"{large}/preview"))
    assert officer.get(f"{large}/preview/1.png").status_code == 409


def test_a_thumbnail_is_small_and_marked(desk: Desk, database: SimpleNamespace) -> None:
    path = sent(desk, "photo.jpg", photograph())
    drawn = desk.officer().get(f"{path}/preview/thumb")
    shown = Image.open(io.BytesIO(drawn.get_data()))
    assert drawn.status_code == 200 and shown.height > 320 >= shown.width
    assert events(desk, database) == ["ok"]


def test_who_may_only_read_sees_the_copy_and_not_the_original(desk: Desk) -> None:
    path, reader = sent(desk, "photo.jpg", photograph()), desk.site.as_user("reader")
    page = reader.get(f"{path}/preview")
    assert page.status_code == 200 and "Download the original" not in words(page)
    assert reader.get(f"{path}/preview/1.png").status_code == 200
    assert reader.get(path).status_code == 403
    assert f'href="{path}"' not in words(reader.get(desk.path()))


def test_the_rule_of_the_file_is_the_rule_of_its_copy(desk: Desk, database: SimpleNamespace) -> None:
    path = sent(desk, "photo.jpg", photograph())
    sergeant = desk.site.as_user("sergeant")
    ways = ("preview", "preview/1.png", "preview/thumb")
    assert [sergeant.get(f"{path}/{way}").status_code for way in ways] == [404] * 3
    share(desk.site, database.superuser, desk.case_id, "summary")
    assert [sergeant.get(f"{path}/{way}").status_code for way in ways] == [404] * 3
    assert events(desk, database) == ["denied"] * 6
    desk.site.sql(database.superuser, "UPDATE record_grant SET sections = '{summary,files}'")
    assert [sergeant.get(f"{path}/{way}").status_code for way in ways] == [200] * 3
    # a share that ends between the page and its picture ends the picture too
    desk.site.sql(
        database.superuser,
        "UPDATE record_grant SET revoked_at = now(), revoked_by = requested_by, revoked_why = 'ended'",
    )
    assert [sergeant.get(f"{path}/{way}").status_code for way in ways] == [404] * 3
    with desk.site.inside():
        other = new_case(act_as(desk.site.world, "officer"))
    key = path.rpartition("/")[2]
    for way in ways:
        assert desk.officer().get(f"/cases/{other}/files/{key}/{way}").status_code == 404
        assert desk.officer().get(desk.path(new_id(), way)).status_code == 404


def test_nothing_is_shown_before_the_scan(desk: Desk) -> None:
    desk.settings(demo=False)
    path = sent(desk, "photo.jpg", photograph())
    for way in ("preview", "preview/1.png", "preview/thumb"):
        assert desk.officer().get(f"{path}/{way}").status_code == 409


def test_where_nobody_can_look_the_page_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sent(desk, "notice.pdf", pdf())
    monkeypatch.setattr(running, "_run", lambda job, blocks: (3, b""))
    for way in ("preview", "preview/1.png"):
        answer = desk.officer().get(f"{path}/{way}")
        assert answer.status_code == 503 and "cannot open files safely" in words(answer)
    # and none is taken unseen
    refused = desk.send(desk.officer(), "photo.jpg", photograph())
    assert refused.status_code == 503 and desk.rows() == len(desk.bucket.keys()) == 1
