"""Emergency access as people do it: the form, the password, the check, the banner on every page, the review."""

from __future__ import annotations

import html
import re
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest

from hub.cases.vocabulary import CaseKind
from tests.access_requests.conftest import known_case
from tests.emergencies.conftest import REASON, Sql, give_role, later, opened
from tests.fixtures.site import Client, Site
from tests.fixtures.world import World

BLIND = re.compile(r'(nonce|value|datetime|now|expires)="[^"]*"|nonce-[\w-]+|\d+:\d+[ap]m')
NONE_SUCH = "No record that can be opened in an emergency has this reference"


@pytest.fixture
def case(site: Site, world: World) -> SimpleNamespace:
    with site.inside():
        made = known_case(world, CaseKind.DOMESTIC_ABUSE)
        return SimpleNamespace(id=made.id, reference=made.reference)


def filled(reference: str, **changes: str) -> dict[str, str]:
    return {"reference": reference, "reason": REASON, "minutes": "60", **changes}


def open_now(client: Client, reference: str) -> None:
    answer = client.post("/emergency/open", filled(reference))
    assert answer.status_code == 303, answer.get_data(as_text=True)[:3000]


def emergency_id(sql: Sql) -> UUID:
    ((found,),) = sql("SELECT id FROM emergency")
    return UUID(str(found))


def test_the_check_says_in_one_sentence_who_is_told_and_opens_nothing(
    site: Site, case: SimpleNamespace, sql: Sql
) -> None:
    sergeant = site.as_user("sergeant")
    answer = sergeant.post("/emergency", filled(case.reference, go="check"))
    text = html.unescape(answer.get_data(as_text=True))
    assert answer.status_code == 200
    for part in (
        f"You will see the whole of {case.reference} for 60 minutes",
        "these people are told at once",
        "data protection officers",
        "Somebody else reviews",
        "section 170",
        REASON,
    ):
        assert part in text, part
    assert sql("SELECT count(*) FROM emergency") == [(0,)]
    # and it doesn't tell whether there is such a record
    other = html.unescape(
        sergeant.post("/emergency", filled("NBC-CS-222222", go="check")).get_data(as_text=True)
    )
    assert BLIND.sub("", text.replace(case.reference, "REF")) == BLIND.sub(
        "", other.replace("NBC-CS-222222", "REF")
    )


def test_a_stale_session_is_asked_for_the_password_and_loses_nothing(
    site: Site, case: SimpleNamespace, sql: Sql
) -> None:
    sergeant = site.as_user("sergeant")
    sql("UPDATE user_session SET authenticated_at = now() - interval '6 minutes'")
    for path, values in (
        ("/emergency", filled(case.reference, go="check")),
        ("/emergency/open", filled(case.reference)),
    ):
        answer = sergeant.post(path, values)
        assert answer.status_code == 303
        assert answer.location == "/session/confirm?next=/emergency?step%3Dcheck"
    assert sql("SELECT count(*) FROM emergency") == [(0,)]
    form = html.unescape(sergeant.get("/emergency?step=check").get_data(as_text=True))
    assert REASON in form and "Check before you open it" not in form
    sql("UPDATE user_session SET authenticated_at = now()")
    check = html.unescape(sergeant.get("/emergency?step=check").get_data(as_text=True))
    assert REASON in check and "Check before you open it" in check


def test_the_banner_is_on_every_page_until_it_is_given_back(
    site: Site, case: SimpleNamespace, sql: Sql
) -> None:
    sergeant = site.as_user("sergeant")
    assert sergeant.get(f"/cases/{case.id}").status_code == 404
    open_now(sergeant, case.reference)
    for path in (
        "/",
        f"/cases/{case.id}",
        f"/cases/{case.id}/log",
        "/cases",
        "/search?q=devon",
        "/emergency",
        "/help",
    ):
        text = sergeant.get(path).get_data(as_text=True)
        assert "Emergency access to" in text and case.reference in text, path
        assert f"/emergency/{emergency_id(sql)}/close" in text, path
    page = html.unescape(sergeant.get(f"/cases/{case.id}").get_data(as_text=True))
    assert "You see this record by emergency access" in page
    for act in ("Change its status", "Share this case", "Attach a file", "Add a person", "Restrict it"):
        assert act not in page, act
    assert "Add to the log" in page
    answer = sergeant.post(f"/emergency/{emergency_id(sql)}/close")
    assert (answer.status_code, answer.location) == (303, "/")
    assert sergeant.get(f"/cases/{case.id}").status_code == 404
    assert f"/emergency/{emergency_id(sql)}/close" not in sergeant.get("/").get_data(as_text=True)


