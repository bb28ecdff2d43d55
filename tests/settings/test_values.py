"""What holds on which day: from its first moment in London, the last that was set, the hub's own where nothing can be read."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask

from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.core import clock
from hub.core.errors import Conflict, Denied, Invalid, NotVisible
from hub.extensions import db
from hub.settings.actions import set_value, withdraw_value
from hub.settings.catalogue import (
    CONDITIONS_REFUSE,
    DORMANT_DAYS,
    SETTINGS,
    SHARE_DAYS,
    TRAINING_MONTHS,
    VETTING_MINIMUM,
    Setting,
)
from hub.settings.forms import SettingForm, parse_setting
from hub.settings.queries import find_standing, list_retired
from hub.settings.values import value_of, values_in
from tests.conftest import QueryCount
from tests.fixtures.site import Site
from tests.fixtures.world import World, act_as
from tests.settings.conftest import Hand, Sql

OTHER = "eastmere"


def now_in(site: Site, setting: Setting[int] = DORMANT_DAYS, partnership: str = "northbrook") -> int:
    with site.inside():
        enter(db.session(), NOBODY)
        return value_of(site.world.partnerships[partnership], setting)


def stored(site: Site, sql: Sql, value: str, day: date, number: int, code: str = "dormant_days") -> None:
    sql(
        "INSERT INTO setting (id, created_at, partnership_id, code, value, effective_from, number, set_by)"
        " VALUES (gen_random_uuid(), '2020-01-01', :partnership, :code, :value, :day, :number, :user)",
        partnership=site.world.partnerships["northbrook"],
        code=code,
        value=value,
        day=day,
        number=number,
        user=site.world.users["spoc"],
    )


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=list(SETTINGS))
def test_every_default_is_a_value_of_its_kind_and_can_be_stored(setting: Setting[object]) -> None:
    text = setting.kind.write(setting.default)
    assert setting.kind.read(text) == setting.default
    assert len(text) <= 40 and setting.kind.words(setting.default)
    assert len(f"settings.change.{setting.code}") <= 60 and setting.code.replace("_", "").isalpha()


def test_without_anything_set_the_hubs_own_holds(app: Flask, world: World) -> None:
    enter(db.session(), NOBODY)
    here = world.partnerships["northbrook"]
    assert value_of(here, DORMANT_DAYS) == 60 and value_of(here, TRAINING_MONTHS) == 12
    assert value_of(here, CONDITIONS_REFUSE) is False and value_of(here, VETTING_MINIMUM) == "none"


def test_a_value_holds_from_its_day_and_only_in_its_partnership(site: Site, hand: Hand) -> None:
    hand.set(DORMANT_DAYS, 30)
    assert now_in(site) == 60
    hand.come()
    assert now_in(site) == 30 and now_in(site, partnership=OTHER) == 60
    hand.set(DORMANT_DAYS, 45, days=0)
    assert now_in(site) == 45
    assert now_in(site, SHARE_DAYS) == 90


@pytest.mark.parametrize(
    ("moment", "held"),
    [
        # winter time until one in the morning of that day
        ("2026-03-28T23:59:59", 60),
        ("2026-03-29T00:00:00", 30),
        # summer time: the day begins an hour earlier than it does in UTC
        ("2026-03-30T22:59:59", 30),
        ("2026-03-30T23:00:00", 20),
        ("2026-10-24T22:59:59", 20),
        ("2026-10-24T23:00:00", 70),
    ],
)
def test_a_day_begins_at_midnight_in_london(
    site: Site, sql: Sql, monkeypatch: pytest.MonkeyPatch, moment: str, held: int
) -> None:
    for number, (value, day) in enumerate(
        [("30", date(2026, 3, 29)), ("20", date(2026, 3, 31)), ("70", date(2026, 10, 25))], 1
    ):
        stored(site, sql, value, day, number)
    monkeypatch.setattr(clock, "now", lambda: datetime.fromisoformat(moment).replace(tzinfo=UTC))
    assert now_in(site) == held


def test_of_one_day_what_was_set_last_holds_and_nothing_is_lost(site: Site, hand: Hand, sql: Sql) -> None:
    hand.set(DORMANT_DAYS, 30)
    hand.set(DORMANT_DAYS, 20, user="police_spoc")
    hand.set(DORMANT_DAYS, 40, days=9)
    hand.come()
    assert now_in(site) == 20
    assert [row.value for row in sql("SELECT value FROM setting ORDER BY number")] == ["30", "20", "40"]


def test_two_at_once_are_both_kept_and_the_later_holds(site: Site, sql: Sql) -> None:
    together, failed = threading.Barrier(2), []

    def act(user: str, value: int) -> None:
        try:
            with site.inside():
                actor = act_as(site.world, user)
                together.wait(timeout=30)
                set_value(actor, DORMANT_DAYS, SettingForm(value, clock.today()))
                db.session.commit()
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    both = [threading.Thread(target=act, args=one) for one in (("spoc", 30), ("police_spoc", 40))]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert not failed, failed
    rows = sql("SELECT number, value FROM setting ORDER BY number")
    assert [row.number for row in rows] == [1, 2] and {row.value for row in rows} == {"30", "40"}
    assert now_in(site) == int(rows[1].value)
    assert sql("SELECT count(*) FROM audit.event WHERE act = 'setting.set'")[0][0] == 2


def test_a_coming_value_is_withdrawn_before_its_day_and_not_after(app: Flask, world: World) -> None:
    actor = act_as(world, "spoc")
    coming = set_value(actor, DORMANT_DAYS, SettingForm(30, clock.today() + timedelta(days=1)))
    begun = set_value(actor, DORMANT_DAYS, SettingForm(40, clock.today()))
    db.session.commit()
    withdraw_value(act_as(world, "police_spoc"), coming.id)
    db.session.commit()
    with pytest.raises(Conflict, match="withdrawn_already"):
        withdraw_value(actor, coming.id)
    with pytest.raises(Conflict, match="holds_already"):
        withdraw_value(actor, begun.id)
    standing, history = find_standing(actor, DORMANT_DAYS)
    assert standing.coming == () and standing.words == "40 days"
    assert [one.stored.withdrawn_by for one in history] == [world.users["police_spoc"], None]


def test_a_withdrawn_value_does_not_hold_when_its_day_comes(site: Site, hand: Hand, sql: Sql) -> None:
    hand.set(DORMANT_DAYS, 30)
    with site.inside():
        [row] = sql("SELECT id FROM setting")
        withdraw_value(act_as(site.world, "spoc"), row.id)
        db.session.commit()
    sql("UPDATE setting SET withdrawn_at = withdrawn_at - interval '1 day'")
    hand.come()
    assert now_in(site) == 60


def test_another_partnerships_value_is_nobodys_to_withdraw(site: Site, hand: Hand, sql: Sql) -> None:
    hand.set(DORMANT_DAYS, 30)
    [row] = sql("SELECT id FROM setting")
    sql("UPDATE setting SET partnership_id = :other", other=site.world.partnerships[OTHER])
    with site.inside(), pytest.raises(NotVisible):
        withdraw_value(act_as(site.world, "spoc"), row.id)


def test_what_the_hub_knows_no_more_is_ignored_and_shown_as_retired(site: Site, sql: Sql) -> None:
    stored(site, sql, "7", date(2026, 1, 1), 1, code="old_number")
    stored(site, sql, "9999", date(2026, 1, 1), 1)
    stored(site, sql, "yes", date(2026, 1, 1), 1, code="vetting_minimum")
    assert now_in(site) == 60
    with site.inside():
        actor = act_as(site.world, "spoc")
        assert value_of(actor.partnership_id, VETTING_MINIMUM) == "none"
        assert [(one.code, one.value) for one in list_retired(actor)] == [("old_number", "7")]
        standing, history = find_standing(actor, DORMANT_DAYS)
        assert standing.words == "60 days" and history[0].words == "9999 (not possible any more)"
    client = site.as_user("spoc")
    page = client.get("/admin/settings").text
    assert "Retired settings" in page and "old_number" in page
    assert "Retired" in client.get("/admin/settings/dormant_days").text
    assert client.get("/admin/settings/old_number").status_code == 404


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"chosen": "13"}, "chosen"),
        ({"chosen": "81"}, "chosen"),
        ({"chosen": "many"}, "chosen"),
        ({"chosen": ""}, "chosen"),
        ({"chosen": "-20"}, "chosen"),
        ({"chosen": "20.5"}, "chosen"),
        ({"chosen": "٢٠"}, "chosen"),
        ({"chosen": "9" * 1000}, "chosen"),
        ({"effective_from": "2027-02-30"}, "effective_from"),
        ({"effective_from": "2026-01-01"}, "effective_from"),
        ({"effective_from": "9999-12-31"}, "effective_from"),
        ({"effective_from": "tomorrow"}, "effective_from"),
        ({"effective_from": ""}, "effective_from"),
    ],
)
def test_a_wrong_value_or_day_is_refused_beside_its_field(given: dict[str, str], field: str) -> None:
    right = {"chosen": "20", "effective_from": (clock.today() + timedelta(days=1)).isoformat()}
    assert parse_setting(right, DORMANT_DAYS) == SettingForm(20, clock.today() + timedelta(days=1))
    with pytest.raises(Invalid) as refused:
        parse_setting({**right, **given}, DORMANT_DAYS)
    assert set(refused.value.errors) == {field}


@pytest.mark.parametrize(("setting", "wrong"), [(VETTING_MINIMUM, "top"), (CONDITIONS_REFUSE, "perhaps")])
def test_a_choice_must_be_on_its_list(setting: Setting[object], wrong: str) -> None:
    with pytest.raises(Invalid):
        parse_setting({"chosen": wrong, "effective_from": clock.today().isoformat()}, setting)


def test_nothing_is_backdated_in_the_action_or_in_the_database(app: Flask, world: World) -> None:
    actor = act_as(world, "spoc")
    yesterday = SettingForm(20, clock.today() - timedelta(days=1))
    with pytest.raises(Invalid, match="backdated"):
        set_value(actor, DORMANT_DAYS, yesterday)
    db.session.rollback()
    with pytest.raises(Denied):
        set_value(act_as(world, "officer"), DORMANT_DAYS, SettingForm(20, clock.today()))


def test_the_database_takes_no_backdated_value_and_no_late_withdrawal(
    site: Site, hand: Hand, sql: Sql
) -> None:
    hand.set(DORMANT_DAYS, 30, days=0)
    for change in (
        "UPDATE setting SET effective_from = effective_from - 1",
        "UPDATE setting SET withdrawn_at = now(), withdrawn_by = set_by",
        "UPDATE setting SET withdrawn_by = set_by",
    ):
        with pytest.raises(Exception, match="ck_setting_"):
            sql(change)


def test_what_holds_is_one_statement_for_one_or_for_many(
    site: Site, hand: Hand, count_queries: QueryCount
) -> None:
    hand.set(DORMANT_DAYS, 30, days=0)
    ids: list[UUID] = list(site.world.partnerships.values())
    with site.inside():
        enter(db.session(), NOBODY)
        # as whom a connection finds is set by its first statement
        value_of(ids[0], DORMANT_DAYS)
        with count_queries() as seen:
            assert values_in(ids)[site.world.partnerships["northbrook"]][DORMANT_DAYS] == 30
        assert seen.count == 1
        with count_queries() as seen:
            assert value_of(ids[0], DORMANT_DAYS) == 30
        assert seen.count == 1
