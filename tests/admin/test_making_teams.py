"""Administrators make teams and name them, in their own organisation and partnership only."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from uuid import uuid4

import pytest

from tests.fixtures.site import Site

NIGHT = {"name": "Night wardens", "purpose": "prevent_crime"}


def test_a_new_team_is_there_to_be_filled(site: Site, database: SimpleNamespace) -> None:
    spoc = site.as_user("spoc")
    made = spoc.post("/admin/teams/new", NIGHT)
    assert made.status_code == 303
    rows = site.sql(
        database.superuser,
        "SELECT id, organisation_id, partnership_id, default_purpose FROM team WHERE name = 'Night wardens'",
    )
    council, area = site.world.organisations["council"], site.world.partnerships["northbrook"]
    assert [row[1:] for row in rows] == [(council, area, "prevent_crime")]
    assert made.location == f"/admin/teams/{rows[0].id}"
    assert spoc.post(f"{made.location}/members", {"email": "officer@example.org"}).status_code == 303
    assert "Night wardens" in site.as_user("officer").get("/cases").get_data(as_text=True)
    events = "SELECT act FROM audit.event WHERE object_id = :team ORDER BY at, id"
    assert site.sql(database.superuser, events, team=rows[0].id) == [("team.created",)]


def test_a_team_gets_another_name_and_what_was_before_is_sealed(
    site: Site, database: SimpleNamespace
) -> None:
    spoc, team = site.as_user("spoc"), site.world.teams["safety"]
    address = f"/admin/teams/{team}/edit"
    assert 'value="Community safety"' in spoc.get(address).get_data(as_text=True)
    assert spoc.post(address, {"name": "Safer places", "purpose": "planning"}).status_code == 303
    assert "Safer places" in site.as_user("officer").get("/cases").get_data(as_text=True)
    body = site.sql(
        database.superuser, "SELECT body::text AS body FROM audit.event WHERE act = 'team.changed'"
    )
    assert len(body) == 1 and "Safer places" not in body[0].body
    # the same again changes nothing
    assert spoc.post(address, {"name": "Safer places", "purpose": "planning"}).status_code == 303
    assert site.sql(database.superuser, "SELECT count(*) FROM audit.event WHERE act = 'team.changed'") == [
        (1,)
    ]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"name": " ", "purpose": "planning"}, "Enter the name of the team"),
        ({"name": "x" * 121, "purpose": "planning"}, "120 characters or fewer"),
        ({"name": "Night", "purpose": "revenge"}, "Choose what the team works to"),
        ({"name": "Community safety", "purpose": "planning"}, "has a team of this name already"),
    ],
)
def test_what_is_wrong_is_said_beside_it_and_stays_typed(
    site: Site, form: dict[str, str], words: str
) -> None:
    answer = site.as_user("spoc").post("/admin/teams/new", form)
    page = answer.get_data(as_text=True)
    assert (
        answer.status_code == 422
        and words in page
        and f'value="{form["name"].strip()}"' in page.replace('" "', '""')
    )


def test_another_organisation_s_team_is_not_there(site: Site) -> None:
    spoc = site.as_user("spoc")
    for team in ("npt", "npt_east"):
        address = f"/admin/teams/{site.world.teams[team]}/edit"
        assert spoc.get(address).status_code == 404 and spoc.post(address, NIGHT).status_code == 404
    assert site.as_user("officer").post("/admin/teams/new", NIGHT).status_code == 403


def test_of_two_at_once_one_makes_it(site: Site, database: SimpleNamespace) -> None:
    clients = [site.as_user("spoc") for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(lambda one: one.post("/admin/teams/new", NIGHT, form_key=str(uuid4())), clients)
        )
    assert sorted(answer.status_code for answer in answers) == [303, 422]
    assert site.sql(database.superuser, "SELECT count(*) FROM team WHERE name = 'Night wardens'") == [(1,)]
