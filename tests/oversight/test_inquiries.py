"""The four inquiries through HTTP: every number is the length of its list, nobody else's events, bad filters named."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest

from hub.access.vocabulary import PURPOSE_LABELS, Purpose
from hub.audit.catalogue import ASKED
from hub.audit.inquiry_queries import MOST_COUNTED, Summary
from hub.audit.recording import append
from hub.extensions import db
from hub.oversight.asking import Asked
from hub.oversight.forms import LogQuery, moment_code, parse_log_query
from hub.oversight.summary import lay_out
from tests.conftest import QueryCount
from tests.fixtures.site import Client, Site
from tests.fixtures.world import act_as
from tests.oversight.asked import Told, happen, listed_at, move, numbers_on, with_purpose


@pytest.fixture
def told(site: Site) -> Told:
    return happen(site)


@pytest.fixture
def auditor(site: Site) -> Client:
    return with_purpose(site.as_user("auditor"))


def inquiries_of(site: Site, told: Told) -> dict[str, str]:
    users, organisations = site.world.users, site.world.organisations
    return {
        "log.person_viewed": f"/audit/people/{told.person}",
        "log.record_viewed": f"/audit/records/{told.case}",
        "log.user_viewed": f"/audit/users/{users['sergeant']}",
        "log.organisation_viewed": f"/audit/organisations/{organisations['police']}",
    }


def facts_of(site: Site, database: SimpleNamespace, act: str) -> dict[str, str]:
    """Of the last event of its kind."""
    statement = "SELECT body FROM audit.event WHERE act = :act ORDER BY at DESC LIMIT 1"
    found: dict[str, str] = json.loads(site.sql(database.superuser, statement, act=act)[0].body)["facts"]
    return found


def test_every_number_is_the_length_of_its_list(site: Site, told: Told, auditor: Client) -> None:
    own = f"/audit/organisations/{site.world.organisations['council']}"
    for address in [*inquiries_of(site, told).values(), own]:
        # the look before is an event of its own, which must not disturb the numbers
        auditor.get(address)
        page = auditor.get(address)
        numbers = numbers_on(page.text)
        assert len(numbers) >= 7, address
        for words, (events, href) in numbers.items():
            found = listed_at(auditor, href)
            assert len(found) == len(set(found)) == events, (address, words, href)


def test_the_numbers_of_a_person_say_who_how_often_and_for_what(
    site: Site, told: Told, auditor: Client
) -> None:
    numbers = numbers_on(auditor.get(f"/audit/people/{told.person}").text)
    counted = {words: events for words, (events, _) in numbers.items()}
    # added to the case, looked at three times and shared by the council; looked at twice by the police
    assert counted["Events"] == 7
    assert counted["Northbrook Police"] == 2 and counted["Northbrook Council"] == 5
    assert counted["Tomasz Nowak"] == 2 and counted["Amara Okafor"] == 5
    assert counted["Consultation"] == 5 and counted["Disclosure"] == 1
    assert counted[PURPOSE_LABELS[Purpose.SAFEGUARD_CHILD]] == 2 and counted["Done"] == 7


def test_an_auditor_sees_no_event_that_does_not_name_his_organisation(
    site: Site, database: SimpleNamespace, told: Told, auditor: Client
) -> None:
    council = site.world.organisations["council"]
    rows = site.sql(database.superuser, "SELECT id, organisation_ids FROM audit.event")
    not_ours = {row.id for row in rows if council not in row.organisation_ids}
    assert told.foreign in not_ours and len(not_ours) >= 2
    everything = "?from=2020-01-01"
    for address in inquiries_of(site, told).values():
        found = listed_at(auditor, address + everything)
        assert found and not set(found) & not_ours, address
    other = f"/audit/organisations/{site.world.organisations['other_council']}"
    assert listed_at(auditor, other + everything) == [] and "No events." in auditor.get(other).text
    desk = set(listed_at(auditor, "/audit" + everything))
    assert desk and not desk & not_ours


def test_each_inquiry_writes_its_own_event_with_the_purpose(
    site: Site, database: SimpleNamespace, told: Told, auditor: Client
) -> None:
    for act, address in inquiries_of(site, told).items():
        assert auditor.get(address).status_code == 200
        rows = site.sql(
            database.superuser, "SELECT outcome, category, body FROM audit.event WHERE act = :act", act=act
        )
        assert [(row.outcome, row.category) for row in rows] == [("ok", "audit")], act
        facts = json.loads(rows[0].body)["facts"]
        assert facts["purpose"] == "lawfulness" and set(facts) == {"purpose", *ASKED}
        assert facts["asked_outcome"] == facts["asked_until"] == facts["asked_as_of"] == "", act


def test_each_look_writes_down_what_narrowed_it_and_nothing_that_was_typed(
    site: Site, database: SimpleNamespace, told: Told, auditor: Client
) -> None:
    users, organisations = site.world.users, site.world.organisations
    narrowed = (
        "from=2026-03-30&to=20261025&act=person.opened&category=consultation&outcome=ok&purpose=safeguard_child"
        "&weekday=1&hour=10&as_of=20261101T000000.000020Z"
    )
    given = {
        "asked_from": "2026-03-30", "asked_until": "2026-10-25", "asked_act": "person.opened",
        "asked_category": "consultation", "asked_outcome": "ok", "asked_purpose": "safeguard_child",
        "asked_weekday": "1", "asked_hour": "10", "asked_as_of": "2026-11-01T00:00:00.000020+00:00",
    }  # fmt: skip
    user, police = str(users["sergeant"]), str(organisations["police"])
    person, case = str(told.person_id), str(told.case_id)
    written = {"user": f"%7B{user.upper()}%7D", "organisation": police, "reference": f"+{told.case.lower()}"}
    named = {"asked_user": user, "asked_organisation": police, "asked_subject": case}
    own = {
        "log.person_viewed": ({"asked_subject": person}, ("reference",)),
        "log.record_viewed": ({"asked_subject": case}, ("reference",)),
        "log.user_viewed": ({"asked_user": user}, ("user",)),
        "log.organisation_viewed": ({"asked_organisation": police}, ("organisation",)),
        "log.viewed": ({}, ()),
    }
    for act, address in {**inquiries_of(site, told), "log.viewed": "/audit"}.items():
        fixed, without = own[act]
        others = "&".join(f"{name}={text}" for name, text in written.items() if name not in without)
        assert auditor.get(f"{address}?{narrowed}&{others}").status_code == 200, act
        assert facts_of(site, database, act) == {"purpose": "lawfulness", **given, **named, **fixed}, act
        # a reference that nothing has stands there as the id of nothing
        if "reference" not in without:
            assert auditor.get(f"{address}?reference=Łucja Mroz").status_code == 200
            assert facts_of(site, database, act)["asked_subject"] == str(UUID(int=0))


def test_a_filter_that_cannot_be_read_is_not_written_down(
    site: Site, database: SimpleNamespace, told: Told, auditor: Client
) -> None:
    for act, address in {**inquiries_of(site, told), "log.viewed": "/audit"}.items():
        assert auditor.get(f"{address}?outcome=Łucja&hour=3").status_code == 422
        facts = facts_of(site, database, act)
        assert facts["asked_outcome"] == facts["asked_hour"] == "", act


def test_the_page_of_a_look_says_what_narrowed_it(site: Site, told: Told, auditor: Client) -> None:
    user = site.world.users["sergeant"]
    auditor.get(f"/audit/users/{user}?outcome=denied")
    (event,) = listed_at(auditor, "/audit?act=log.user_viewed")
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", auditor.get(f"/audit/events/{event}").text))
    assert "Asked user Tomasz Nowak" in page and "Asked outcome denied" in page
    assert "Asked act" not in page and "Asked hour" not in page


def test_the_purpose_is_asked_before_any_of_it(site: Site, database: SimpleNamespace, told: Told) -> None:
    client = site.as_user("auditor")
    exports = (
        "/audit/exports/desk.csv",
        "/audit/exports/desk.xlsx",
        f"/audit/prints/person?subject={told.person}",
    )
    for address in (*inquiries_of(site, told).values(), *exports, "/audit/inquiries"):
        answer = client.get(address)
        assert answer.status_code == 302 and "/audit/purpose?next=" in answer.headers["Location"], address
    assert site.sql(database.superuser, "SELECT 1 FROM audit.event WHERE act LIKE 'log.%'") == []


def test_only_auditors_inquire(site: Site, told: Told) -> None:
    exports = ("/audit/exports/desk.csv", "/audit/exports/desk.xlsx")
    for user in ("officer", "manager", "reader", "spoc"):
        client = site.as_user(user)
        for address in (*inquiries_of(site, told).values(), "/audit/inquiries", *exports):
            assert client.get(address).status_code == 403, (user, address)


def test_a_bad_filter_is_named_in_words_on_every_page(
    site: Site, told: Told, auditor: Client, database: SimpleNamespace
) -> None:
    bad = (
        "user=x", "organisation=x", "act=case.vanished", "category=gossip", "outcome=fine", "purpose=curiosity",
        "from=yesterday", "to=2026-13-01", "from=2026-02-02&to=2026-02-01", "weekday=8", "hour=24", "as_of=now",
    )  # fmt: skip
    for about, address in inquiries_of(site, told).items():
        for words in bad:
            answer = auditor.get(f"{address}?{words}")
            own = (about == "log.user_viewed" and words.startswith("user")) or (
                about == "log.organisation_viewed" and words.startswith("organisation")
            )
            # what the page itself stands for is no filter of it
            assert answer.status_code == (200 if own else 422), (address, words)
            assert own or "There is a problem" in answer.text
        assert auditor.get(f"{address}?after=rubbish").status_code == 422
    for words in bad:
        for form in ("csv", "xlsx"):
            # more of them than an hour allows
            site.sql(database.superuser, "DELETE FROM throttle")
            answer = auditor.get(f"/audit/exports/desk.{form}?{words}")
            assert answer.status_code == 422 and "text/html" in answer.content_type, (form, words)


def test_filters_go_together_and_each_can_be_taken_off(site: Site, told: Told, auditor: Client) -> None:
    address = f"/audit/people/{told.person}"
    police = site.world.organisations["police"]
    assert len(listed_at(auditor, f"{address}?purpose=safeguard_child&organisation={police}")) == 2
    assert listed_at(auditor, f"{address}?purpose=safeguard_child&category=disclosure") == []
    page = auditor.get(f"{address}?purpose=safeguard_child&organisation={police}").text
    assert f'href="{address}?organisation={police}"' in page
    assert f'href="{address}?purpose=safeguard_child"' in page
    sergeant = f"/audit/users/{site.world.users['sergeant']}"
    assert len(listed_at(auditor, f"{sergeant}?reference={told.person}")) == 2
    assert listed_at(auditor, f"{sergeant}?reference=P-NOBODY") == []
    assert len(listed_at(auditor, f"{sergeant}?outcome=denied")) == 1


def test_a_line_says_by_which_right_and_for_what(site: Site, told: Told, auditor: Client) -> None:
    page = auditor.get(f"/audit/users/{site.world.users['sergeant']}").text
    assert "Share under NBC-ISA-" in page
    assert "For: safeguard" in page and "Lead team" in auditor.get(f"/audit/people/{told.person}").text
    assert "Łucja" not in page


def test_hours_and_days_are_those_of_london_in_summer_too(
    site: Site, database: SimpleNamespace, told: Told, auditor: Client
) -> None:
    summer = datetime(2026, 7, 5, 23, 30, tzinfo=UTC)  # Monday the 6th, half past midnight in London
    with site.inside():
        event = append(
            act_as(site.world, "officer"), "person.opened", object_id=told.person_id, people=[told.person_id]
        )
        db.session.commit()
    move(site, database, event, summer)
    address = f"/audit/people/{told.person}"
    assert listed_at(auditor, f"{address}?weekday=1&hour=0&to=2026-07-31") == [event]
    assert listed_at(auditor, f"{address}?weekday=7&to=2026-07-31") == []
    assert listed_at(auditor, f"{address}?from=2026-07-06&to=2026-07-06") == [event]
    numbers = numbers_on(auditor.get(f"{address}?to=2026-07-31").text)
    assert numbers["on Mondays from 00:00 to 00:59"][0] == 1
    assert numbers["Mon 6 July 2026"][0] == 1


def test_a_user_is_shown_by_month_over_long_periods_and_by_default_for_31_days(
    site: Site, database: SimpleNamespace, told: Told, auditor: Client
) -> None:
    now = datetime.now(UTC)
    with site.inside():
        actor = act_as(site.world, "manager")
        old, late = (
            append(actor, "person.opened", object_id=told.person_id, people=[told.person_id])
            for _ in range(2)
        )
        db.session.commit()
    move(site, database, old, now - timedelta(days=200))
    address = f"/audit/users/{site.world.users['manager']}"
    assert listed_at(auditor, address) == [late]
    assert "The last 31 days" in auditor.get(address).text
    long = auditor.get(f"{address}?from=2020-01-01")
    assert "By month" in long.text and "The last 31 days" not in long.text
    month = (now - timedelta(days=200)).astimezone().strftime("%B %Y")
    events, href = numbers_on(long.text)[month]
    assert events == 1 and listed_at(auditor, href) == [old]


def test_hidden_and_absent_are_refused_alike_and_written_down(
    site: Site, database: SimpleNamespace, told: Told
) -> None:
    other = with_purpose(site.as_user("police_auditor"))
    assert other.get(f"/audit/people/{told.person}").status_code == 200
    auditor = with_purpose(site.as_user("auditor"))
    for address in (
        "/audit/people/NBC-P-NOTHERE",
        "/audit/records/NBC-CS-NOTHERE",
        f"/audit/users/{site.world.users['east_officer']}",
        f"/audit/organisations/{uuid4()}",
        "/audit/exports/person.csv?subject=NBC-P-NOTHERE",
        "/audit/exports/user.csv?subject=x",
        "/audit/exports/rumour.csv",
        "/audit/exports/rumour.xlsx",
        "/audit/exports/desk.ods",
        f"/audit/exports/user.csv?subject={site.world.users['east_officer']}",
        f"/audit/exports/user.xlsx?subject={site.world.users['east_officer']}",
        f"/audit/exports/person.csv?subject={told.case}",
    ):
        assert auditor.get(address).status_code == 404, address
    refused = site.sql(
        database.superuser,
        "SELECT act FROM audit.event WHERE act LIKE 'log.%' AND outcome = 'denied' ORDER BY act",
    )
    assert [row.act for row in refused] == [
        "log.exported", "log.exported", "log.organisation_viewed", "log.person_viewed", "log.person_viewed", "log.record_viewed",
        "log.user_viewed",
    ]  # fmt: skip


def test_a_starting_point_leads_to_its_page(site: Site, told: Told, auditor: Client) -> None:
    user, organisation = site.world.users["officer"], site.world.organisations["police"]
    for given, leads in (
        (f"person={told.person.lower()}", f"/audit/people/{told.person}"),
        (f"record=+{told.case}", f"/audit/records/{told.case}"),
        (f"user={user}", f"/audit/users/{user}"),
        (f"organisation={organisation}", f"/audit/organisations/{organisation}"),
    ):
        answer = auditor.get(f"/audit/inquiries?{given}")
        assert (answer.status_code, answer.headers["Location"]) == (302, leads)
        assert auditor.get(leads).status_code == 200
    for given in ("person=", "record=", "user=x", "organisation=", "person=a/b"):
        answer = auditor.get(f"/audit/inquiries?{given}")
        assert answer.status_code == 422 and "There is a problem" in answer.text, given
    # either reference at either door
    assert auditor.get(f"/audit/records/{told.person}").headers["Location"] == f"/audit/people/{told.person}"


def test_more_than_are_counted_gives_no_number() -> None:
    asked = Asked("/audit/x", {}, LogQuery(), {}, default_period=False)
    many = Summary(MOST_COUNTED + 1, datetime.now(UTC), {"category": {"audit": 1}}, {date(2026, 1, 1): 1}, {})
    assert lay_out(many, asked, {"user": {}, "organisation": {}}).groups == ()


def test_a_moment_in_an_address_is_read_back_to_the_microsecond() -> None:
    moment = datetime(2026, 7, 5, 23, 30, 1, 20, tzinfo=UTC)
    assert parse_log_query({"as_of": moment_code(moment)}).as_of == moment


def test_no_value_of_a_filter_becomes_part_of_the_statement(
    site: Site, database: SimpleNamespace, told: Told
) -> None:
    """The database's own function quotes whatever it is given, should the application ever fail to check it."""
    for name in ("act", "category", "outcome", "purpose"):
        asked = json.dumps({name: "x' OR true --"})
        rows = site.sql(
            database.superuser,
            "SELECT set_config('hub.organisation_id', :me, false),"
            " (SELECT count(*) FROM audit.find_asked(CAST(:asked AS jsonb), NULL, NULL, true, 5)) AS found",
            me=str(site.world.organisations["council"]),
            asked=asked,
        )
        assert rows[0].found == 0, name


