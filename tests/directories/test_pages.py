"""The administrators' page: a token made and shown once, a new one beside the old, ended at once; and only their own."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from types import SimpleNamespace
from uuid import UUID

import pytest

from tests.directories.conftest import BASE, Asking
from tests.fixtures.site import Client, Site

SECRET = re.compile(r"hubscim_[A-Za-z0-9_-]{43}")
PAGE = "/admin/directory"


@pytest.fixture
def spoc(site: Site) -> Client:
    return site.as_user("spoc")


def made(client: Client, days: str = "90") -> str:
    answer = client.post(f"{PAGE}/tokens", {"days": days})
    assert answer.status_code == 200, answer.get_data(as_text=True)[:500]
    return SECRET.findall(answer.get_data(as_text=True))[0]


def works(site: Site, token: str) -> bool:
    return Asking(site.app.test_client(), token)("GET", "/ServiceProviderConfig").status_code == 200


def test_a_token_is_made_shown_once_and_works(site: Site, spoc: Client, database: SimpleNamespace) -> None:
    token = made(spoc)
    page = html.unescape(spoc.get(PAGE).get_data(as_text=True))
    assert token not in page and "Never" in page and f"http://127.0.0.1:8480{BASE}" in page
    assert works(site, token)
    assert "Never" not in spoc.get(PAGE).get_data(as_text=True)
    acts = site.sql(
        database.superuser, "SELECT object_id FROM audit.event WHERE act = 'directory.token_made'"
    )
    kept = site.sql(database.superuser, "SELECT id FROM directory")
    assert [row.object_id for row in acts] == [row.id for row in kept]


def test_the_same_form_again_makes_no_second_token(
    site: Site, spoc: Client, database: SimpleNamespace
) -> None:
    key = "0b0b0b0b-0000-4000-8000-000000000001"
    first = spoc.post(f"{PAGE}/tokens", {"days": "90"}, form_key=key)
    again = spoc.post(f"{PAGE}/tokens", {"days": "90"}, form_key=key)
    assert (first.status_code, again.status_code, again.headers["Location"]) == (200, 303, PAGE)
    assert len(site.sql(database.superuser, "SELECT 1 FROM directory")) == 1


def test_an_old_token_works_a_day_beside_a_new_one(
    site: Site, spoc: Client, database: SimpleNamespace
) -> None:
    old = made(spoc)
    new = made(spoc, "365")
    assert works(site, old) and works(site, new)
    left = site.sql(
        database.superuser,
        "SELECT extract(epoch FROM expires_at - now()) / 3600 AS hours FROM directory ORDER BY created_at",
    )
    assert 23.9 < left[0].hours <= 24 and 364 * 24 < left[1].hours <= 365 * 24
    site.sql(database.superuser, "UPDATE directory SET expires_at = expires_at - interval '1 day'")
    assert not works(site, old) and works(site, new)


def test_a_token_is_ended_at_once_and_only_by_its_own_organisation(
    site: Site, spoc: Client, database: SimpleNamespace
) -> None:
    token = made(spoc)
    token_id = site.sql(database.superuser, "SELECT id FROM directory")[0].id
    assert site.as_user("police_spoc").post(f"{PAGE}/tokens/{token_id}/end").status_code == 404
    assert works(site, token)
    asked = spoc.get(f"{PAGE}?end={token_id}").get_data(as_text=True)
    assert f"{PAGE}/tokens/{token_id}/end" in asked
    assert spoc.post(f"{PAGE}/tokens/{token_id}/end").status_code == 303
    assert not works(site, token)
    assert "Ended" in spoc.get(PAGE).get_data(as_text=True)
    assert spoc.post(f"{PAGE}/tokens/{token_id}/end").status_code == 409
    acts = site.sql(
        database.superuser, "SELECT act FROM audit.event WHERE object_id = :id ORDER BY at", id=token_id
    )
    assert [row.act for row in acts] == ["directory.token_made", "directory.token_ended"]


def test_a_token_is_made_only_by_an_administrator_who_has_just_proved_who_they_are(
    site: Site, spoc: Client, database: SimpleNamespace
) -> None:
    assert site.as_user("officer").get(PAGE).status_code == 403
    assert site.as_user("officer").post(f"{PAGE}/tokens", {"days": "90"}).status_code == 403
    assert spoc.post(f"{PAGE}/tokens", {"days": "3650"}).status_code == 422
    assert spoc.csrf
    site.sql(
        database.superuser,
        "UPDATE user_session SET authenticated_at = authenticated_at - interval '6 minutes'",
    )
    for path in (f"{PAGE}/tokens", f"{PAGE}/tokens/{UUID(int=1)}/end"):
        answer = spoc.post(path, {"days": "90"})
        assert answer.status_code == 303 and "confirm" in answer.headers["Location"]
    assert site.sql(database.superuser, "SELECT 1 FROM directory") == []


def test_who_a_directory_made_is_shown_and_may_be_given_a_role(
    site: Site, spoc: Client, directory: Asking
) -> None:
    person = directory.make_user(title="Warden")
    page = spoc.get(f"/admin/users/{person['id']}").get_data(as_text=True)
    assert "New Person" in page
    given = spoc.post(f"/admin/users/{person['id']}/roles", {"roles": "practitioner"})
    assert given.status_code == 303
    assert directory.close(person["id"]).status_code == 204
    closed = html.unescape(spoc.get(f"/admin/users/{person['id']}").get_data(as_text=True))
    assert "Closed by the organisation’s own directory" in closed


def test_a_token_lives_a_year_at_most(
    site: Site, token_of: Callable[..., tuple[UUID, str]], database: SimpleNamespace
) -> None:
    token_of("spoc", 4_000)
    days = site.sql(
        database.superuser, "SELECT extract(epoch FROM expires_at - now()) / 86400 AS days FROM directory"
    )[0].days
    assert 364 < days <= 365
