"""The monthly round: one list a month, suspended at its due, sessions dead at the next request, opened again."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Event
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.accounts import service
from hub.attestations import jobs
from hub.attestations.policy import due_of, month_of
from hub.extensions import db
from tests.conftest import as_worker, by_worker
from tests.fixtures.site import Site

attest_access = by_worker(jobs.attest_access)

COUNCIL = {"officer", "manager", "housing_officer", "reader", "auditor", "spoc"}


def run(site: Site) -> int:
    with site.inside():
        enter(db.session(), NOBODY)
        return attest_access(Event())


def make_due(site: Site, database: SimpleNamespace) -> None:
    site.sql(database.superuser, "UPDATE attestation SET due_at = now() - interval '1 second'")


def lines(site: Site, database: SimpleNamespace) -> dict[UUID, Any]:
    rows = site.sql(
        database.superuser,
        "SELECT l.*, u.disabled_at, u.disabled_why FROM attestation_line l JOIN app_user u ON u.id = l.user_id"
        " WHERE u.organisation_id = :own",
        own=site.world.organisations["council"],
    )
    return {row.user_id: row for row in rows}


def list_of(site: Site, database: SimpleNamespace) -> UUID:
    found: UUID = site.sql(
        database.superuser,
        "SELECT id FROM attestation WHERE organisation_id = :own",
        own=site.world.organisations["council"],
    )[0][0]
    return found


def confirm(site: Site, database: SimpleNamespace, *users: str, by: str = "spoc") -> Any:
    ids = [str(site.world.users[user]) for user in users]
    return site.as_user(by).post(
        f"/admin/attestation/{list_of(site, database)}/confirm", {"user": ids} if ids else {}
    )


def second_administrator(site: Site, database: SimpleNamespace, user: str = "manager") -> None:
    site.sql(
        database.superuser,
        "INSERT INTO role_holding (user_id, partnership_id, role, granted_at) VALUES (:user, :area, 'administrator', now())",
        user=site.world.users[user],
        area=site.world.partnerships["northbrook"],
    )


def acts(site: Site, database: SimpleNamespace, act: str) -> int:
    return int(
        site.sql(database.superuser, "SELECT count(*) FROM audit.event WHERE act = :act", act=act)[0][0]
    )


def lists(site: Site, database: SimpleNamespace) -> int:
    return int(site.sql(database.superuser, "SELECT count(*) FROM attestation")[0][0])


def test_a_double_run_makes_one_list_of_every_user_and_tells_once(
    site: Site, database: SimpleNamespace
) -> None:
    with site.inside(), as_worker(), service.acting_for(site.world.organisations["council"]):
        # the hub's own account is there, and is on no list
        pass
    assert run(site) >= 4 and run(site) == 0
    assert set(lines(site, database)) == {site.world.users[user] for user in COUNCIL}
    told = site.sql(
        database.superuser,
        "SELECT user_id, reference, address FROM notification WHERE kind = 'attestation.made' AND user_id = :spoc",
        spoc=site.world.users["spoc"],
    )
    month = month_of(datetime.now(UTC))
    assert [tuple(row)[1:] for row in told] == [(f"access-{month}", "/admin/attestation")]
    assert acts(site, database, "attestation.made") == lists(site, database)


@pytest.mark.parametrize(
    ("now", "month", "due"),
    [
        (datetime(2026, 11, 1, 4, 20, tzinfo=UTC), "2026-11", datetime(2026, 12, 1, tzinfo=UTC)),
        (datetime(2026, 11, 25, 4, 20, tzinfo=UTC), "2026-11", datetime(2026, 12, 10, tzinfo=UTC)),
        (datetime(2026, 12, 1, 4, 20, tzinfo=UTC), "2026-12", datetime(2027, 1, 1, tzinfo=UTC)),
        # summer time: the midnight is London's
        (datetime(2026, 5, 31, 23, 30, tzinfo=UTC), "2026-06", datetime(2026, 6, 30, 23, tzinfo=UTC)),
        (datetime(2026, 10, 1, 3, 20, tzinfo=UTC), "2026-10", datetime(2026, 11, 1, tzinfo=UTC)),
    ],
)
def test_a_list_is_due_at_the_end_of_its_month_and_never_at_once(
    now: datetime, month: str, due: datetime
) -> None:
    assert month_of(now) == month and due_of(now) == due


def test_who_is_not_confirmed_is_out_at_the_next_request(site: Site, database: SimpleNamespace) -> None:
    run(site)
    assert confirm(site, database, "officer", "spoc").status_code == 303
    manager, officer = site.as_user("manager"), site.as_user("officer")
    assert run(site) == 0 and manager.get("/account").status_code == 200
    make_due(site, database)
    assert run(site) >= 1 and run(site) == 0
    found = lines(site, database)
    suspended = {key for key, row in found.items() if row.suspended_at}
    assert suspended == {site.world.users[user] for user in COUNCIL - {"officer", "spoc"}}
    assert all(found[key].disabled_why == "not_attested" and found[key].disabled_at for key in suspended)
    assert manager.get("/account").status_code == 302 and officer.get("/account").status_code == 200
    live = "SELECT count(*) FROM user_session WHERE user_id = :user AND ended_at IS NULL"
    assert site.sql(database.superuser, live, user=site.world.users["manager"])[0][0] == 0
    assert acts(site, database, "attestation.closed") == lists(site, database)
    assert acts(site, database, "user.disabled") >= len(suspended)
    notices = site.sql(
        database.superuser,
        "SELECT count(*) FROM notification WHERE kind = 'attestation.made' AND user_id = :spoc",
        spoc=site.world.users["spoc"],
    )
    assert notices[0][0] == 2
    assert confirm(site, database, "manager").status_code == 409


def test_a_suspended_account_is_opened_again_and_confirmed(site: Site, database: SimpleNamespace) -> None:
    run(site)
    confirm(site, database, "officer", "spoc")
    make_due(site, database)
    run(site)
    spoc, key = site.as_user("spoc"), site.world.users["manager"]
    page = spoc.get("/admin/attestation").text
    assert "2 of 6 confirmed" in page and "4 accounts are suspended" in page
    assert spoc.post(f"/admin/attestation/users/{key}/reinstate").status_code == 303
    assert site.as_user("manager").get("/account").status_code == 200
    row = lines(site, database)[key]
    assert (
        row.confirmed_by == site.world.users["spoc"] and row.suspended_at is None and row.disabled_why is None
    )
    assert acts(site, database, "user.reinstated") == 1
    assert "3 of 6 confirmed" in spoc.get("/admin/attestation").text
    assert spoc.post(f"/admin/attestation/users/{key}/reinstate").status_code == 409
    for other in ("sergeant", "officer"):
        answer = spoc.post(f"/admin/attestation/users/{site.world.users[other]}/reinstate")
        assert answer.status_code == (404 if other == "sergeant" else 409)


def test_an_account_that_an_administrator_closed_is_not_opened_here(
    site: Site, database: SimpleNamespace
) -> None:
    run(site)
    spoc, key = site.as_user("spoc"), site.world.users["reader"]
    spoc.post(f"/admin/users/{key}/close")
    assert lines(site, database)[key].disabled_why == "left"
    assert spoc.post(f"/admin/attestation/users/{key}/reinstate").status_code == 409
    page = spoc.get("/admin/attestation").text
    assert "0 of 5 confirmed" in page and "1 account of the list closed" in page
    make_due(site, database)
    run(site)
    assert lines(site, database)[key].suspended_at is None


def test_the_last_administrators_stay_so_that_somebody_can_open_the_others(
    site: Site, database: SimpleNamespace
) -> None:
    run(site)
    make_due(site, database)
    run(site)
    found = lines(site, database)
    assert {key for key, row in found.items() if not row.suspended_at} == {site.world.users["spoc"]}
    second_administrator(site, database)
    assert site.as_user("spoc").get("/admin/attestation").status_code == 200


def test_an_unconfirmed_administrator_is_suspended_where_another_is_there(
    site: Site, database: SimpleNamespace
) -> None:
    run(site)
    second_administrator(site, database)
    assert confirm(site, database, "manager").status_code == 303
    make_due(site, database)
    run(site)
    assert lines(site, database)[site.world.users["spoc"]].suspended_at


def test_nobody_confirms_themselves_unless_nobody_else_can(site: Site, database: SimpleNamespace) -> None:
    run(site)
    page = site.as_user("spoc").get("/admin/attestation").text
    assert "You are the only administrator" in page and f'value="{site.world.users["spoc"]}"' in page
    second_administrator(site, database)
    page = site.as_user("spoc").get("/admin/attestation").text
    assert "Another administrator confirms you" in page and f'value="{site.world.users["spoc"]}"' not in page
    assert confirm(site, database, "spoc", "officer").status_code == 403
    assert all(row.confirmed_at is None for row in lines(site, database).values())
    assert confirm(site, database, "spoc", by="manager").status_code == 303
    assert lines(site, database)[site.world.users["spoc"]].confirmed_by == site.world.users["manager"]


def test_only_an_administrator_of_the_organisation_confirms(site: Site, database: SimpleNamespace) -> None:
    run(site)
    assert confirm(site, database).status_code == 422
    assert confirm(site, database, "officer", by="officer").status_code == 403
    assert confirm(site, database, "officer", by="police_spoc").status_code == 404
    # somebody of another organisation is on no line of ours
    assert confirm(site, database, "sergeant").status_code == 303
    assert not site.sql(database.superuser, "SELECT 1 FROM attestation_line WHERE confirmed_at IS NOT NULL")


def test_the_page_tells_what_each_user_reaches(site: Site, database: SimpleNamespace) -> None:
    run(site)
    assert "No list yet" not in site.as_user("spoc").get("/admin/attestation").text
    page = site.as_user("spoc").get("/admin/attestation").text
    for words in (
        "0 of 6 confirmed",
        "Amara Okafor",
        "Community safety officer",
        "Northbrook Partnership: Practitioner, Supervisor",
        "OFFICIAL-SENSITIVE",
        "0 live shares",
    ):
        assert words in page, words
    assert "Tomasz Nowak" not in page and service.NAME not in page
    site.sql(
        database.superuser,
        "INSERT INTO team_membership (team_id, user_id, joined_at) VALUES (:team, :user, now())",
        team=site.world.teams["npt"],
        user=site.world.users["officer"],
    )
    with site.inside():
        from tests.fixtures.shares import led_record, shared
        from tests.fixtures.world import act_as

        record = led_record(act_as(site.world, "sergeant"))
        shared(site.world, record, by="sergeant", to="council", taken_by="officer")
    page = site.as_user("spoc").get("/admin/attestation").text
    assert "Also in Northbrook neighbourhood team (Northbrook Police)" in page
    assert page.count("OFFICIAL-SENSITIVE, 1 live share") == 6
    assert "Amara Okafor" not in site.as_user("spoc").get("/admin/attestation?state=confirmed").text


def test_before_the_first_round_the_page_says_so(site: Site) -> None:
    assert "No list yet" in site.as_user("spoc").get("/admin/attestation").text
