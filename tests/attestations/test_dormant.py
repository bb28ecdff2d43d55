"""Accounts that nobody used for 60 days are suspended by the clock, once, with an event and a notice; and opened again."""

from __future__ import annotations

from threading import Event
from types import SimpleNamespace
from typing import Any

from hub.attestations import dormant
from hub.jobs import housekeeping
from hub.jobs.app import REGULAR
from tests.conftest import by_worker
from tests.fixtures.site import Site

suspend_dormant = by_worker(dormant.suspend_dormant)
OLD = "now() - interval '61 days'"


def run(site: Site) -> int:
    with site.inside():
        return suspend_dormant(Event())


def test_who_was_not_there_for_60_days_is_suspended_and_the_spoc_told(
    site: Site, database: SimpleNamespace
) -> None:
    def sql(statement: str, **values: Any) -> list[Any]:
        return site.sql(database.superuser, statement, **values)

    assert run(site) == 0
    users = site.world.users
    sql(f"UPDATE app_user SET created_at = {OLD}")
    present, away, spoc, reader = (site.as_user(user) for user in ("officer", "manager", "spoc", "reader"))
    assert all(client.csrf for client in (present, away, spoc, reader))
    # the world's sessions are those of commands; a person's are of the web
    for user, days in (("officer", 0), ("spoc", 1), ("reader", 59), ("manager", 61)):
        sql(
            "UPDATE user_session SET kind = 'web', last_seen_at = now() - make_interval(days => :days) WHERE user_id = :user",
            user=users[user],
            days=days,
        )
    assert run(site) > 3
    assert run(site) == 0
    rows = sql("SELECT id, disabled_why, disabled_at IS NOT NULL AS out FROM app_user")
    found = {row.id: (row.disabled_why, row.out) for row in rows}
    assert found[users["manager"]] == ("dormant", True) and found[users["auditor"]] == ("dormant", True)
    for user in ("officer", "spoc", "reader"):
        assert found[users[user]] == (None, False), user
    # where no administrator would be left, they stay
    assert found[users["police_spoc"]] == (None, False) and found[users["sergeant"]] == ("dormant", True)
    assert present.get("/account").status_code == 200 and away.get("/account").status_code == 302
    told = sql(
        "SELECT count(*) FROM notification WHERE kind = 'user.disabled' AND user_id = :u", u=users["spoc"]
    )
    assert told[0][0] == 1
    events = sql(
        "SELECT count(*) FROM audit.event WHERE act = 'user.disabled' AND object_id = :u", u=users["manager"]
    )
    assert events[0][0] == 1
    page = spoc.get(f"/admin/users/{users['manager']}").text
    assert "Suspended: not used for a long time" in page and "Open the account again" in page
    assert spoc.post(f"/admin/attestation/users/{users['manager']}/reinstate").status_code == 303
    assert run(site) == 0
    assert sql("SELECT disabled_at FROM app_user WHERE id = :u", u=users["manager"]) == [(None,)]


def test_it_runs_daily_and_sessions_are_kept_for_longer_than_it_counts() -> None:
    [regular] = [one for one in REGULAR if one.name == "suspend_dormant"]
    minute, hour, *days = regular.cron.split()
    assert minute.isdigit() and hour.isdigit() and days == ["*"] * 3
    assert housekeeping.SESSIONS_KEPT.days > 60
