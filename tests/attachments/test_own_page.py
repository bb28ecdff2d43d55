"""One file's page, its details, versions, hiding: only its own organisation changes it, and nothing is lost."""

from __future__ import annotations

import re
from types import SimpleNamespace
from uuid import uuid4

import pytest

from tests.attachments.conftest import Desk, multipart, share
from tests.attachments.test_views import pdf, png
from tests.fixtures.site import Client


@pytest.fixture
def key(desk: Desk) -> str:
    """A file of the officer's."""
    sent = desk.send(
        desk.officer(),
        "photo.png",
        png(),
        kind="photo",
        source="Warden's camera",
        exhibit="AO/1",
        **{"taken_on-year": "2026", "taken_on-month": "3"},
    )
    return sent.headers["Location"].rpartition("added=")[2]


def details(revision: int = 1, **changes: str) -> dict[str, str]:
    return {"kind": "photo", "description": "", "section": "files", "revision": str(revision), **changes}


def replace(
    desk: Desk, client: Client, key: str, content: bytes, reason: str = "Sharper", name: str = "new.png"
):  # type: ignore[no-untyped-def]
    form = {"csrf_token": client.csrf, "form_key": str(uuid4()), "reason": reason}
    body, content_type = multipart(form, name, content)
    return client.http.post(desk.path(key, "replace"), data=body, content_type=content_type)


def acts(desk: Desk, superuser: str) -> list[tuple[str, str]]:
    rows = desk.site.sql(
        superuser,
        "SELECT act, outcome FROM audit.event WHERE act LIKE 'attachment.%' OR act LIKE 'hold.%' ORDER BY at, id",
    )
    return [(row.act, row.outcome) for row in rows]


def test_all_that_is_known_of_a_file_is_on_its_page(desk: Desk, database: SimpleNamespace, key: str) -> None:
    page = desk.officer().get(desk.path(key, "about")).get_data(as_text=True)
    for shown in ("photo.png", "March 2026", "AO/1", "Amara Okafor", "Everyone who sees this part", "Photo"):
        assert shown in page
    assert re.search(r"[0-9a-f]{64}", page)
    assert acts(desk, database.superuser)[-1] == ("attachment.opened", "ok")


def test_the_event_of_a_file_tells_the_fingerprint_of_the_original(
    desk: Desk, database: SimpleNamespace, key: str
) -> None:
    row = desk.site.sql(
        database.superuser,
        "SELECT a.sha256, convert_from(e.body, 'UTF8')::jsonb -> 'facts' ->> 'original' AS told"
        " FROM attachment a JOIN audit.event e ON e.object_id = a.id WHERE e.act = 'attachment.added'",
    )[0]
    assert row.sha256 == row.told


def test_strangers_find_no_page_and_the_try_is_written_down(
    desk: Desk, database: SimpleNamespace, key: str
) -> None:
    for path in (desk.path(key, "about"), desk.path(uuid4(), "about")):
        assert desk.site.as_user("sergeant").get(path).status_code == 404
    assert acts(desk, database.superuser)[-1] == ("attachment.opened", "denied")
    share(desk.site, database.superuser, desk.case_id, "summary", "chronology")
    assert desk.site.as_user("sergeant").get(desk.path(key, "about")).status_code == 404


def test_a_file_in_another_part_follows_the_share_of_that_part(
    desk: Desk, database: SimpleNamespace, key: str
) -> None:
    officer, sergeant = desk.officer(), desk.site.as_user("sergeant")
    share(desk.site, database.superuser, desk.case_id, "summary", "files")
    assert sergeant.get(desk.path(key, "about")).status_code == 200
    assert officer.post(desk.path(key, "edit"), details(section="health")).status_code == 303
    assert sergeant.get(desk.path(key, "about")).status_code == 404
    assert "photo.png" not in sergeant.get(desk.path()).get_data(as_text=True)
    assert "photo.png" in officer.get(desk.path()).get_data(as_text=True)


def test_a_change_is_written_with_before_and_after(desk: Desk, database: SimpleNamespace, key: str) -> None:
    officer = desk.officer()
    sent = officer.post(desk.path(key, "edit"), details(description="The north gate", exhibit="AO/2"))
    assert sent.status_code == 303
    page = officer.get(desk.path(key, "about")).get_data(as_text=True)
    assert "The north gate" in page and "AO/2" in page and "March 2026" not in page
    names = desk.site.sql(
        database.superuser,
        "SELECT t.name FROM audit.event_text t JOIN audit.event e ON e.id = t.event_id"
        " WHERE e.act = 'attachment.changed' ORDER BY 1",
    )
    assert [row.name for row in names] == [
        "change_description",
        "change_exhibit",
        "change_source",
        "change_taken_on",
    ]


