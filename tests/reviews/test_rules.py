"""The rules of alerts: a quiet day makes none, each pattern makes exactly its own, and running again makes no second one."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from hub.cases.restricting import restrict_case
from hub.chronology.actions import add_entry
from hub.chronology.forms import EntryForm
from hub.extensions import db
from hub.interests.vocabulary import InterestKind
from hub.reviews.rules import RULES
from tests.fixtures.shares import led_case
from tests.fixtures.site import Site
from tests.fixtures.world import act_as
from tests.interests.declaring import case_with, declared, place_in
from tests.reviews.seeding import Log, at


def quiet(log: Log) -> None:
    """A working day as most are: some cases opened, one of them again and again, one refusal, a list at night."""
    same = uuid4()
    log.add("officer", [at(9, minute) for minute in range(0, 50, 10)])
    log.add("officer", [at(10, minute) for minute in range(30)], subjects=[same] * 30)
    log.add("officer", [at(11)], outcome="denied")
    log.add("officer", [at(23)], act="case.listed")
    log.add("housing_officer", [at(14, 5 * step) for step in range(4)], via="organisation")
    log.add("sergeant", [at(22, 30), at(22, 40)])


def test_a_quiet_day_makes_no_alert(log: Log) -> None:
    quiet(log)
    assert log.run() == 0 and log.alerts() == []
    assert log.sql("SELECT count(*) FROM notification")[0][0] == 0


def spread(count: int, hour: int, minutes: int) -> list[datetime]:
    """So many moments from that hour on, over so many minutes."""
    return [at(hour) + timedelta(minutes=minutes) * step / count for step in range(count)]


def case_of(log: Log, family: str) -> tuple[UUID, UUID]:
    """A case and a person in it; both stay where they are, whoever declares what."""
    with log.site.inside():
        found = case_with(log.site.world, "Oisín", family)
        db.session.remove()
    return found


def test_the_same_surname_is_met_in_a_person_and_in_a_case(log: Log) -> None:
    quiet(log)
    case_id, person_id = case_of(log, "OKÁFOR")
    _, other = case_of(log, "Kafor")
    log.add("officer", [at(12)], act="person.opened", subjects=[person_id], people=[person_id])
    log.add("officer", [at(12, 1)], subjects=[case_id], people=[person_id, other])
    log.add("officer", [at(12, 2)], act="person.opened", subjects=[other], people=[other])
    log.add("manager", [at(12, 3)], act="person.opened", subjects=[person_id], people=[person_id])
    assert log.run() == 1
    assert log.alerts() == [("same_surname", "officer", 2, 2)]


def test_a_look_before_the_declaration_and_refused_ones_after_it_meet_the_interest(log: Log) -> None:
    quiet(log)
    case_id, person_id = case_of(log, "Ó Tuama")
    with log.site.inside():
        declared(log.site.world)
        db.session.remove()
    log.add("officer", [at(12)], act="person.opened", subjects=[person_id], people=[person_id])
    log.add("officer", [at(13)], subjects=[case_id], outcome="denied")
    log.add("manager", [at(12)], act="person.opened", subjects=[person_id], people=[person_id])
    assert log.run() == 1
    assert log.alerts() == [("declared_interest", "officer", 2, 1)]
    # the refused one is counted and not named
    assert len(log.sql("SELECT event_ids FROM audit.alert")[0][0]) == 1


def test_a_look_after_the_exclusion_was_lifted_is_no_hit(log: Log) -> None:
    case_id, person_id = case_of(log, "Ó Tuama")
    with log.site.inside():
        declared(log.site.world)
        db.session.remove()
    log.sql(
        "UPDATE exclusion SET ended_at = :at, ended_why = 'no relation', ended_by = :manager",
        at=at(11),
        manager=log.site.world.users["manager"],
    )
    log.add("officer", [at(12)], subjects=[case_id], people=[person_id])
    assert log.run() == 0


def test_an_address_declared_is_a_rule_of_its_own(log: Log) -> None:
    with log.site.inside():
        world = log.site.world
        case_id = led_case(act_as(world, "manager"))
        place_in(world, case_id)
        declared(
            world,
            InterestKind.ADDRESS,
            address="12 Mill Lane",
            postcode="NB1 4QT",
            given_names="",
            family_name="",
        )
        db.session.remove()
    log.add("officer", [at(12)], subjects=[case_id], outcome="denied")
    assert log.run() == 1
    assert log.alerts() == [("same_address", "officer", 1, 0)]


def strange_cases(log: Log, count: int) -> list[UUID]:
    with log.site.inside():
        actor = act_as(log.site.world, "manager")
        found = [led_case(actor, f"Case {number}") for number in range(count)]
        db.session.remove()
    return found


def test_records_without_a_relation_are_counted_by_the_day(log: Log) -> None:
    quiet(log)
    cases = strange_cases(log, 6)
    few, most = cases[:4], cases[:5]
    log.add("housing_officer", spread(4, 9, 60), subjects=few, via="organisation")
    assert log.run() == 0
    log.add("housing_officer", spread(4, 9, 60), subjects=few, via="organisation")
    log.add("housing_officer", [at(7, days=1)], subjects=[cases[5]], via="organisation")
    assert log.run() == 0
    # the officer's own team leads them: there is a relation
    log.add("officer", spread(5, 9, 60), subjects=most, via="organisation")
    assert log.run() == 0
    log.add("housing_officer", [at(17)], subjects=[cases[4]], via="organisation")
    assert log.run() == 1
    assert log.alerts() == [("no_relation", "housing_officer", 9, 5)]


@pytest.mark.parametrize("tie", ["officer", "team", "entry"])
def test_what_ties_a_user_to_a_record_is_a_relation(log: Log, tie: str) -> None:
    cases, world = strange_cases(log, 5), log.site.world
    user, team = world.users["housing_officer"], world.teams["housing"]
    statements = {
        "officer": "UPDATE case_record SET lead_officer_id = :user WHERE id = :one",
        "team": "INSERT INTO team_membership (team_id, user_id, joined_at) SELECT lead_team_id, :user, now() FROM record"
        " WHERE id = :one",
        "entry": "UPDATE entry SET contributor_team_id = :team WHERE record_id = :one",
    }
    if tie == "entry":
        with log.site.inside():
            add_entry(act_as(world, "manager"), cases[0], EntryForm(text="Spoke to the neighbours"))
            db.session.commit()
            db.session.remove()
    values = {"user": user, "team": team, "one": cases[0]}
    log.sql(statements[tie], **{name: one for name, one in values.items() if f":{name}" in statements[tie]})
    log.add("housing_officer", spread(5, 9, 60), subjects=cases, via="organisation")
    assert log.run() == 0


def test_looks_at_night_belong_to_the_evening(log: Log) -> None:
    quiet(log)
    log.add("officer", [*spread(5, 22, 90), *(at(5, minute, days=1) for minute in range(4))])
    assert log.run() == 0
    log.add("officer", [at(5, 59, days=1)])
    log.add("officer", [at(6, days=1)])
    assert log.run() == 1
    assert log.alerts() == [("out_of_hours", "officer", 10, 10)]
    assert str(log.sql("SELECT day FROM audit.alert")[0][0]) == "2025-03-12"


def restricted_case(log: Log) -> UUID:
    """A case of the council's, restricted to its officer and the manager since the morning before."""
    with log.site.inside():
        world = log.site.world
        officer = act_as(world, "officer")
        case_id = led_case(officer)
        named = frozenset({world.users["manager"]})
        restrict_case(officer, case_id, restricted=True, reason="A councillor’s son", members=named)
        db.session.commit()
        db.session.remove()
    log.sql("DELETE FROM audit.event WHERE act = 'case.restricted'")
    log.sql("UPDATE record_team SET added_at = :at", at=at(9, days=-1))
    return case_id