def test_without_an_organisation_in_hand_nothing_is_found(
    site: Site, database: SimpleNamespace, told: Told
) -> None:
    asked = json.dumps({"subject": str(told.person_id)})
    found = "SELECT count(*) FROM audit.find_asked(CAST(:asked AS jsonb), NULL, NULL, true, 50)"
    assert site.sql(database.app, found, asked=asked) == [(0,)]
    numbers = "SELECT events FROM audit.count_asked(CAST(:asked AS jsonb), 50) WHERE part = 'all'"
    assert site.sql(database.app, numbers, asked=asked) == [(0,)]
    assert UUID(json.loads(asked)["subject"]) == told.person_id


def test_the_column_of_the_purpose_is_what_the_bytes_say(
    site: Site, database: SimpleNamespace, told: Told
) -> None:
    rows = site.sql(database.superuser, "SELECT purpose, body FROM audit.event")
    stated = [json.loads(row.body)["basis"].get("purpose") for row in rows]
    assert [row.purpose for row in rows] == stated
    assert {"prevent_crime", "safeguard_child"} <= set(stated)


def test_the_number_of_queries_does_not_grow_with_the_list(
    site: Site, told: Told, auditor: Client, count_queries: QueryCount
) -> None:
    address = f"/audit/people/{told.person}"
    auditor.get(address)
    with count_queries() as few:
        auditor.get(address)
    with site.inside():
        officer = act_as(site.world, "officer")
        for _ in range(30):
            append(officer, "person.opened", object_id=told.person_id, people=[told.person_id])
        db.session.commit()
    with count_queries() as many:
        auditor.get(address)
    assert many.count == few.count
