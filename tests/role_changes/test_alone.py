"""Where nobody else could decide: it acts at once and is told of; and nobody comes to be alone by sending the other away."""

from __future__ import annotations

import html
from collections.abc import Callable

import pytest

from tests.fixtures.site import Site
from tests.role_changes.conftest import Sql, address, roles_of
from tests.role_changes.test_two_people import facts, told

CLOSED = "UPDATE app_user SET disabled_at = now() - make_interval(hours => :hours) WHERE email = 'manager@example.org'"
ENDED = (
    "UPDATE role_holding SET ended_at = now() - make_interval(hours => :hours) WHERE role = 'administrator' AND user_id ="
    " (SELECT id FROM app_user WHERE email = 'manager@example.org')"
)
WEEK = 7 * 24


def test_one_administrator_gives_alone_and_auditors_and_data_protection_are_told(
    site: Site, sql: Sql, give: Callable[..., None]
) -> None:
    give("housing_officer", "data_protection")
    for page in ("/admin/users/new", f"/admin/users/{site.world.users['reader']}"):
        assert "a role begins at once" in site.as_user("spoc").get(page).text
    answer = site.as_user("spoc").post(address(site, "reader"), {"roles": ["read_only", "practitioner"]})
    assert answer.status_code == 303 and roles_of(site, sql, "reader") == {"read_only", "practitioner"}
    [granted] = facts(sql, "role.granted")
    assert granted["alone"] is True and granted["approved_by"] == "" and granted["role"] == "practitioner"
    assert granted["asked_by"] == granted["by"] == str(site.world.users["spoc"])
    # the police's auditor has nothing to do with it
    assert told(sql, "role.alone") == ["auditor", "housing_officer"] and told(sql, "role.asked") == []
    rows = sql("SELECT address FROM notification WHERE kind = 'role.alone' ORDER BY address")
    assert [row.address for row in rows] == ["/audit", "/notifications"]
    page = site.as_user("spoc").get("/admin/role-changes").text
    assert "Given by one" in page


def test_an_administrator_of_another_partnership_or_organisation_is_no_second(
    site: Site, sql: Sql, give: Callable[..., None]
) -> None:
    give("reader", "administrator", "eastmere")
    site.as_user("spoc").post(address(site, "officer"), {"roles": ["practitioner", "read_only"]})
    assert "read_only" in roles_of(site, sql, "officer")


@pytest.mark.parametrize("away", [CLOSED, ENDED], ids=["closed", "role-ended"])
def test_who_sends_the_other_administrator_away_waits_seven_days(
    site: Site, sql: Sql, second: str, away: str
) -> None:
    spoc, manager = site.as_user("spoc"), site.world.users["manager"]
    if away is CLOSED:
        assert spoc.post(f"/admin/users/{manager}/close").status_code == 303
    else:
        assert spoc.post(address(site, "manager"), {"roles": ["practitioner"]}).status_code == 303
    for hours in (0, 1, WEEK - 1):
        sql(away, hours=hours)
        wanted = {"roles": ["read_only", "supervisor"]}
        answer = spoc.post(address(site, "reader"), wanted)
        assert answer.status_code == (303 if hours == 0 else 422)
        assert roles_of(site, sql, "reader") == {"read_only"}
    assert "nobody else can decide it now" in html.unescape(
        spoc.post(
            address(site, "officer"), {"roles": ["practitioner", "auditor"]}, follow_redirects=True
        ).text
    )
    sql(away, hours=WEEK + 1)
    # what waited is withdrawn, and given by one
    assert spoc.post(address(site, "reader"), wanted).status_code == 303
    assert roles_of(site, sql, "reader") == {"read_only", "supervisor"}
    rows = sql(
        "SELECT outcome FROM role_change WHERE user_id = :id ORDER BY id", id=site.world.users["reader"]
    )
    assert [row.outcome for row in rows] == ["withdrawn", "alone"]


def test_a_role_comes_back_in_the_same_way(site: Site, sql: Sql) -> None:
    """What ended once begins anew by an update: that takes the same."""
    spoc = site.as_user("spoc")
    for roles in (["practitioner"], ["read_only"], ["practitioner", "read_only"]):
        assert spoc.post(address(site, "reader"), {"roles": roles}).status_code == 303
        assert roles_of(site, sql, "reader") == set(roles)
    # what a change gives is one role at a time, and each by a decision of its own
    assert [row["role"] for row in facts(sql, "role.granted")] == [
        "practitioner",
        "read_only",
        "practitioner",
    ]
    assert [row.outcome for row in sql("SELECT outcome FROM role_change")] == ["alone"] * 3
