"""The list of users in pages, narrowed by state, team and name."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.fixtures.site import Client, Site
from tests.fixtures.turning import ID, copies, cursor_of, refuses_strange_cursors, turned

NAME = r'hub-list__link" href="/admin/users/[0-9a-f-]+">([^<]+)</a>'


@pytest.fixture
def spoc(site: Site) -> Client:
    return site.as_user("spoc")


@pytest.fixture
def names(site: Site, database: SimpleNamespace) -> list[str]:
    """Names of more people than a page holds, some of whom bear the same one."""
    council = site.world.organisations["council"]
    copies(
        site,
        database.superuser,
        "app_user",
        53,
        "jsonb_build_object('id', gen_random_uuid(), 'email', 'copy' || n || '@example.org', 'password_hash', NULL,"
        " 'disabled_at', CASE WHEN n % 2 = 0 THEN now() END, 'name', (ARRAY['Łucja Żak', 'Ann O’Hara', 'Bo', 'Zed'])[1 + n % 4])",
        f"id = '{site.world.users['reader']}'",
    )
    rows = site.sql(
        database.superuser,
        "SELECT name FROM app_user WHERE organisation_id = :id ORDER BY name, id",
        id=council,
    )
    return [row.name for row in rows]


def test_each_user_is_on_one_page_by_name(spoc: Client, names: list[str]) -> None:
    pages = turned(spoc, "/admin/users", NAME)
    assert [len(page) for page in pages] == [50, len(names) - 50]
    assert [name for page in pages for name in page] == names


def test_users_are_narrowed_by_state_team_and_name(site: Site, spoc: Client, names: list[str]) -> None:
    closed = turned(spoc, "/admin/users?state=closed", NAME)
    assert [len(page) for page in closed] == [26]
    invited = turned(spoc, "/admin/users?state=invited&name=ann", NAME)
    assert set(invited[0]) == {"Ann O’Hara"}
    active = [name for page in turned(spoc, "/admin/users?state=active", NAME) for name in page]
    assert "Lena Marsh" in active and "Bo" not in active
    housing = turned(spoc, f"/admin/users?team={site.world.teams['housing']}", NAME)
    assert housing == [["Zofia Wróbel"]]
    assert turned(spoc, "/admin/users?name=%25", NAME) == [[]]
    # what is no team or state of ours narrows nothing
    for unknown in (f"team={site.world.teams['npt']}", "team=x", "state=x"):
        assert turned(spoc, f"/admin/users?{unknown}", NAME)[0] == names[:50]


def test_the_page_says_each_state(spoc: Client, names: list[str]) -> None:
    page = spoc.get("/admin/users?name=zed").get_data(as_text=True)
    assert "Closed</strong>" in page or "Invited</strong>" in page
    assert "Remove this filter: Name" in page


def test_a_strange_cursor_is_told_plainly(spoc: Client) -> None:
    refuses_strange_cursors(spoc, "/admin/users", by_name=True)
    assert spoc.get(f"/admin/users?after={cursor_of('x' * 120, ID)}").status_code == 200