def test_a_change_from_an_old_page_is_refused(desk: Desk, key: str) -> None:
    officer = desk.officer()
    assert officer.post(desk.path(key, "edit"), details(description="First")).status_code == 303
    assert officer.post(desk.path(key, "edit"), details(description="Second")).status_code == 409
    assert "First" in officer.get(desk.path(key, "about")).get_data(as_text=True)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"kind": "spell"}, "Select what kind"),
        ({"section": "people"}, "Select a part of the case"),
        ({"audience": "police_only"}, "You would not see it yourself"),
        ({"audience": "organisations"}, "Select who may see it from the list"),
        ({"taken_on-year": "2126"}, "must not be in the future"),
        ({"exhibit": "x" * 101}, "100 characters or fewer"),
    ],
)
def test_a_wrong_detail_is_told_and_changes_nothing(
    desk: Desk, key: str, changes: dict[str, str], sentence: str
) -> None:
    officer = desk.officer()
    answer = officer.post(desk.path(key, "edit"), details(**changes))
    assert answer.status_code == 422 and sentence in answer.get_data(as_text=True)
    assert "AO/1" in officer.get(desk.path(key, "about")).get_data(as_text=True)


def test_a_partner_may_read_a_file_but_not_change_it(desk: Desk, database: SimpleNamespace, key: str) -> None:
    share(desk.site, database.superuser, desk.case_id, "summary", "files", may_contribute=True)
    sergeant = desk.site.as_user("sergeant")
    page = sergeant.get(desk.path(key, "about")).get_data(as_text=True)
    assert "Change its details" not in page and "Hide it" not in page and "Who has had to do" not in page
    assert sergeant.get(desk.path(key, "edit")).status_code == 403
    assert sergeant.post(desk.path(key, "edit"), details()).status_code == 403
    assert sergeant.post(desk.path(key, "hide"), {"reason": "x", "revision": "1"}).status_code == 403
    assert replace(desk, sergeant, key, png()).status_code == 403
    # nor does the lead what the partner added
    sent = desk.send(sergeant, "log.txt", b"words")
    own = sent.headers["Location"].rpartition("added=")[2]
    assert desk.officer().post(desk.path(own, "hide"), {"reason": "x", "revision": "1"}).status_code == 403
    assert sergeant.post(desk.path(own, "hide"), {"reason": "x", "revision": "1"}).status_code == 303


def test_a_replacement_takes_its_place_and_the_old_one_stays_as_it_was(
    desk: Desk, database: SimpleNamespace, key: str
) -> None:
    officer = desk.officer()
    sent = replace(desk, officer, key, pdf(), name="new.pdf")
    assert sent.status_code == 303
    page = officer.get(sent.headers["Location"]).get_data(as_text=True)
    assert "Sharper" in page and "photo.png" in page and "AO/1" in page
    files = officer.get(desk.path()).get_data(as_text=True)
    assert "new.pdf" in files and "photo.png" not in files and "version 2" in files
    new = sent.headers["Location"].split("/")[-2]
    assert officer.get(desk.path(new)).get_data() == pdf()
    assert officer.get(desk.path(key)).get_data() == png()
    old_page = officer.get(desk.path(key, "about")).get_data(as_text=True)
    assert "has replaced it" in old_page and "Replace it" not in old_page
    assert ("attachment.replaced", "ok") in acts(desk, database.superuser)


def test_a_file_is_replaced_once(desk: Desk, key: str) -> None:
    officer = desk.officer()
    assert replace(desk, officer, key, png()).status_code == 303
    second = replace(desk, officer, key, png())
    assert second.status_code == 409 and "replaced this file already" in second.get_data(as_text=True)
    assert desk.rows() == 2


def test_a_replacement_needs_a_reason(desk: Desk, key: str) -> None:
    answer = replace(desk, desk.officer(), key, png(), reason=" ")
    assert answer.status_code == 422 and "Write why" in answer.get_data(as_text=True)
    assert desk.rows() == 1


def test_a_hidden_file_leaves_the_list_and_comes_back(
    desk: Desk, database: SimpleNamespace, key: str
) -> None:
    share(desk.site, database.superuser, desk.case_id, "summary", "files")
    officer, sergeant = desk.officer(), desk.site.as_user("sergeant")
    without = officer.post(desk.path(key, "hide"), {"reason": "", "revision": "1"})
    assert without.status_code == 422 and "Write why" in without.get_data(as_text=True)
    assert officer.post(desk.path(key, "hide"), {"reason": "Wrong case", "revision": "1"}).status_code == 303
    for reader in (officer, sergeant):
        assert "photo.png" not in reader.get(desk.path()).get_data(as_text=True)
    assert "photo.png" in officer.get(f"{desk.path()}?hidden=yes").get_data(as_text=True)
    assert "photo.png" not in sergeant.get(f"{desk.path()}?hidden=yes").get_data(as_text=True)
    assert "Wrong case" in officer.get(desk.path(key, "about")).get_data(as_text=True)
    assert sergeant.get(desk.path(key, "about")).status_code == 404
    assert officer.get(desk.path(key)).status_code == 409
    assert sergeant.get(desk.path(key)).status_code == 404
    assert replace(desk, officer, key, png()).status_code == 409
    assert officer.post(desk.path(key, "restore"), {"reason": "Right", "revision": "2"}).status_code == 303
    assert sergeant.get(desk.path(key)).get_data() == png()
    assert [act for act, _ in acts(desk, database.superuser) if "hid" in act or "rest" in act] == [
        "attachment.hidden",
        "attachment.restored",
    ]