def test_after_its_time_the_next_request_finds_nothing(site: Site, case: SimpleNamespace, sql: Sql) -> None:
    sergeant = site.as_user("sergeant")
    open_now(sergeant, case.reference)
    assert sergeant.get(f"/cases/{case.id}/people").status_code == 200
    later(sql, 60)
    for path in (f"/cases/{case.id}/people", f"/cases/{case.id}"):
        assert sergeant.get(path).status_code == 404
    assert "Emergency access to" not in sergeant.get("/cases").get_data(as_text=True)


def test_what_cannot_be_opened_is_answered_alike(
    site: Site, case: SimpleNamespace, world: World, sql: Sql
) -> None:
    """Status, body and size: no such record, one that can't be opened so, one of no partner."""
    sergeant = site.as_user("sergeant")
    bodies = set()
    for how in ("absent", "not breakable", "foreign"):
        reference = "NBC-CS-222222" if how == "absent" else case.reference
        sql("UPDATE record SET breakable = :breakable", breakable=how != "not breakable")
        if how == "foreign":
            sql(
                "UPDATE agreement_party SET left_at = now() - interval '1 day' WHERE organisation_id = :id",
                id=world.organisations["council"],
            )
        answer = sergeant.post("/emergency/open", filled(reference))
        text = html.unescape(answer.get_data(as_text=True))
        assert answer.status_code == 404, how
        assert NONE_SUCH in text and REASON in text
        bodies.add(BLIND.sub("", text).replace(reference, "REF"))
    assert len(bodies) == 1


def test_mistakes_keep_what_was_typed(site: Site) -> None:
    sergeant = site.as_user("sergeant")
    answer = sergeant.post(
        "/emergency", {"go": "check", "reference": "x", "reason": "Too short", "minutes": "999"}
    )
    text = html.unescape(answer.get_data(as_text=True))
    assert answer.status_code == 422
    assert "Too short" in text and 'value="999"' in text and "in 20 characters or more" in text


def test_reviewers_see_a_number_and_sign_off(
    site: Site, case: SimpleNamespace, world: World, sql: Sql
) -> None:
    with site.inside():
        opened(world, case.reference)
    manager = site.as_user("manager")
    assert re.search(
        r'href="/emergencies"[^>]*>Emergencies <span class="hub-count">1<',
        manager.get("/").get_data(as_text=True),
    )
    address = f"/emergencies/{emergency_id(sql)}"
    listed = manager.get("/emergencies?state=unreviewed").get_data(as_text=True)
    assert address in listed and "Tomasz Nowak" in listed and REASON not in html.unescape(listed)
    assert "It is still open" in manager.get(address).get_data(as_text=True)
    later(sql, 61)
    assert manager.post(f"{address}/review", {"outcome": "", "note": ""}).status_code == 422
    answer = manager.post(f"{address}/review", {"outcome": "explained", "note": "A knife was found"})
    assert answer.status_code == 303
    assert address not in manager.get("/emergencies?state=unreviewed").get_data(as_text=True)
    assert "A knife was found" in manager.get(address).get_data(as_text=True)
    own = site.as_user("sergeant").get("/emergency").get_data(as_text=True)
    assert "Explained: it was needed, Rhys Llewellyn" in own


def test_hidden_and_absent_are_alike(site: Site, case: SimpleNamespace, world: World, sql: Sql) -> None:
    with site.inside():
        opened(world, case.reference)
    give_role(sql, world, "yot_worker", "supervisor")
    stranger = site.as_user("yot_worker")
    hidden = stranger.get(f"/emergencies/{emergency_id(sql)}")
    absent = stranger.get(f"/emergencies/{uuid4()}")
    assert hidden.status_code == absent.status_code == 404
    assert len(hidden.data) == len(absent.data)
    officer = site.as_user("officer")
    assert officer.get("/emergencies").status_code == 403
    assert officer.post(f"/emergency/{emergency_id(sql)}/close").status_code == 404


def test_a_data_protection_officer_lands_on_the_list(site: Site, world: World, sql: Sql) -> None:
    give_role(sql, world, "reader", "data_protection")
    officer = site.as_user("reader")
    answer = officer.get("/")
    assert (answer.status_code, answer.location) == (302, "/emergencies")
    assert officer.get("/emergencies").status_code == 200
    assert officer.get("/cases").status_code == 403