def test_a_look_at_a_restricted_record_from_outside_its_team_is_an_alert(log: Log) -> None:
    case_id = restricted_case(log)
    quiet(log)
    # its own team; a colleague before it was restricted; two refusals, which are fewer than it takes
    log.add("officer", [at(12)], subjects=[case_id])
    log.add("manager", [at(12)], subjects=[case_id])
    log.add("housing_officer", [at(8, days=-1)], subjects=[case_id])
    log.add("housing_officer", [at(13), at(14)], subjects=[case_id] * 2, outcome="denied")
    assert log.run() == 0
    log.add("housing_officer", [at(15)], subjects=[case_id], via="emergency")
    assert log.run() == 1
    assert log.alerts() == [("high_profile", "housing_officer", 3, 1)]
    # the refused ones are counted and not named
    assert len(log.sql("SELECT event_ids FROM audit.alert")[0][0]) == 1


def test_whoever_joined_the_team_after_the_look_was_outside_it(log: Log) -> None:
    case_id = restricted_case(log)
    log.sql(
        "UPDATE record_team SET added_at = :at WHERE user_id = :user",
        at=at(16),
        user=log.site.world.users["manager"],
    )
    log.add("manager", [at(15)], subjects=[case_id], via="emergency")
    log.add("manager", [at(17)], subjects=[case_id])
    assert log.run() == 1
    assert log.alerts() == [("high_profile", "manager", 1, 1)]


