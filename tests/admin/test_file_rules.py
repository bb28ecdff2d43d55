"""Which files a partnership takes: narrower than the hub's own list, never wider, and by an administrator alone."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from flask import Flask

from hub.attachments.file_policy import FileRules, check_taken_here, policy_of, set_policy
from hub.attachments.types import TAKEN
from hub.core.errors import Denied, Invalid
from hub.extensions import db
from tests.fixtures.site import Site
from tests.fixtures.world import World, act_as

GIVEN = {
    "extensions": ["pdf", "txt"],
    "max_mib": "500",
    "max_files": "100",
    "user_quota_mib": "1,000",
    "organisation_quota_mib": "9000",
}


def test_without_rules_the_hubs_own_hold(app: Flask, world: World) -> None:
    assert policy_of(act_as(world, "officer").partnership_id) == FileRules()
    assert FileRules().extensions == frozenset(TAKEN)


def test_an_administrator_narrows_the_list(site: Site, database: SimpleNamespace) -> None:
    spoc = site.as_user("spoc")
    assert spoc.get("/admin/files").status_code == 200
    assert spoc.post("/admin/files", GIVEN).status_code == 303
    with site.inside():
        partnership_id = act_as(site.world, "officer").partnership_id
        rules = policy_of(partnership_id)
        assert (rules.extensions, rules.max_mib, rules.user_quota_mib) == ({"pdf", "txt"}, 500, 1000)
        check_taken_here(partnership_id, "pdf")
        with pytest.raises(Invalid, match="file_not_here"):
            check_taken_here(partnership_id, "mp4")
    events = site.sql(database.superuser, "SELECT count(*) FROM audit.event WHERE act = 'file_policy.set'")
    assert events[0][0] == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("extensions", ["pdf", "exe"]),
        ("extensions", []),
        ("max_mib", "0"),
        ("max_mib", "99999999999999"),
        ("max_files", "two"),
        ("user_quota_mib", "-1"),
        ("organisation_quota_mib", "٣"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_changes(site: Site, field: str, value: object) -> None:
    answer = site.as_user("spoc").post("/admin/files", {**GIVEN, field: value})
    assert answer.status_code == 422 and f'id="{field}-error"' in answer.get_data(as_text=True)
    with site.inside():
        assert policy_of(act_as(site.world, "officer").partnership_id) == FileRules()


def test_nobody_else_sets_them(site: Site, app: Flask, world: World) -> None:
    for user in ("officer", "reader"):
        assert site.as_user(user).get("/admin/files").status_code == 403
        assert site.as_user(user).post("/admin/files", GIVEN).status_code == 403
    with pytest.raises(Denied):
        set_policy(
            act_as(world, "officer"),
            extensions=["pdf"],
            max_mib=1,
            user_quota_mib=1,
            organisation_quota_mib=1,
            max_files=1,
        )
    db.session.rollback()
