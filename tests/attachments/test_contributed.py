"""A file on another's record stays its contributor's to read and download, when the share has ended and after a hand-over."""

from __future__ import annotations

from types import SimpleNamespace

from hub.access.vocabulary import Section
from hub.handovers.actions import accept_hand_over
from tests.attachments.conftest import Desk, share
from tests.attachments.test_views import _added, pdf
from tests.fixtures.handing import RESTATED, offered
from tests.fixtures.world import act_as


def test_a_file_stays_its_contributor_s_after_the_share(desk: Desk, database: SimpleNamespace) -> None:
    share(desk.site, database.superuser, desk.case_id, "summary", "files", may_contribute=True)
    sergeant = desk.site.as_user("sergeant")
    sent = desk.send(sergeant, "patrol.pdf", pdf())
    key = _added(sent.headers["Location"])
    assert "/contributed/" not in sergeant.get("/shared?show=contributed").get_data(as_text=True)
    desk.site.sql(
        database.superuser,
        "UPDATE record_grant SET revoked_at = now(), revoked_by = requested_by, revoked_why = 'ended'",
    )
    listed = sergeant.get("/shared?show=contributed").get_data(as_text=True)
    assert f"/contributed/{key}" in listed and "File: " in listed
    page = sergeant.get(f"/contributed/{key}").get_data(as_text=True)
    assert "patrol.pdf" in page and "NBC-CS-" in page and "Mill Lane" not in page
    assert sergeant.get(f"/contributed/{key}/file").get_data() == pdf()
    for user in ("officer", "yot_worker"):
        client = desk.site.as_user(user)
        assert client.get(f"/contributed/{key}").status_code == 404
        assert client.get(f"/contributed/{key}/file").status_code == 404
    looks = desk.site.sql(
        database.superuser,
        "SELECT act, object_type, outcome FROM audit.event WHERE object_id = :key AND act LIKE 'contribution.%'"
        " ORDER BY at",
        key=key,
    )
    assert [tuple(row) for row in looks] == [
        ("contribution.file_opened", "attachment", "ok"),
        ("contribution.opened", "entry", "denied"),
        ("contribution.opened", "entry", "denied"),
    ]
    downloads = desk.site.sql(
        database.superuser,
        "SELECT convert_from(body, 'UTF8')::jsonb -> 'basis' ->> 'via' FROM audit.event"
        " WHERE object_id = :key AND act = 'attachment.downloaded' AND outcome = 'ok'",
        key=key,
    )
    assert [row[0] for row in downloads] == ["contribution"]


def test_after_a_hand_over_the_old_lead_has_its_file_and_the_new_one_what_went(
    desk: Desk, database: SimpleNamespace
) -> None:
    desk.site.sql(
        database.superuser,
        "INSERT INTO role_holding (user_id, partnership_id, role, granted_at)"
        " SELECT :user, partnership_id, 'supervisor', now() FROM team WHERE id = :team",
        user=desk.site.world.users["sergeant"],
        team=desk.site.world.teams["npt"],
    )
    key = _added(desk.send(desk.officer(), "letter.pdf", pdf()).headers["Location"])
    with desk.site.inside():
        offer = offered(desk.site.world, desk.case_id, stays=(Section.CHRONOLOGY,))
        accept_hand_over(act_as(desk.site.world, "sergeant"), offer, RESTATED)
        desk.site.app.extensions["sqlalchemy"].session.commit()
    officer, sergeant = desk.officer(), desk.site.as_user("sergeant")
    assert officer.get(desk.path()).status_code == 404
    page = officer.get(f"/contributed/{key}").get_data(as_text=True)
    # the hand-over tells the team that offered the case its reference; colleagues who had no part in it aren't told
    assert "letter.pdf" in page and "NBC-CS-" in page
    assert officer.get(f"/contributed/{key}/file").get_data() == pdf()
    assert sergeant.get(desk.path(key)).get_data() == pdf()
    colleague = desk.site.as_user("housing_officer").get(f"/contributed/{key}").get_data(as_text=True)
    assert "letter.pdf" in colleague and "NBC-CS-" not in colleague
