"""Accounts as a directory keeps them: made, changed, closed at once, opened again, deleted; and what it may not."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from uuid import UUID

from tests.directories.conftest import Asking, user
from tests.fixtures.site import Site

Events = Callable[[UUID | str], list[str]]


def test_a_directory_makes_an_account_without_a_password_or_a_role(
    site: Site, directory: Asking, database: SimpleNamespace, events: Events
) -> None:
    made = directory.make_user("New.Person@Example.org", title="Housing officer", externalId="e-1")
    assert made["userName"] == "new.person@example.org" and made["externalId"] == "e-1"
    row = site.sql(
        database.superuser,
        "SELECT organisation_id, password_hash, enrolment_hash, job_title,"
        " (SELECT count(*) FROM role_holding WHERE user_id = app_user.id) AS roles FROM app_user WHERE id = :id",
        id=made["id"],
    )[0]
    assert row.organisation_id == site.world.organisations["council"]
    assert (row.password_hash, row.enrolment_hash, row.job_title, row.roles) == (
        None,
        None,
        "Housing officer",
        0,
    )
    assert events(made["id"]) == ["user.provisioned"]


def test_roles_and_other_attributes_are_dropped_unread(
    site: Site, directory: Asking, database: SimpleNamespace
) -> None:
    roles = [{"value": "administrator"}]
    made = directory.make_user(roles=roles, entitlements=roles, clearance=2, organisation_id="x")
    path = f"/Users/{made['id']}"
    for attribute in ("roles", "entitlements", "clearance", 'roles[value eq "administrator"].value'):
        assert directory.patch(path, {"op": "add", "path": attribute, "value": roles}).status_code == 204
    put = directory("PUT", path, user("new.person@example.org", roles=roles, groups=roles))
    assert put.status_code == 200 and "roles" not in put.json
    held = site.sql(database.superuser, "SELECT role FROM role_holding WHERE user_id = :id", id=made["id"])
    assert held == []
    row = site.sql(database.superuser, "SELECT clearance FROM app_user WHERE id = :id", id=made["id"])
    assert row[0].clearance == 1


def test_a_change_is_an_event_with_what_was_before_sealed(
    site: Site, directory: Asking, database: SimpleNamespace, events: Events
) -> None:
    made = directory.make_user()
    changed = directory.patch(
        f"/Users/{made['id']}", {"op": "replace", "value": {"displayName": "Other Name", "title": "Warden"}}
    )
    assert changed.status_code == 204
    seen = directory("GET", f"/Users/{made['id']}").json
    assert (seen["displayName"], seen["title"]) == ("Other Name", "Warden")
    assert events(made["id"]) == ["user.provisioned", "user.changed", "user.opened"]
    body = site.sql(
        database.superuser, "SELECT body::text AS body FROM audit.event WHERE act = 'user.changed'"
    )[0].body
    assert "Other Name" not in body and "Warden" not in body and "New Person" not in body
    texts = site.sql(database.superuser, "SELECT name FROM audit.event_text ORDER BY name")
    assert {row.name for row in texts} >= {"change_name", "change_job_title"}
    # the same again changes nothing and writes nothing
    directory.patch(f"/Users/{made['id']}", {"op": "replace", "path": "title", "value": "Warden"})
    assert events(made["id"])[-1] == "user.opened"


def test_a_closed_account_is_out_on_its_next_click_and_its_sessions_end(
    site: Site, directory: Asking, database: SimpleNamespace, events: Events
) -> None:
    officer = site.world.users["officer"]
    client = site.as_user("officer")
    assert client.get("/cases").status_code == 200
    assert directory.close(officer).status_code == 204
    assert client.get("/cases").status_code == 302
    row = site.sql(
        database.superuser,
        "SELECT disabled_why, (SELECT count(*) FROM user_session s WHERE s.user_id = u.id AND s.ended_at IS NULL)"
        " AS open FROM app_user u WHERE id = :id",
        id=officer,
    )[0]
    assert (row.disabled_why, row.open) == ("directory", 0)
    assert events(officer)[-1] == "user.disabled"
    assert directory.reopen(officer).status_code == 204
    assert events(officer)[-1] == "user.reinstated"
    # an old cookie is worth nothing, a new session is
    assert client.get("/cases").status_code == 302
    assert site.as_user("officer").get("/cases").status_code == 200


def test_what_somebody_else_closed_is_not_opened_by_the_directory(
    site: Site, directory: Asking, database: SimpleNamespace
) -> None:
    officer = site.world.users["officer"]
    for why in ("left", "not_attested", "dormant"):
        site.sql(
            database.superuser,
            "UPDATE app_user SET disabled_at = now(), disabled_why = :why WHERE id = :id",
            why=why,
            id=officer,
        )
        refused = directory.reopen(officer)
        assert refused.status_code == 409 and "administrator" in refused.json["detail"], why
        assert directory("GET", f"/Users/{officer}").json["active"] is False
        # a change of the name beside it goes through as long as it opens nothing
        named = directory.patch(
            f"/Users/{officer}", {"op": "replace", "path": "displayName", "value": f"Amara {why}"}
        )
        assert named.status_code == 204


def test_a_deleted_account_is_closed_for_good_and_its_address_is_not_given_again(
    site: Site, directory: Asking, database: SimpleNamespace, events: Events
) -> None:
    client = site.as_user("officer")
    officer = site.world.users["officer"]
    assert directory("DELETE", f"/Users/{officer}").status_code == 204
    assert client.get("/cases").status_code == 302
    for method, body in (("GET", None), ("DELETE", None), ("PUT", user("officer@example.org"))):
        assert directory(method, f"/Users/{officer}", body).status_code == 404
    assert directory.reopen(officer).status_code == 404
    found = directory("GET", "/Users", None).json["Resources"]
    assert str(officer) not in [one["id"] for one in found]
    again = directory("POST", "/Users", user("officer@example.org"))
    assert again.status_code == 409 and again.json["scimType"] == "uniqueness"
    # its name stays in the records and its roles stay as they were: closed, they open nothing
    row = site.sql(database.superuser, "SELECT name, disabled_why FROM app_user WHERE id = :id", id=officer)[
        0
    ]
    assert (row.name, row.disabled_why) == ("Amara Okafor", "directory")
    assert [one for one in events(officer) if one.startswith("user.d")] == [
        "user.disabled",
        "user.deprovisioned",
    ]


def test_an_address_that_is_taken_is_refused_and_nothing_of_the_request_stays(
    site: Site, directory: Asking, database: SimpleNamespace, events: Events
) -> None:
    made = directory.make_user(externalId="first")
    for email in ("officer@example.org", "OFFICER@example.org", "sergeant@example.org"):
        refused = directory("POST", "/Users", user(email))
        assert refused.status_code == 409 and refused.json["scimType"] == "uniqueness", email
        # the name comes before the address in the same change: both or neither
        changed = directory.patch(
            f"/Users/{made['id']}",
            {"op": "replace", "value": {"displayName": "Halfway", "externalId": "second", "userName": email}},
        )
        assert changed.status_code == 409
    seen = directory("GET", f"/Users/{made['id']}").json
    assert (seen["displayName"], seen["externalId"]) == ("New Person", "first")
    assert events(made["id"]) == ["user.provisioned", "user.opened"]


def test_an_address_of_the_hubs_own_accounts_is_refused_and_they_are_nobody(
    site: Site, directory: Asking, database: SimpleNamespace
) -> None:
    refused = directory("POST", "/Users", user("service.nbc@hub.invalid"))
    assert refused.status_code == 400 and refused.json["scimType"] == "invalidValue"
    own = site.sql(database.superuser, "SELECT id FROM app_user WHERE email LIKE 'service.nbc@%'")[0].id
    assert directory("GET", f"/Users/{own}").status_code == 404
    assert directory.close(own).status_code == 404
    listed = directory("GET", "/Users").json
    assert "hub.invalid" not in str(listed)
    sought = directory("GET", '/Users?filter=userName eq "service.nbc@hub.invalid"').json
    assert sought["totalResults"] == 0


def test_nobody_new_comes_in_where_the_assurance_lacks(
    site: Site, directory: Asking, database: SimpleNamespace, events: Events
) -> None:
    waiting = directory.make_user("waits@example.org", active=False)
    site.sql(database.superuser, "UPDATE organisation SET created_at = now() - interval '1 year'")
    refused = directory("POST", "/Users", user("late@example.org"))
    assert refused.status_code == 409 and "assurance" in refused.json["detail"]
    assert site.sql(database.superuser, "SELECT 1 FROM app_user WHERE email = 'late@example.org'") == []
    # an account that was made beforehand, and that nobody has come in by, is as new
    assert directory.reopen(waiting["id"]).status_code == 409
    # who has left is closed all the same, and somebody who was in comes in again
    officer = site.world.users["officer"]
    site.as_user("officer")
    assert directory.close(officer).status_code == 204
    assert directory.reopen(officer).status_code == 204


def test_a_directory_finds_its_people_by_filter_page_and_order(site: Site, directory: Asking) -> None:
    made = directory.make_user("zed@example.org", externalId="Ext-7", displayName="Ann Zed")
    for sought in (
        'userName eq "ZED@example.org"',
        'externalId eq "Ext-7"',
        f'id eq "{made["id"]}"',
        'displayName sw "Ann" and active eq true',
        'meta.created gt "2020-01-01T00:00:00Z" and userName co "zed@"',
    ):
        found = directory("GET", f"/Users?filter={sought}").json
        assert [one["id"] for one in found["Resources"]] == [made["id"]], sought
    assert directory("GET", '/Users?filter=externalId eq "ext-7"').json["totalResults"] == 0
    every = directory("GET", "/Users").json
    turned = [
        directory("GET", f"/Users?startIndex={at}&count=2").json["Resources"]
        for at in range(1, every["totalResults"] + 1, 2)
    ]
    assert [one["id"] for page in turned for one in page] == [one["id"] for one in every["Resources"]]
    down = directory("GET", "/Users?sortBy=userName&sortOrder=descending").json["Resources"]
    assert [one["userName"] for one in down] == sorted((one["userName"] for one in down), reverse=True)


def test_a_change_of_what_somebody_else_has_changed_is_refused(directory: Asking) -> None:
    made = directory.make_user()
    path, version = f"/Users/{made['id']}", made["meta"]["version"]
    unchanged = directory("GET", path, If_None_Match=version)
    assert unchanged.status_code == 304 and unchanged.headers["ETag"] == version
    title = {"op": "replace", "path": "title", "value": "Warden"}
    assert directory.patch(path, title, If_Match=version).status_code == 204
    late = directory.patch(path, {**title, "value": "Other"}, If_Match=version)
    assert late.status_code == 412
    assert directory("GET", path).json["title"] == "Warden"
    assert directory("DELETE", path, If_Match=version).status_code == 412


def test_a_directory_as_those_in_use_send_it_is_understood(directory: Asking) -> None:
    sent = user(
        "entra@example.org",
        schemas=[
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        ],
        name={"givenName": "New", "familyName": "Person", "formatted": "New Person"},
        emails=[{"type": "work", "value": "entra@example.org", "primary": True}],
        phoneNumbers=[{"type": "work", "value": "+44 20 7946 0000"}],
        **{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Housing"}},
    )
    answer = directory("POST", "/Users", sent)
    assert answer.status_code == 201
    path = f"/Users/{answer.json['id']}"
    department = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"
    changed = directory.patch(
        path,
        {"op": "Replace", "path": "name.givenName", "value": "Newer"},
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "other@example.org"},
        {"op": "Add", "path": department, "value": "Parks"},
        {"op": "Replace", "path": "displayName", "value": "Newer Person"},
        {"op": "Replace", "path": "active", "value": "False"},
    )
    assert changed.status_code == 204, changed.get_data(as_text=True)
    seen = directory("GET", path).json
    assert (seen["displayName"], seen["active"]) == ("Newer Person", False)
    assert seen["userName"] == "entra@example.org"


def test_who_gets_another_address_is_told_at_the_one_that_they_still_read(
    site: Site, directory: Asking, database: SimpleNamespace
) -> None:
    officer = site.world.users["officer"]
    moved = {"op": "replace", "path": "userName", "value": "elsewhere@example.net"}
    assert directory.patch(f"/Users/{officer}", moved).status_code == 204
    sent = "SELECT to_address, user_id FROM outbox_message WHERE kind = 'user.changed'"
    assert site.sql(database.superuser, sent) == [("officer@example.org", officer)]
    # a new name is nothing to be warned of
    named = {"op": "replace", "path": "displayName", "value": "Amara Adeyemi"}
    assert directory.patch(f"/Users/{officer}", named).status_code == 204
    assert len(site.sql(database.superuser, sent)) == 1


def test_an_account_that_is_opened_after_long_has_lost_its_roles_and_the_spoc_is_told(
    site: Site, database: SimpleNamespace, directory: Asking
) -> None:
    """For a month it keeps them; whoever comes back later seldom does what they did."""
    officer = site.world.users["officer"]

    def roles() -> int:
        held = "SELECT count(*) FROM role_holding WHERE user_id = :id AND ended_at IS NULL"
        return int(site.sql(database.superuser, held, id=officer)[0][0])

    for days, left in ((29, 1), (31, 0)):
        assert directory.close(officer).status_code == 204
        site.sql(
            database.superuser,
            "UPDATE app_user SET disabled_at = now() - make_interval(days => :days) WHERE id = :id",
            days=days,
            id=officer,
        )
        assert directory.reopen(officer).status_code == 204 and roles() == left, days
    told = site.sql(database.superuser, "SELECT user_id, address FROM notification WHERE kind = 'role.ended'")
    assert [tuple(row) for row in told] == [(site.world.users["spoc"], f"/admin/users/{officer}")]
    ended = site.sql(
        database.superuser,
        "SELECT count(*) FROM audit.event WHERE act = 'role.ended' AND object_id = :id",
        id=officer,
    )
    assert ended[0][0] == 1


def test_a_directory_does_not_open_an_account_past_its_last_day(
    site: Site, database: SimpleNamespace, directory: Asking
) -> None:
    officer = site.world.users["officer"]
    assert directory.close(officer).status_code == 204
    site.sql(
        database.superuser, "UPDATE app_user SET access_ends_on = current_date - 2 WHERE id = :id", id=officer
    )
    assert directory.reopen(officer).status_code == 409
    site.sql(
        database.superuser, "UPDATE app_user SET access_ends_on = current_date + 2 WHERE id = :id", id=officer
    )
    assert directory.reopen(officer).status_code == 204
