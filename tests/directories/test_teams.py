"""Teams as a directory keeps them: who is in each, made, renamed, deleted where nothing stands on them."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from tests.directories.conftest import GROUP, Asking
from tests.fixtures.shares import led_case
from tests.fixtures.site import Site
from tests.fixtures.world import act_as

Events = Callable[[UUID | str], list[str]]


def group(name: str, *members: UUID | str, **more: Any) -> dict[str, Any]:
    given = [{"value": str(one), "type": "User"} for one in members]
    return {"schemas": [GROUP], "displayName": name, "members": given, **more}


def members_of(directory: Asking, team: UUID | str) -> set[str]:
    found = directory("GET", f"/Groups/{team}")
    assert found.status_code == 200
    return {one["value"] for one in found.json.get("members", [])}


def test_groups_are_the_organisations_teams_in_the_partnership(site: Site, directory: Asking) -> None:
    found = directory("GET", "/Groups").json["Resources"]
    assert {one["displayName"] for one in found} == {"Community safety", "Housing options"}
    safety = site.world.teams["safety"]
    own = {str(site.world.users[one]) for one in ("officer", "manager", "reader", "auditor", "spoc")}
    assert members_of(directory, safety) == own
    without = directory("GET", f"/Groups/{safety}?excludedAttributes=members").json
    assert "members" not in without
    by_name = directory("GET", '/Groups?filter=displayName eq "housing options"').json
    assert [one["id"] for one in by_name["Resources"]] == [str(site.world.teams["housing"])]


def test_who_is_put_into_a_team_wears_its_hat_and_who_is_taken_out_is_signed_out(
    site: Site, directory: Asking, events: Events
) -> None:
    officer, housing = site.world.users["officer"], site.world.teams["housing"]
    path = f"/Groups/{housing}"
    joined = directory.patch(path, {"op": "add", "path": "members", "value": [{"value": str(officer)}]})
    assert joined.status_code == 204
    assert events(officer) == ["team.member_added"]
    client = site.as_user("officer")
    client.post("/hat", {"hat": f"{housing}:tenancy", "next": "/"})
    assert client.get("/cases").status_code == 200
    left = directory.patch(path, {"op": "remove", "path": f'members[value eq "{officer}"]'})
    assert left.status_code == 204
    assert client.get("/cases").status_code == 302
    assert events(officer)[-1] == "team.member_removed"
    assert str(officer) not in members_of(directory, housing)
    # the other hat is as it was
    assert site.as_user("officer").get("/cases").status_code == 200
    # and a put names them all
    replaced = directory("PUT", path, group("Housing options", officer))
    assert replaced.status_code == 200 and members_of(directory, housing) == {str(officer)}
    assert events(officer)[-1] == "team.member_added"


def test_a_member_is_taken_out_as_some_directories_send_it(site: Site, directory: Asking) -> None:
    officer, safety = site.world.users["officer"], site.world.teams["safety"]
    left = directory.patch(
        f"/Groups/{safety}", {"op": "Remove", "path": "members", "value": [{"value": str(officer)}]}
    )
    assert left.status_code == 204
    assert len(members_of(directory, safety)) == 4


def test_members_of_other_employers_are_neither_shown_nor_touched(
    site: Site, directory: Asking, database: SimpleNamespace
) -> None:
    safety, sergeant = site.world.teams["safety"], site.world.users["sergeant"]
    site.as_user("spoc").post(f"/admin/teams/{safety}/members", {"email": "sergeant@example.org"})
    assert str(sergeant) not in members_of(directory, safety)
    assert directory("PUT", f"/Groups/{safety}", group("Community safety")).status_code == 200
    rows = site.sql(
        database.superuser,
        "SELECT user_id FROM team_membership WHERE team_id = :id AND left_at IS NULL",
        id=safety,
    )
    assert [row.user_id for row in rows] == [sergeant]


def test_nobody_elses_people_come_into_a_team(site: Site, directory: Asking, events: Events) -> None:
    safety, before = site.world.teams["safety"], members_of(directory, site.world.teams["safety"])
    made = directory.make_user()
    directory("DELETE", f"/Users/{made['id']}")
    for stranger in (
        site.world.users["sergeant"],
        site.world.users["east_officer"],
        made["id"],
        safety,
        "x",
        "",
    ):
        refused = directory.patch(
            f"/Groups/{safety}",
            {"op": "add", "path": "members", "value": [{"value": str(stranger)}]},
        )
        assert refused.status_code == 400 and refused.json["scimType"] == "invalidValue", stranger
        # nor beside a change of the name, of which nothing stays
        put = directory("PUT", f"/Groups/{safety}", group("Renamed", stranger))
        assert put.status_code == 400, stranger
    assert members_of(directory, safety) == before
    assert directory("GET", f"/Groups/{safety}").json["displayName"] == "Community safety"
    assert "team.changed" not in events(safety)


def test_a_new_group_is_a_team_that_opens_nothing(site: Site, directory: Asking, events: Events) -> None:
    officer = site.world.users["officer"]
    made = directory("POST", "/Groups", group("Night patrol", officer, externalId="g-1"))
    assert made.status_code == 201 and made.json["externalId"] == "g-1"
    assert events(made.json["id"]) == ["team.created"] and events(officer) == ["team.member_added"]
    again = directory("POST", "/Groups", group("Night patrol"))
    assert again.status_code == 409 and again.json["scimType"] == "uniqueness"
    renamed = directory("PUT", f"/Groups/{made.json['id']}", group("Day patrol", officer))
    assert renamed.status_code == 200 and events(made.json["id"])[-1] == "team.changed"
    page = site.as_user("spoc").get("/admin/teams").get_data(as_text=True)
    assert "Day patrol" in page


def test_a_team_is_deleted_only_where_nothing_stands_on_it(
    site: Site, directory: Asking, database: SimpleNamespace, events: Events
) -> None:
    officer = site.world.users["officer"]
    made = directory("POST", "/Groups", group("Night patrol", officer)).json
    assert directory("DELETE", f"/Groups/{made['id']}").status_code == 204
    assert directory("GET", f"/Groups/{made['id']}").status_code == 404
    assert events(made["id"]) == ["team.created", "team.removed"]
    assert events(officer) == ["team.member_added", "team.member_removed"]
    with site.inside():
        led_case(act_as(site.world, "housing_officer"), "Leaking roof")
    housing = site.world.teams["housing"]
    refused = directory("DELETE", f"/Groups/{housing}")
    assert refused.status_code == 409 and "cannot be deleted" in refused.json["detail"]
    assert members_of(directory, housing) == {str(site.world.users["housing_officer"])}
    assert "team.removed" not in events(housing)


def test_the_application_may_delete_no_team_by_itself(site: Site, database: SimpleNamespace) -> None:
    may = site.sql(
        database.superuser,
        "SELECT has_table_privilege('hub_app', 'team', 'DELETE') AS team,"
        " has_table_privilege('hub_app', 'team_membership', 'DELETE') AS membership",
    )[0]
    assert (may.team, may.membership) == (False, False)