def test_a_record_that_was_opened_to_its_team_meanwhile_is_judged_as_it_was(log: Log) -> None:
    case_id = restricted_case(log)
    for moment, restricted in ((at(9, days=-1), True), (at(14), False), (at(18), True)):
        facts = {"facts": {"restricted": restricted}}
        log.add(
            "officer", [moment], act="case.restricted", category="alteration", subjects=[case_id], **facts
        )
    log.add("housing_officer", [at(15)], subjects=[case_id], via="organisation")
    assert log.run() == 0
    log.add("housing_officer", [at(13), at(19)], subjects=[case_id] * 2, via="emergency")
    assert log.run() == 1
    assert log.alerts() == [("high_profile", "housing_officer", 2, 1)]


def test_attempts_at_restricted_records_count_where_they_are_the_organisation_s_own(log: Log) -> None:
    case_id = restricted_case(log)
    quiet(log)
    most = RULES["high_profile"].threshold
    moments = [at(15, 20 * step) for step in range(most)]
    # another organisation's auditor must not learn that there is such a record
    log.add("sergeant", moments, subjects=[case_id] * most, outcome="denied")
    log.add("housing_officer", moments[1:], subjects=[case_id] * (most - 1), outcome="denied")
    assert log.run() == 0
    log.add("housing_officer", moments[:1], subjects=[case_id], outcome="denied")
    assert log.run() == 1
    assert log.alerts() == [("high_profile", "housing_officer", most, 0)]
    assert log.sql("SELECT event_ids FROM audit.alert")[0][0] == []


def test_who_works_at_night_is_left_out(log: Log) -> None:
    before = [at(23, minute, days=-20) for minute in range(6)]
    log.add("officer", [*before, *(at(10, minute, days=-19) for minute in range(14))])
    log.add("officer", spread(12, 22, 60))
    assert log.run() == 0


def test_many_records_in_any_one_hour(log: Log) -> None:
    quiet(log)
    most = RULES["bulk"].threshold
    # as many as the threshold, and then one that comes after the first has left the hour
    log.add("officer", [*spread(most, 12, 59), at(13, 1)])
    assert log.run() == 0
    log.add("manager", [at(14, 30) + timedelta(seconds=80 * step) for step in range(most + 1)])
    assert log.run() == 1
    assert log.alerts() == [("bulk", "manager", most + 1, most + 1)]


def test_who_leaves_is_looked_at_from_fourteen_days_before(log: Log) -> None:
    quiet(log)
    most = RULES["leaver"].threshold
    log.add("manager", [at(9, 2 * step, days=-13) for step in range(most - 1)])
    log.add("manager", [at(9, 0, days=-16)])
    leave = "UPDATE app_user SET disabled_at = :at WHERE id = :user"
    log.sql(leave, at=at(17), user=log.site.world.users["manager"])
    assert log.run() == 0
    log.add("manager", [at(16)])
    assert log.run() == 1
    assert log.alerts() == [("leaver", "manager", most, most)]


def test_who_has_a_last_day_in_every_team_leaves(log: Log) -> None:
    most = RULES["leaver"].threshold
    log.add("manager", [at(9, 2 * step) for step in range(most)])
    log.sql(
        "UPDATE team_membership SET left_at = :at WHERE user_id = :user",
        at=at(17, days=5),
        user=log.site.world.users["manager"],
    )
    assert log.run() == 1
    assert log.alerts() == [("leaver", "manager", most, most)]


