"""The pages of an erasure: asked for from the case, decided by a second person, and what stands there afterwards."""

from __future__ import annotations

import html
import re

from tests.erasures.conftest import CANARY, Scene


def text_of(answer: object) -> str:
    return html.unescape(re.sub(r"\s+", " ", answer.get_data(as_text=True)))  # type: ignore[attr-defined]


def test_from_the_case_to_its_end(scene: Scene) -> None:
    manager, second = scene.site.as_user("manager"), scene.site.as_user("reader")
    base = f"/cases/{scene.case_id}"
    assert f"{base}/erase" in manager.get(base).get_data(as_text=True)
    first = text_of(manager.get(f"{base}/erase"))
    assert "Under what is it erased?" in first
    assert manager.post(f"{base}/erase", {}).status_code == 422
    check = text_of(manager.post(f"{base}/erase", {"ground": "retention_over"}))
    assert "are erased for good, for everybody" in check and "Ask for the erasure" in check
    assert manager.post(f"{base}/erase/ask", {"ground": "retention_over"}).status_code == 303
    assert "has been asked for" in text_of(manager.get(f"{base}/erase"))

    found = scene.sql("SELECT id FROM record_erasure")[0].id
    assert f"/erasures/{found}" in second.get("/erasures").get_data(as_text=True)
    assert "You asked for this yourself" in text_of(manager.get(f"/erasures/{found}"))
    assert manager.post(f"/erasures/{found}/approve").status_code == 403
    one = text_of(second.get(f"/erasures/{found}"))
    assert "erased at once and for good" in one and CANARY not in one
    assert second.post(f"/erasures/{found}/approve").status_code == 303

    for user in ("manager", "officer", "sergeant"):
        visitor = scene.site.as_user(user)
        for path in ("", "/log", "/files", f"/files/{scene.file_id}", "/people"):
            answer = visitor.get(f"{base}{path}")
            page = text_of(answer)
            assert answer.status_code == 410, (user, path)
            assert "was erased" in page and "under the retention schedule" in page and CANARY not in page
    # the contributor's own way to what he wrote ends as plainly
    own = scene.site.as_user("officer").get(f"/contributed/{scene.file_id}")
    assert own.status_code in (404, 410) and CANARY not in text_of(own)
    assert scene.site.as_user("officer").post(f"{base}/log", {"text": "After"}).status_code == 410
    assert "Erased" in text_of(second.get("/erasures"))


def test_a_refusal_leaves_the_case(scene: Scene) -> None:
    manager, second = scene.site.as_user("manager"), scene.site.as_user("reader")
    base = f"/cases/{scene.case_id}"
    manager.post(f"{base}/erase/ask", {"ground": "court_order"})
    found = scene.sql("SELECT id FROM record_erasure")[0].id
    assert second.post(f"/erasures/{found}/refuse").status_code == 303
    assert CANARY in manager.get(base).get_data(as_text=True)
    assert second.post(f"/erasures/{found}/approve").status_code == 409


def test_who_is_not_concerned_sees_nothing_of_it(scene: Scene) -> None:
    manager = scene.site.as_user("manager")
    base = f"/cases/{scene.case_id}"
    manager.post(f"{base}/erase/ask", {"ground": "court_order"})
    found = scene.sql("SELECT id FROM record_erasure")[0].id
    for user in ("officer", "auditor", "spoc", "sergeant", "east_officer"):
        visitor = scene.site.as_user(user)
        assert visitor.get("/erasures").status_code == 403
        assert visitor.get(f"{base}/erase").status_code == 403
        assert visitor.post(f"/erasures/{found}/approve").status_code == 403
    # a supervisor elsewhere: the same role, another organisation
    scene.sql(
        "INSERT INTO role_holding (user_id, partnership_id, role, granted_at) VALUES (:user, :area, 'supervisor', now())",
        user=scene.world.users["east_officer"],
        area=scene.world.partnerships["eastmere"],
    )
    elsewhere = scene.site.as_user("east_officer")
    assert str(found) not in elsewhere.get("/erasures").get_data(as_text=True)
    assert elsewhere.get(f"/erasures/{found}").status_code == 404
    assert elsewhere.post(f"/erasures/{found}/approve").status_code == 404
    assert elsewhere.get(f"{base}/erase").status_code == 404
    scene.site.as_user("reader").post(f"/erasures/{found}/approve")
    # hidden and erased look like absent
    assert elsewhere.get(base).status_code == 404


def test_an_open_case_offers_no_erasure(scene: Scene) -> None:
    scene.sql("UPDATE case_record SET status = 'open', closed_at = NULL WHERE id = :id", id=scene.case_id)
    manager = scene.site.as_user("manager")
    base = f"/cases/{scene.case_id}"
    assert f"{base}/erase" not in manager.get(base).get_data(as_text=True)
    assert manager.get(f"{base}/erase").status_code == 409
    assert manager.post(f"{base}/erase/ask", {"ground": "court_order"}).status_code == 409
