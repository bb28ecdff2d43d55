"""The hat at sign-in: the one worn last, as long as it is still the user's; named in the header and in the log."""

from __future__ import annotations

import html
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.accounts.test_sessions import signed_in
from tests.fixtures.door import set_up_door
from tests.fixtures.site import Client, Site

Sql = Callable[..., list[Any]]
STARTED = (
    "SELECT convert_from(body, 'UTF8')::jsonb AS body, team_id FROM audit.event WHERE act = 'session.started'"
    " ORDER BY at DESC LIMIT 1"
)


@pytest.fixture
def sql(site: Site, database: SimpleNamespace) -> Sql:
    return lambda statement, **values: site.sql(database.superuser, statement, **values)


@pytest.fixture
def officer(site: Site, sql: Sql) -> Client:
    """Signed in in the team that she joined first; she is in a second one too."""
    sql(
        "INSERT INTO team_membership (team_id, user_id, joined_at) VALUES (:team, :user, now())",
        team=site.world.teams["housing"],
        user=site.world.users["officer"],
    )
    set_up_door(site, "officer")
    return signed_in(site, "officer")


def put_on(client: Client, site: Site, team: str, purpose: str) -> None:
    assert client.post("/hat", {"hat": f"{site.world.teams[team]}:{purpose}", "next": "/"}).status_code == 303


def worn(site: Site, sql: Sql) -> tuple[str, str]:
    """What the newest sign-in is logged with: the team's key in the small world, and the purpose."""
    [row] = sql(STARTED)
    assert str(row.team_id) == row.body["actor"]["team"]
    [team] = [name for name, key in site.world.teams.items() if key == row.team_id]
    return team, row.body["basis"]["purpose"]


def header(client: Client) -> str:
    page = client.get("/").text
    return html.unescape(page.partition("hub-hat__words")[2].partition("</summary>")[0])


def test_the_first_time_it_is_the_team_joined_first(site: Site, sql: Sql, officer: Client) -> None:
    assert worn(site, sql) == ("safety", "prevent_crime")
    assert "Community safety" in header(officer)


def test_the_hat_worn_last_is_kept_and_the_header_and_the_log_name_it(
    site: Site, sql: Sql, officer: Client
) -> None:
    put_on(officer, site, "housing", "tenancy")
    again = signed_in(site, "officer")
    assert worn(site, sql) == ("housing", "tenancy")
    assert "Housing options" in header(again) and "Community safety" not in header(again)
    # another purpose of a team is kept too, as long as an agreement permits it
    put_on(again, site, "safety", "safeguard_child")
    third = signed_in(site, "officer")
    assert worn(site, sql) == ("safety", "safeguard_child") and "Safeguard a child" in header(third)


def test_a_purpose_that_no_agreement_permits_any_more_gives_way_to_the_teams_own(
    site: Site, sql: Sql, officer: Client
) -> None:
    put_on(officer, site, "safety", "safeguard_child")
    sql(
        "UPDATE agreement SET suspended_at = now(), suspended_why = 'x' WHERE id = :id",
        id=site.world.agreements["sharing"],
    )
    signed_in(site, "officer")
    assert worn(site, sql) == ("safety", "prevent_crime")


def test_a_team_that_was_left_is_worn_no_more(site: Site, sql: Sql, officer: Client) -> None:
    put_on(officer, site, "housing", "tenancy")
    sql(
        "UPDATE team_membership SET left_at = now() WHERE team_id = :team AND user_id = :user",
        team=site.world.teams["housing"],
        user=site.world.users["officer"],
    )
    signed_in(site, "officer")
    assert worn(site, sql) == ("safety", "prevent_crime")


def test_a_hat_that_asks_for_more_than_was_proved_is_not_put_on(
    site: Site, sql: Sql, officer: Client
) -> None:
    """An administrator of one partnership whose organisation asks for a passkey still comes in for the other by a code."""
    sql("INSERT INTO team (id, created_at, organisation_id, partnership_id, name, default_purpose) VALUES"
        " (gen_random_uuid(), now(), :council, :east, 'Liaison', 'planning')",
        council=site.world.organisations["council"], east=site.world.partnerships["eastmere"])  # fmt: skip
    [team] = sql("SELECT id FROM team WHERE name = 'Liaison'")
    officer_id = site.world.users["officer"]
    sql("INSERT INTO team_membership (team_id, user_id, joined_at) VALUES (:team, :user, now())",
        team=team.id, user=officer_id)  # fmt: skip
    assert officer.post("/hat", {"hat": f"{team.id}:planning", "next": "/"}).status_code == 303
    sql("INSERT INTO role_holding (user_id, partnership_id, role, granted_at) VALUES (:user, :area, 'administrator', now())",
        user=officer_id, area=site.world.partnerships["eastmere"])  # fmt: skip
    sql(
        "UPDATE organisation SET strict_passkeys = true WHERE id = :id",
        id=site.world.organisations["council"],
    )
    signed_in(site, "officer")
    assert worn(site, sql) == ("safety", "prevent_crime")
