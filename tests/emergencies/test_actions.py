"""Emergency access: opened with a reason for four hours at most, told at once, sealed, given back, reviewed by another."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID, uuid4

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from hub.access.models import Emergency, Record
from hub.access.vocabulary import Marking
from hub.cases.actions import change_case
from hub.cases.forms import ChangeForm
from hub.cases.models import Case
from hub.cases.queries import open_case
from hub.cases.restricting import restrict_case
from hub.cases.vocabulary import CaseKind, Priority, RiskLevel
from hub.chronology.actions import add_entry
from hub.chronology.forms import EntryForm
from hub.core import clock
from hub.core.errors import Conflict, Denied, Invalid, NotVisible
from hub.core.ids import new_id
from hub.emergencies.actions import close_emergency, open_emergency, review_emergency
from hub.emergencies.forms import EmergencyForm, ReviewForm, parse_emergency, parse_review
from hub.emergencies.queries import (
    count_unreviewed,
    find_open,
    list_emergencies,
    open_emergency_for_review,
)
from hub.emergencies.vocabulary import Outcome
from hub.extensions import db
from hub.people.actions import add_person
from hub.people.vocabulary import InvolvementRole
from hub.sharing.ending import suspend_agreement
from tests.access_requests.conftest import known_case
from tests.emergencies.conftest import REASON, Sql, give_role, later, opened
from tests.fixtures.world import World, act_as, look_at

SIGNED_OFF = ReviewForm(Outcome.EXPLAINED, "Called the sergeant: a knife was found")


@pytest.fixture
def case(app: Flask, world: World) -> Case:
    return known_case(world, CaseKind.DOMESTIC_ABUSE)


def sees(world: World, user: str = "sergeant") -> list[UUID]:
    act_as(world, user)
    return list(db.session.scalars(sa.select(Record.id)))


def test_a_record_is_open_at_once_for_as_long_as_was_said(case: Case, world: World, sql: Sql) -> None:
    assert sees(world) == []
    emergency = opened(world, case.reference, minutes=90)
    assert sees(world) == [case.id]
    assert emergency.expires_at - emergency.granted_at == timedelta(minutes=90)
    found = open_case(act_as(world, "sergeant"), case.id, "summary")
    assert (found.right.via, found.sections) == ("emergency", None)
    later(sql, 91)
    assert sees(world) == []
    with pytest.raises(NotVisible):
        open_case(act_as(world, "sergeant"), case.id, "summary")


def test_it_ends_at_the_next_request_when_given_back(case: Case, world: World) -> None:
    emergency = opened(world, case.reference)
    assert [one.id for one in find_open(act_as(world, "sergeant"))] == [emergency.id]
    close_emergency(act_as(world, "sergeant"), emergency.id)
    db.session.commit()
    assert sees(world) == [] and find_open(act_as(world, "sergeant")) == []
    with pytest.raises(Conflict, match="ended_already"):
        close_emergency(act_as(world, "sergeant"), emergency.id)


def test_nobody_gives_back_anothers(case: Case, world: World) -> None:
    emergency = opened(world, case.reference)
    for other in ("officer", "sergeant_east"):
        with pytest.raises(NotVisible):
            close_emergency(act_as(world, other), emergency.id)
    with pytest.raises(DBAPIError, match="given back once"):
        act_as(world, "manager")
        db.session.execute(
            sa.update(Emergency).where(Emergency.id == emergency.id).values(closed_at=clock.now())
        )


def test_it_lifts_restriction_and_marking_and_never_an_exclusion(case: Case, world: World, sql: Sql) -> None:
    restrict_case(act_as(world, "officer"), case.id, restricted=True, reason="Family of staff")
    db.session.commit()
    opened(world, case.reference)
    assert sees(world) == [case.id]
    values = {
        "id": new_id(),
        "user": world.users["sergeant"],
        "organisation": world.organisations["police"],
        "record": case.id,
    }
    sql(
        "INSERT INTO exclusion (id, created_at, user_id, organisation_id, record_id, why)"
        " VALUES (:id, now(), :user, :organisation, :record, 'test')",
        **values,
    )
    assert sees(world) == []
    sql("UPDATE emergency SET closed_at = now()")
    with pytest.raises(NotVisible, match="no_such_target"):
        opened(world, case.reference)


@pytest.mark.parametrize("how", ["absent", "not breakable", "excluded", "foreign", "suspended", "person"])
def test_what_cannot_be_opened_is_answered_alike(case: Case, world: World, how: str, sql: Sql) -> None:
    reference, user = case.reference, "sergeant"
    if how == "absent":
        reference = "NBC-CS-222222"
    elif how == "not breakable":
        sql("UPDATE record SET breakable = false")
    elif how == "excluded":
        sql(
            "INSERT INTO exclusion (id, created_at, user_id, organisation_id, record_id, why)"
            " VALUES (:id, now(), :user, :organisation, :record, 'test')",
            id=new_id(),
            user=world.users["sergeant"],
            organisation=world.organisations["police"],
            record=case.id,
        )
    elif how == "foreign":
        user = "east_officer"
    elif how == "suspended":
        suspend_agreement(act_as(world, "spoc"), world.agreements["sharing"], why="Under review")
        db.session.commit()
    else:
        ((reference,),) = sql("SELECT reference FROM person LIMIT 1")
    with pytest.raises(NotVisible) as refused:
        opened(world, reference, user)
    assert refused.value.message == "No record that can be opened in an emergency has this reference"
    assert sql("SELECT count(*) FROM emergency") == [(0,)]
    rows = sql(
        "SELECT outcome, object_id, record_ids, organisation_ids FROM audit.event WHERE act = 'emergency.refused'"
    )
    organisation = world.organisations["other_council" if how == "foreign" else "police"]
    assert rows == [("denied", None, [], [organisation])]
    told = sql("SELECT count(*) FROM notification WHERE kind = 'emergency.opened'")
    assert told == [(0,)]


def test_a_record_that_is_led_or_open_already_needs_none(case: Case, world: World) -> None:
    with pytest.raises(Invalid, match="not_needed"):
        opened(world, case.reference, "officer")
    opened(world, case.reference)
    with pytest.raises(Invalid, match="open_already"):
        opened(world, case.reference)


def test_a_colleague_outside_the_lead_team_may(case: Case, world: World) -> None:
    assert sees(world, "housing_officer") == []
    opened(world, case.reference, "housing_officer")
    assert sees(world, "housing_officer") == [case.id]


def test_four_hours_are_the_most_in_code_and_in_the_database(case: Case, world: World, sql: Sql) -> None:
    with pytest.raises(Invalid, match="too_long"):
        opened(world, case.reference, minutes=241)
    db.session.rollback()
    with pytest.raises(Invalid) as wrong:
        parse_emergency({"reference": case.reference, "reason": REASON, "minutes": "241"})
    assert set(wrong.value.errors) == {"minutes"}
    emergency = opened(world, case.reference, minutes=240)
    assert emergency.expires_at - emergency.granted_at == timedelta(hours=4)
    with pytest.raises(DBAPIError, match="four_hours_at_most"):
        sql("UPDATE emergency SET expires_at = granted_at + interval '4 hours 1 second'")
    act_as(world, "sergeant")
    with pytest.raises(DBAPIError, match="permission denied"):
        db.session.execute(
            sa.update(Emergency).values(expires_at=clock.now()).execution_options(synchronize_session=False)
        )


def test_those_concerned_are_told_in_the_same_transaction(case: Case, world: World, sql: Sql) -> None:
    give_role(sql, world, "reader", "data_protection")
    give_role(sql, world, "police_auditor", "supervisor")
    open_emergency(act_as(world, "sergeant"), EmergencyForm(case.reference, REASON))
    db.session.rollback()
    assert sql("SELECT count(*) FROM notification WHERE kind = 'emergency.opened'") == [(0,)]
    emergency = opened(world, case.reference)
    told = dict(sql("SELECT user_id, address FROM notification WHERE kind = 'emergency.opened'"))
    review = f"/emergencies/{emergency.id}"
    assert told == {
        world.users["reader"]: review,
        world.users["police_auditor"]: review,
        **{world.users[user]: f"/cases/{case.id}" for user in ("officer", "manager")},
    }
    assert sql(
        "SELECT count(DISTINCT xmin::text) FROM (SELECT xmin FROM notification WHERE kind = 'emergency.opened'"
        " UNION ALL SELECT xmin FROM emergency) AS written"
    ) == [(1,)]
    assert sql("SELECT count(*) FROM outbox_message WHERE kind = 'emergency.opened'") == [(len(told),)]


def test_without_a_data_protection_officer_the_administrators_are_told(
    case: Case, world: World, sql: Sql
) -> None:
    opened(world, case.reference)
    told = dict(sql("SELECT user_id, address FROM notification WHERE kind = 'emergency.opened'"))
    assert told[world.users["spoc"]] == "/admin/users"


def test_of_a_restricted_record_only_its_named_people_are_told(case: Case, world: World, sql: Sql) -> None:
    restrict_case(act_as(world, "officer"), case.id, restricted=True, reason="Family of staff")
    db.session.commit()
    opened(world, case.reference)
    told = {row[0] for row in sql("SELECT user_id FROM notification WHERE kind = 'emergency.opened'")}
    assert told == {world.users["officer"], world.users["spoc"]}


def test_the_reason_lies_nowhere_in_clear(
    case: Case, world: World, database: SimpleNamespace, sql: Sql
) -> None:
    emergency = opened(world, case.reference)
    tables = sql(
        "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname IN ('public', 'audit')"
    )
    dumped = b""
    url = make_url(database.superuser)
    with psycopg.connect(
        host=url.host, port=url.port, user=url.username, password=url.password, dbname=url.database
    ) as connection:
        for (name,) in tables:
            for form in ("TEXT", "BINARY"):
                with connection.cursor().copy(f"COPY {name} TO STDOUT (FORMAT {form})") as rows:  # type: ignore[arg-type]
                    dumped += b"".join(bytes(row) for row in rows)
    assert case.reference.encode() in dumped
    for part in (REASON, "threatens her with a knife", "Devon threatens"):
        assert part.encode() not in dumped
        assert part.encode().hex().encode() not in dumped
    give_role(sql, world, "reader", "data_protection")
    assert open_emergency_for_review(act_as(world, "reader"), emergency.id).reason == REASON


def test_each_look_at_the_reason_is_written_down(case: Case, world: World, sql: Sql) -> None:
    emergency = opened(world, case.reference)
    open_emergency_for_review(act_as(world, "manager"), emergency.id)
    with pytest.raises(NotVisible):
        open_emergency_for_review(act_as(world, "manager"), uuid4())
    give_role(sql, world, "yot_worker", "supervisor")
    with pytest.raises(NotVisible):
        open_emergency_for_review(act_as(world, "yot_worker"), emergency.id)
    rows = sql(
        "SELECT outcome, object_id, record_ids FROM audit.event WHERE act = 'emergency.viewed' ORDER BY at"
    )
    assert rows[0] == ("ok", emergency.id, [case.id])
    assert [row[0] for row in rows] == ["ok", "denied", "denied"]
    with pytest.raises(Denied):
        open_emergency_for_review(act_as(world, "officer"), emergency.id)


def test_the_review_counts_what_was_done_with_the_record(case: Case, world: World) -> None:
    emergency = opened(world, case.reference)
    for part in ("summary", "log", "people"):
        open_case(act_as(world, "sergeant"), case.id, part)
    add_entry(act_as(world, "sergeant"), case.id, EntryForm("Officers sent"))
    db.session.commit()
    for reviewer in ("manager",):
        found = open_emergency_for_review(act_as(world, reviewer), emergency.id)
        assert found.acts == {"case.opened": 3, "entry.added": 1}


def test_it_writes_nothing_but_an_entry(case: Case, world: World) -> None:
    opened(world, case.reference)
    sergeant = act_as(world, "sergeant")
    with pytest.raises(Denied):
        change_case(
            sergeant,
            case.id,
            ChangeForm("Other", Priority.LOW, RiskLevel.HIGH, Marking.OFFICIAL, "", sergeant.user_id, None),
            revision=case.revision,
        )
    db.session.rollback()
    look_at(sergeant)
    here = db.session.get_one(Case, case.id)
    with pytest.raises(Denied):
        add_person(sergeant, here, role=InvolvementRole.SUSPECT, given_names="A", family_name="B")
    db.session.rollback()
    add_entry(act_as(world, "sergeant"), case.id, EntryForm("Officers sent"))
    db.session.commit()


def test_another_signs_off_once_it_is_over(case: Case, world: World, sql: Sql) -> None:
    give_role(sql, world, "sergeant", "supervisor")
    emergency = opened(world, case.reference)
    with pytest.raises(Conflict, match="still_open"):
        review_emergency(act_as(world, "manager"), emergency.id, SIGNED_OFF)
    db.session.rollback()
    later(sql, 61)
    with pytest.raises(Denied, match="own_emergency"):
        review_emergency(act_as(world, "sergeant"), emergency.id, SIGNED_OFF)
    db.session.rollback()
    give_role(sql, world, "yot_worker", "supervisor")
    with pytest.raises(NotVisible):
        review_emergency(act_as(world, "yot_worker"), emergency.id, SIGNED_OFF)
    with pytest.raises(Denied, match="no_permission"):
        review_emergency(act_as(world, "officer"), emergency.id, SIGNED_OFF)
    review_emergency(act_as(world, "manager"), emergency.id, SIGNED_OFF)
    db.session.commit()
    with pytest.raises(Conflict, match="reviewed_already"):
        review_emergency(act_as(world, "manager"), emergency.id, SIGNED_OFF)
    told = sql("SELECT user_id, address FROM notification WHERE kind = 'emergency.reviewed'")
    assert told == [(world.users["sergeant"], "/emergency")]


def test_the_database_lets_nobody_sign_off_his_own_nor_in_anothers_name(
    case: Case, world: World, sql: Sql
) -> None:
    emergency = opened(world, case.reference)
    with pytest.raises(DBAPIError, match="reviewed_by_another"):
        sql("UPDATE emergency SET reviewed_at = now(), reviewed_by = user_id, outcome = 'explained'")
    manager = act_as(world, "manager")
    signed = {"reviewed_at": clock.now(), "reviewed_by": manager.user_id, "outcome": "explained"}
    with pytest.raises(DBAPIError, match="signed off once"):  # while it is open
        db.session.execute(sa.update(Emergency).where(Emergency.id == emergency.id).values(**signed))
    db.session.rollback()
    act_as(world, "sergeant")
    for reviewer in (world.users["manager"], world.users["sergeant"]):
        later(sql, 61)
        with pytest.raises(DBAPIError, match=r"signed off once|reviewed_by_another"):
            db.session.execute(
                sa.update(Emergency)
                .where(Emergency.id == emergency.id)
                .values(reviewed_at=clock.now(), reviewed_by=reviewer, outcome="explained")
            )
        db.session.rollback()


def test_it_stays_on_the_list_until_signed_off(case: Case, world: World, sql: Sql) -> None:
    give_role(sql, world, "reader", "data_protection")
    give_role(sql, world, "police_auditor", "supervisor")
    emergency = opened(world, case.reference)
    later(sql, 61)
    for reviewer in ("reader", "manager", "police_auditor"):
        actor = act_as(world, reviewer)
        assert count_unreviewed(actor) == 1
        (row,) = list_emergencies(actor, reviewed=False).rows
        assert (row.reference, row.opened_by, row.organisation) == (
            case.reference,
            "Tomasz Nowak",
            "Northbrook Police",
        )
        assert row.lasted == timedelta(hours=1)
    review_emergency(act_as(world, "reader"), emergency.id, SIGNED_OFF)
    db.session.commit()
    assert count_unreviewed(act_as(world, "manager")) == 0
    assert list(list_emergencies(act_as(world, "manager"), reviewed=False).rows) == []
    (row,) = list_emergencies(act_as(world, "manager"), reviewed=True).rows
    assert (row.emergency.outcome, row.reviewed_by) == ("explained", "Petra Sand")
    give_role(sql, world, "yot_worker", "supervisor")
    assert list(list_emergencies(act_as(world, "yot_worker")).rows) == []


def test_a_reviewer_with_an_interest_in_the_record_reads_no_reason(
    case: Case, world: World, sql: Sql
) -> None:
    emergency = opened(world, case.reference)
    later(sql, 61)
    sql(
        "INSERT INTO exclusion (id, created_at, user_id, organisation_id, record_id, why)"
        " VALUES (:id, now(), :user, :organisation, :record, 'test')",
        id=new_id(),
        user=world.users["manager"],
        organisation=world.organisations["council"],
        record=case.id,
    )
    with pytest.raises(NotVisible):
        open_emergency_for_review(act_as(world, "manager"), emergency.id)
    with pytest.raises(NotVisible):
        review_emergency(act_as(world, "manager"), emergency.id, SIGNED_OFF)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(Invalid) as wrong:
        parse_emergency({"reference": "?", "reason": "Because I must", "minutes": "٣"})
    assert set(wrong.value.errors) == {"reference", "reason", "minutes"}
    assert parse_emergency(
        {"reference": " nbc-cs-7kq4d2 ", "reason": "x" * 20, "minutes": "5"}
    ) == EmergencyForm("NBC-CS-7KQ4D2", "x" * 20, 5)
    with pytest.raises(Invalid) as wrong:
        parse_review({"outcome": "unreviewed"})
    assert set(wrong.value.errors) == {"outcome", "note"}