def hold(desk: Desk, superuser: str) -> str:
    return str(desk.site.sql(superuser, "SELECT id FROM legal_hold")[0].id)


def test_a_hold_keeps_a_file_in_the_list_and_two_lift_it(
    desk: Desk, database: SimpleNamespace, key: str
) -> None:
    officer, manager = desk.officer(), desk.site.as_user("manager")
    holds = f"/cases/{desk.case_id}/holds"
    assert officer.post(desk.path(key, "hold"), {"reason": "Court"}).status_code == 403
    assert manager.post(desk.path(key, "hold"), {"reason": "Court"}).status_code == 303
    assert manager.post(desk.path(key, "hold"), {"reason": "Court"}).status_code == 409
    assert "Legal hold" in officer.get(desk.path()).get_data(as_text=True)
    assert "Court" in officer.get(desk.path(key, "about")).get_data(as_text=True)
    refused = officer.post(desk.path(key, "hide"), {"reason": "x", "revision": "1"})
    assert refused.status_code == 409 and "legal hold" in refused.get_data(as_text=True)
    one = hold(desk, database.superuser)
    assert manager.post(f"{holds}/{one}/lift").status_code == 409
    assert manager.post(f"{holds}/{one}/ask", {"reason": "Trial over"}).status_code == 303
    own = manager.post(f"{holds}/{one}/lift")
    assert own.status_code == 403 and "somebody else must agree" in own.get_data(as_text=True)
    make_supervisor(desk, database.superuser, "officer")
    second = desk.officer()
    assert second.post(f"{holds}/{one}/lift").status_code == 303
    assert second.post(desk.path(key, "hide"), {"reason": "x", "revision": "1"}).status_code == 303


def make_supervisor(desk: Desk, superuser: str, user: str) -> None:
    desk.site.sql(
        superuser,
        "INSERT INTO role_holding SELECT (jsonb_populate_record(old, jsonb_build_object('id', gen_random_uuid(),"
        " 'role', 'supervisor'))).* FROM role_holding old WHERE old.user_id = :user AND old.role = 'practitioner'",
        user=desk.site.world.users[user],
    )


def test_a_hold_on_the_case_binds_a_partner_who_lost_the_share(desk: Desk, database: SimpleNamespace) -> None:
    share(desk.site, database.superuser, desk.case_id, "summary", "files", may_contribute=True)
    sergeant = desk.site.as_user("sergeant")
    own = desk.send(sergeant, "log.txt", b"words").headers["Location"].rpartition("added=")[2]
    manager = desk.site.as_user("manager")
    assert manager.post(f"/cases/{desk.case_id}/holds", {"reason": "Trial in May"}).status_code == 303
    page = sergeant.get(desk.path()).get_data(as_text=True)
    assert "Legal hold on the whole case" in page and "Trial in May" not in page
    desk.site.sql(
        database.superuser,
        "UPDATE record_grant SET starts_at = now() - interval '9 days', ends_at = now() - interval '1 minute'",
    )
    assert sergeant.post(desk.path(own, "hide"), {"reason": "x", "revision": "1"}).status_code == 409


def test_the_database_itself_wants_two_people(desk: Desk, database: SimpleNamespace, key: str) -> None:
    desk.site.as_user("manager").post(desk.path(key, "hold"), {"reason": "Court"})
    with pytest.raises(Exception, match="ck_legal_hold_two_people"):
        desk.site.sql(
            database.superuser,
            "UPDATE legal_hold SET lift_asked_at = now(), lift_asked_by = placed_by, lifted_at = now(), lifted_by = placed_by",
        )


def test_a_partner_places_no_hold(desk: Desk, database: SimpleNamespace, key: str) -> None:
    share(desk.site, database.superuser, desk.case_id, "summary", "files")
    make_supervisor(desk, database.superuser, "sergeant")
    sergeant = desk.site.as_user("sergeant")
    assert sergeant.post(desk.path(key, "hold"), {"reason": "Court"}).status_code == 403
    east = desk.site.as_user("east_officer")
    assert east.get(desk.path(key, "about")).status_code == 404
