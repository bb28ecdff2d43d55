"""Administrators' pages: own organisation only, every act logged, the link shown once, a closed account out at once."""

from __future__ import annotations

import html
import re
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from markupsafe import escape

from hub.access.permissions import ROLES, Permission, Role
from hub.admin.policy import PERMISSION_LABELS
from tests.fixtures.door import accept_terms, code_of, offered
from tests.fixtures.site import Client, Site

FORM: dict[str, Any] = {
    "name": "Łucja Hall",
    "email": "Lucja.Hall@example.org",
    "job_title": "Warden",
    "roles": ["practitioner"],
}


@pytest.fixture
def spoc(site: Site) -> Client:
    return site.as_user("spoc")


def invitation(site: Site, **changes: Any) -> dict[str, Any]:
    return {**FORM, "team_id": str(site.world.teams["safety"]), **changes}


def acts(site: Site, database: SimpleNamespace) -> list[str]:
    rows = site.sql(
        database.superuser,
        "SELECT act FROM audit.event WHERE category = 'admin' AND act <> 'notification.left' ORDER BY at DESC, id DESC LIMIT 4",
    )
    return [row.act for row in rows]


def link(page: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:8480(/enrol/[\w-]+)", html.unescape(page))
    assert found, page[:300]
    return found.group(1)


def test_the_list_shows_own_people_only_and_is_logged(
    site: Site, database: SimpleNamespace, spoc: Client
) -> None:
    page = spoc.get("/admin/users").text
    assert "Amara Okafor" in page and "officer@example.org" in page and "Community safety" in page
    assert "Tomasz Nowak" not in page and "Colm Devlin" not in page
    assert acts(site, database)[0] == "accounts.listed"


def test_the_role_matrix_is_drawn_from_the_table(spoc: Client) -> None:
    page = spoc.get("/admin/roles").text
    assert set(PERMISSION_LABELS) == set(Permission)
    for words in (*PERMISSION_LABELS.values(), *(ROLES[role].label for role in Role)):
        assert escape(words) in page
    assert "Giving a role takes two administrators" in page
    assert page.count(">Yes<") == sum(len(ROLES[role].permissions) for role in Role)


def test_an_invited_user_enrols_by_a_link_that_is_shown_once(
    site: Site, database: SimpleNamespace, spoc: Client
) -> None:
    key = str(uuid4())
    page = spoc.post("/admin/users/new", invitation(site), form_key=key)
    assert page.status_code == 200 and "shown only now" in page.text
    address = link(page.text)
    assert acts(site, database)[:2] == ["role.granted", "user.invited"]
    again = spoc.post("/admin/users/new", invitation(site), form_key=key)
    assert again.status_code == 303 and address not in again.text
    account = spoc.get(again.headers["Location"]).text
    assert "Łucja Hall" in account and "Invited" in account and address not in account
    stored = site.sql(
        database.superuser, "SELECT enrolment_hash FROM app_user WHERE email = 'lucja.hall@example.org'"
    )
    assert len(stored) == 1 and address.encode() not in bytes(stored[0][0])

    visitor = site.visitor()
    form = visitor.get(address).text
    token = re.search(r'name="csrf_token" value="([0-9a-f]+)"', form)
    assert token
    word = "violet kettle under the rain"
    answer = visitor.http.post(address, data={"csrf_token": token.group(1), "password": word, "again": word})
    assert answer.location == "/sign-in/set-up"
    assert visitor.get("/account").status_code == 302
    secret = offered(visitor.get("/sign-in/set-up").text)
    assert visitor.post("/sign-in/set-up", {"code": code_of(secret)}).status_code == 303
    assert visitor.get("/account").location == "/terms?next=/account"
    assert accept_terms(visitor).status_code == 303
    assert visitor.get("/account").status_code == 200
    # it works once
    assert site.visitor().get(address).status_code == 403
    assert "Active" in spoc.get(again.headers["Location"]).text


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_lost(site: Site, spoc: Client) -> None:
    wrong = invitation(
        site,
        name="",
        email="nonsense",
        job_title="Warden <b>",
        team_id=str(site.world.teams["npt"]),
        roles=["king"],
    )
    page = spoc.post("/admin/users/new", wrong)
    assert page.status_code == 422
    for words in (
        "Enter the person",
        "email address in the correct format",
        "Choose a team",
        "at least one role",
    ):
        assert words in page.text
    assert "Warden &lt;b&gt;" in page.text and "nonsense" in page.text
    taken = spoc.post("/admin/users/new", invitation(site, email="officer@example.org"))
    assert taken.status_code == 422 and "already" in taken.text


def test_a_closed_account_is_out_at_once(site: Site, database: SimpleNamespace, spoc: Client) -> None:
    officer, key = site.as_user("officer"), site.world.users["officer"]
    assert officer.get("/account").status_code == 200
    assert "Amara Okafor" in spoc.get(f"/admin/users/{key}").text
    assert spoc.post(f"/admin/users/{key}/close").status_code == 303
    assert officer.get("/account").status_code == 302
    assert acts(site, database)[0] == "user.disabled"
    page = spoc.get(f"/admin/users/{key}").text
    assert "Closed" in page and "Every session has ended" in page and "0 sessions" in page
    assert spoc.post(f"/admin/users/{key}/close").status_code == 409


def test_the_own_account_and_those_of_others_are_not_closed(site: Site, spoc: Client) -> None:
    assert spoc.post(f"/admin/users/{site.world.users['spoc']}/close").status_code == 409
    for user in (site.world.users["sergeant"], uuid4()):
        assert spoc.get(f"/admin/users/{user}").status_code == 404
        assert spoc.post(f"/admin/users/{user}/close").status_code == 404
        assert spoc.post(f"/admin/users/{user}/link").status_code == 404
    assert site.as_user("sergeant").get("/account").status_code == 200


def test_a_new_link_ends_the_old_one_and_is_no_way_into_an_account(
    site: Site, database: SimpleNamespace, spoc: Client
) -> None:
    first = link(spoc.post("/admin/users/new", invitation(site)).text)
    row = site.sql(database.superuser, "SELECT id FROM app_user WHERE email = 'lucja.hall@example.org'")[0]
    second = link(spoc.post(f"/admin/users/{row.id}/link").text)
    assert first != second
    site.sql(database.superuser, "UPDATE app_user SET password_hash = 'x' WHERE id = :id", id=row.id)
    assert spoc.post(f"/admin/users/{row.id}/link").status_code == 409


def test_weighty_acts_ask_who_it_is_again_and_keep_what_was_typed(
    site: Site, database: SimpleNamespace, spoc: Client
) -> None:
    assert spoc.get("/admin/users/new").status_code == 200
    site.sql(database.superuser, "UPDATE user_session SET authenticated_at = now() - interval '6 minutes'")
    answer = spoc.post("/admin/users/new", {**invitation(site), "draft_key": "admin.invite"})
    assert answer.status_code == 303 and answer.location == "/session/confirm?next=/admin/users/new"
    officer = site.world.users["officer"]
    assert "/session/confirm" in spoc.post(f"/admin/users/{officer}/close").headers["Location"]
    assert spoc.get("/admin/users").status_code == 200
    site.sql(database.superuser, "UPDATE user_session SET authenticated_at = now()")
    page = spoc.get("/admin/users/new").text
    assert "Łucja Hall" in page and "Lucja.Hall@example.org" in page
    assert site.sql(database.superuser, "SELECT 1 FROM app_user WHERE email LIKE 'lucja%'") == []


def test_only_administrators_come_in(site: Site) -> None:
    for user in ("officer", "manager", "auditor"):
        client = site.as_user(user)
        for path in (
            "/admin/users",
            "/admin/roles",
            "/admin/users/new",
            f"/admin/users/{site.world.users['officer']}",
        ):
            assert client.get(path).status_code == 403, (user, path)
        assert client.post(f"/admin/users/{site.world.users['reader']}/close").status_code == 403
