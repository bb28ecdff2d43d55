"""The pages of settings: what holds and comes, one form, a history; told to the other administrators; nothing typed is lost."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

from hub.core import clock
from hub.settings.catalogue import DORMANT_DAYS
from hub.web.filters import format_date
from tests.conftest import QueryCount
from tests.fixtures.site import Site
from tests.settings.conftest import Hand, Sql

LIST, ONE = "/admin/settings", "/admin/settings/dormant_days"
TOMORROW = clock.today() + timedelta(days=1)
FORM = {"chosen": "44", "effective_from": TOMORROW.isoformat()}


def test_an_administrator_sets_a_value_from_a_day_and_everybody_is_told(site: Site, sql: Sql) -> None:
    spoc = site.as_user("spoc")
    assert "the hub’s own" in spoc.get(LIST).text
    answer = spoc.post(ONE, FORM)
    assert answer.status_code == 303 and answer.location == ONE
    page = spoc.get(LIST).text
    assert "44 days" in page and f"from {format_date(TOMORROW)}, set by Lena Marsh" in page
    assert "60 days" in page
    told = sql("SELECT user_id, reference, address FROM notification WHERE kind = 'setting.set'")
    users = site.world.users
    others = {users[one] for one in ("police_spoc", "yjs_spoc", "charity_spoc", "landlord_spoc")}
    assert {row.user_id for row in told} == others
    assert {(row.reference, row.address) for row in told} == {("dormant_days", ONE)}
    [event] = sql(
        "SELECT convert_from(body, 'UTF8')::jsonb AS body FROM audit.event WHERE act = 'setting.set'"
    )
    assert event.body["facts"] == {"code": "dormant_days", "value": "44", "day": TOMORROW.isoformat()}


def test_another_organisations_administrator_withdraws_it_before_its_day(
    site: Site, hand: Hand, sql: Sql
) -> None:
    site.as_user("spoc").post(ONE, FORM)
    [row] = sql("SELECT id FROM setting")
    police = site.as_user("police_spoc")
    assert "Withdraw" in police.get(ONE).text
    assert police.post(f"{LIST}/values/{row.id}/withdraw").status_code == 303
    page = police.get(ONE).text
    assert "Withdrawn" in page and "Ola Brandt" in page
    assert police.post(f"{LIST}/values/{row.id}/withdraw").status_code == 409
    told = sql("SELECT user_id FROM notification WHERE kind = 'setting.withdrawn'")
    assert site.world.users["spoc"] in {one.user_id for one in told} and len(told) == 4
    assert sql("SELECT count(*) FROM audit.event WHERE act = 'setting.withdrawn'")[0][0] == 1


def test_what_is_wrong_is_said_beside_its_field_and_stays_typed(site: Site, sql: Sql) -> None:
    answer = site.as_user("spoc").post(ONE, {"chosen": "999", "effective_from": "2027-02-30"})
    page = answer.text
    assert answer.status_code == 422
    assert "Enter a whole number of days from 14 to 80" in page and "Enter a real date" in page
    assert 'value="999"' in page and 'value="2027-02-30"' in page
    assert sql("SELECT count(*) FROM setting")[0][0] == 0


def test_nobody_else_and_no_other_partnership(site: Site, sql: Sql) -> None:
    for user in ("officer", "auditor", "reader"):
        client = site.as_user(user)
        assert client.get(LIST).status_code == 403 and client.post(ONE, FORM).status_code == 403
    spoc = site.as_user("spoc")
    assert spoc.get(f"{LIST}/no_such_thing").status_code == 404
    assert spoc.post(f"{LIST}/no_such_thing", FORM).status_code == 404
    spoc.post(ONE, FORM)
    [row] = sql("SELECT id FROM setting")
    sql("UPDATE setting SET partnership_id = :other", other=site.world.partnerships["eastmere"])
    assert spoc.post(f"{LIST}/values/{row.id}/withdraw").status_code == 404
    assert "44 days" not in spoc.get(ONE).text and "44 days" not in spoc.get(LIST).text


def test_who_was_proved_long_ago_is_asked_again_and_what_was_typed_comes_back(
    site: Site, database: SimpleNamespace, sql: Sql
) -> None:
    spoc = site.as_user("spoc")
    assert spoc.csrf
    sql("UPDATE user_session SET authenticated_at = now() - interval '6 minutes'")
    answer = spoc.post(ONE, {**FORM, "draft_key": "settings.change.dormant_days"})
    assert answer.status_code == 303 and "/confirm" in answer.location
    assert sql("SELECT count(*) FROM setting")[0][0] == 0
    assert 'value="44"' in spoc.get(ONE).text


def test_a_choice_and_a_switch_are_set_from_their_pages(site: Site) -> None:
    spoc = site.as_user("spoc")
    for code, value, words in (
        ("vetting_minimum", "nppv2_full", "NPPV level 2, full"),
        ("conditions_refuse", "yes", "Yes"),
    ):
        form = {"chosen": value, "effective_from": clock.today().isoformat()}
        assert spoc.post(f"{LIST}/{code}", form).status_code == 303
        assert words in spoc.get(f"{LIST}/{code}").text
    assert "NPPV level 2, full" in spoc.get(LIST).text


def test_the_pages_take_a_fixed_number_of_statements(
    site: Site, hand: Hand, count_queries: QueryCount
) -> None:
    spoc = site.as_user("spoc")
    assert spoc.csrf
    counts = []
    for _ in range(2):
        with count_queries() as seen:
            assert spoc.get(LIST).status_code == 200
        counts.append(seen.count)
        for value in (20, 30, 40):
            hand.set(DORMANT_DAYS, value, days=value)
    assert counts[0] == counts[1]
