"""Thresholds of alerts: set by who does not read them, within bounds, from a day on, and shown to the auditor."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from hub.core import clock
from hub.reviews.rules import RULES
from tests.fixtures.site import Client, Site
from tests.reviews.seeding import Log, at, with_purpose

PAGE = "/alert-rules"
SET = (
    "INSERT INTO audit.alert_setting (id, created_at, organisation_id, rule, threshold, valid_from, set_by)"
    " VALUES (gen_random_uuid(), now(), :organisation, :rule, :threshold, :day, :user)"
)


def today(days: int = 0) -> str:
    return (clock.today() + timedelta(days=days)).isoformat()


def put(client: Client, rule: str, number: object, day: str, newest: object = "") -> Any:
    values = {"threshold": str(number), "valid_from": day, "newest": str(newest)}
    return client.post(f"{PAGE}/{rule}", {f"{name}-{rule}": text for name, text in values.items()})


def settings(log: Log) -> list[Any]:
    return log.sql(
        "SELECT id, rule, threshold, valid_from::text, set_by FROM audit.alert_setting ORDER BY id"
    )


def at_once(log: Log, rule: str, threshold: int, day: str, organisation: str = "council") -> None:
    """A setting of a day long past: the trigger, which refuses that, is away for it."""
    world = log.site.world
    log.sql("ALTER TABLE audit.alert_setting DISABLE TRIGGER watch_setting")
    log.sql(
        SET,
        organisation=world.organisations[organisation],
        rule=rule,
        threshold=threshold,
        day=day,
        user=world.users["spoc"],
    )
    log.sql("ALTER TABLE audit.alert_setting ENABLE TRIGGER watch_setting")


def test_the_administrator_sets_a_number_and_the_auditor_sees_it(
    site: Site, log: Log, auditor: Client
) -> None:
    assert put(site.as_user("spoc"), "bulk", 60, today()).status_code == 303
    ((key, *rest),) = settings(log)
    assert rest == ["bulk", 60, today(), site.world.users["spoc"]]
    event = log.sql("SELECT category, object_id, body FROM audit.event WHERE act = 'threshold.set'")[0]
    assert (event.category, event.object_id) == ("admin", key)
    assert json.loads(event.body)["facts"] == {"rule": "bulk", "threshold": 60, "valid_from": today()}
    page = auditor.get("/audit/alerts").text
    assert "opened more than 60 different cases" in page and "set by Lena Marsh" in page
    # the other rules, and another organisation's
    assert "Threshold in force: 25, the hub’s own number" in page
    assert (
        "opened more than 40 different"
        in with_purpose(site.as_user("police_auditor")).get("/audit/alerts").text
    )


def test_a_number_that_comes_later_is_shown_and_not_in_force(site: Site, log: Log, auditor: Client) -> None:
    assert put(site.as_user("spoc"), "bulk", 60, today(3)).status_code == 303
    page = auditor.get("/audit/alerts").text
    assert "opened more than 40 different" in page and "Then 60 from" in page
    assert "Then" in site.as_user("spoc").get(PAGE).text


@pytest.mark.parametrize(("number", "day"), [(201, 0), (9, 0), ("", 0), ("-40", 0), ("4\u0660", 0), (60, -1)])
def test_what_would_switch_a_rule_off_or_judge_the_past_is_refused(
    site: Site, log: Log, number: object, day: int
) -> None:
    answer = put(site.as_user("spoc"), "bulk", number, today(day))
    words = "Enter a number from 10 to 200" if day == 0 else "It must be today or later"
    assert answer.status_code == 422 and words in answer.text
    assert settings(log) == []


@pytest.mark.parametrize("user", ["officer", "manager", "auditor", "sergeant"])
def test_nobody_else_sets_a_number(site: Site, log: Log, user: str) -> None:
    client = site.as_user(user)
    assert client.get(PAGE).status_code == 403
    assert put(client, "bulk", 60, today()).status_code == 403
    assert settings(log) == []


def test_the_data_protection_officer_may_and_an_auditor_who_holds_the_role_as_well_may_not(
    site: Site, log: Log
) -> None:
    world = site.world
    add = "INSERT INTO role_holding (user_id, partnership_id, role, granted_at) VALUES (:user, :area, :role, now())"
    for user, role in (("reader", "data_protection"), ("auditor", "administrator")):
        log.sql(add, user=world.users[user], area=world.partnerships["northbrook"], role=role)
    both = site.as_user("auditor")
    page = both.get(PAGE)
    assert page.status_code == 200 and "Somebody else sets these numbers" in page.text
    assert '<form action="/alert-rules' not in page.text
    assert put(both, "bulk", 60, today()).status_code == 403 and settings(log) == []
    assert put(site.as_user("reader"), "bulk", 60, today()).status_code == 303


def test_two_who_set_the_same_rule_do_not_undo_each_other(site: Site, log: Log) -> None:
    client = site.as_user("spoc")
    assert put(client, "bulk", 60, today()).status_code == 303
    assert put(client, "bulk", 70, today()).status_code == 409
    first = settings(log)[0][0]
    assert put(client, "bulk", 70, today(), first).status_code == 303
    assert [row[2] for row in settings(log)] == [60, 70]
    assert put(client, "no_such_rule", 60, today()).status_code == 404


def test_a_day_is_judged_by_the_number_that_held_on_it(log: Log) -> None:
    at_once(log, "denied_series", 20, "2025-03-01")
    at_once(log, "denied_series", 8, "2025-03-12")
    at_once(log, "denied_series", 30, "2025-03-13", "police")
    for days in (-1, 0):
        log.add("manager", [at(15, step, days=days) for step in range(9)], outcome="denied")
    assert log.run() == 1
    assert log.alerts() == [("denied_series", "manager", 9, 9)]
    assert str(log.sql("SELECT day FROM audit.alert")[0][0]) == "2025-03-12"
    # of two for the same day the last one counts
    log.sql("DELETE FROM audit.alert")
    log.rewind()
    log.sql("UPDATE audit.alert_setting SET threshold = 9 WHERE threshold = 8")
    assert log.run() == 1


def test_without_a_setting_the_numbers_are_the_hub_s_own(log: Log) -> None:
    at_once(log, "bulk", 10, "2025-03-12", "police")
    most = RULES["bulk"].threshold
    log.add("manager", [at(14) + timedelta(seconds=60 * step) for step in range(most)])
    assert log.run() == 0


def test_the_database_keeps_the_bounds_and_what_was_set(log: Log, site: Site) -> None:
    world = site.world
    values = {"organisation": world.organisations["council"], "user": world.users["spoc"], "rule": "bulk"}
    for threshold, day in ((201, today()), (9, today()), (60, today(-1))):
        with pytest.raises(sa.exc.IntegrityError):
            log.sql(SET, **values, threshold=threshold, day=day)
    app = log.database.app
    for statement in (
        "UPDATE audit.alert_setting SET threshold = 1",
        "DELETE FROM audit.alert_setting",
        "UPDATE audit.alert_rule SET highest = 100000",
    ):
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            site.sql(app, statement)
    # nor for another organisation, or in somebody else's name
    with pytest.raises(sa.exc.ProgrammingError, match="row-level security"):
        site.sql(app, SET, **values, threshold=60, day=today())