def test_a_series_of_refusals_in_a_quarter_of_an_hour(log: Log) -> None:
    quiet(log)
    log.add("officer", [at(15, 2 * step) for step in range(10)], outcome="denied")
    assert log.run() == 0
    log.add("manager", [at(15, step) for step in range(10)], outcome="denied")
    assert log.run() == 1
    assert log.alerts() == [("denied_series", "manager", 10, 10)]


def test_running_again_makes_none_twice_and_an_alert_grows(log: Log) -> None:
    log.add("manager", [at(15, step) for step in range(10)], outcome="denied")
    assert log.run(at(16)) == 1 and log.run(at(16)) == 0 and log.run() == 0
    log.rewind()
    assert log.run(at(16)) == 0
    log.add("manager", [at(15, 11)], outcome="denied")
    assert log.run() == 0
    assert log.alerts() == [("denied_series", "manager", 11, 11)]
    assert log.sql("SELECT count(*) FROM audit.event WHERE act = 'alert.raised'")[0][0] == 1
    assert log.sql("SELECT count(*) FROM notification WHERE kind = 'alert.raised'")[0][0] == 1


def test_what_comes_after_the_review_makes_another_alert(log: Log) -> None:
    log.add("manager", [at(15, step) for step in range(10)], outcome="denied")
    assert log.run(at(16)) == 1
    log.sql(
        "UPDATE audit.alert SET reviewed_at = now(), reviewed_by = :auditor, decision = 'justified', review_event_id = id",
        auditor=log.site.world.users["auditor"],
    )
    assert log.run() == 0
    log.add("manager", [at(15, 30)], outcome="denied")
    assert log.run() == 0
    log.add("manager", [at(15, 10)], outcome="denied")
    assert log.run() == 1
    assert [row[2] for row in log.alerts()] == [10, 1]


def test_every_rule_has_its_function_and_says_its_threshold(log: Log) -> None:
    known = {
        row[0].removeprefix("hits_")
        for row in log.sql(
            "SELECT proname FROM pg_proc WHERE proname LIKE 'hits\\_%' AND proname <> 'hits_of_interest'"
        )
    }
    assert known == set(RULES)
    for rule in RULES.values():
        assert str(rule.threshold) in rule.told() and "{" not in rule.told()
    numbers = {tuple(row) for row in log.sql("SELECT code, threshold, lowest, highest FROM audit.alert_rule")}
    assert numbers == {(rule.code, rule.threshold, rule.lowest, rule.highest) for rule in RULES.values()}


def test_auditors_of_the_own_organisation_are_told_the_number_alone(log: Log, site: Site) -> None:
    log.add("manager", [at(15, step) for step in range(10)], outcome="denied")
    log.add("officer", [at(15, step) for step in range(10)], outcome="denied")
    log.add("auditor", [at(15, step) for step in range(10)], outcome="denied")
    assert log.run() == 3
    rows = log.sql("SELECT user_id, reference, address FROM notification WHERE kind = 'alert.raised'")
    # nobody is told of an alert about themselves
    assert [tuple(row) for row in rows] == [
        (site.world.users["auditor"], "2-new", "/audit/alerts?state=waiting")
    ]


def test_the_application_can_make_no_alert_and_take_none_away(log: Log, site: Site) -> None:
    log.add("manager", [at(15, step) for step in range(10)], outcome="denied")
    log.run()
    for statement in (
        "INSERT INTO audit.alert SELECT * FROM audit.alert",
        "DELETE FROM audit.alert",
        "UPDATE audit.alert SET events = 1",
        "UPDATE audit.alert_cursor SET seen_until = now()",
    ):
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            site.sql(log.database.app, statement)
    # and sees none without an organisation in hand
    assert site.sql(log.database.app, "SELECT count(*) FROM audit.alert")[0][0] == 0


def test_a_pattern_is_met_though_it_comes_in_two_runs(log: Log) -> None:
    log.add("manager", [at(15, step) for step in range(10)], outcome="denied")
    assert log.run(at(15, 6)) == 0
    assert log.run(at(15, 20)) == 1
    assert log.alerts() == [("denied_series", "manager", 10, 10)]
