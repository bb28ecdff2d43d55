"""A request from the blind hit to the answer: who is told, who may answer, what an answer opens, and when it is late."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError

from hub.access.actor import NOBODY
from hub.access.guard import enter
from hub.access.models import Grant, Record
from hub.access.vocabulary import Purpose, Section
from hub.access_requests import jobs
from hub.access_requests.actions import answer_request, make_request, withdraw_request
from hub.access_requests.deadlines import due_at
from hub.access_requests.forms import AnswerForm, parse_answer, parse_ask
from hub.access_requests.models import AccessRequest, SoughtRecord
from hub.access_requests.queries import how_late, list_requests, open_request
from hub.access_requests.vocabulary import RequestState, Urgency
from hub.cases.models import Case
from hub.cases.restricting import let_know
from hub.core import clock
from hub.core.errors import Conflict, Denied, Invalid, NotVisible
from hub.extensions import db
from hub.people.models import PersonName
from hub.settings.values import Values
from hub.sharing.actions import Beforehand, share_record
from tests.access_requests.conftest import ask_form, asked, known_case
from tests.conftest import by_worker
from tests.fixtures.shares import share_form
from tests.fixtures.world import World, act_as, look_at

remind_late = by_worker(jobs.remind_late)

S = Section


@pytest.fixture
def case(app: Flask, world: World) -> Case:
    return known_case(world)


@pytest.fixture
def sql(database: SimpleNamespace) -> Callable[..., list[Any]]:
    """As superuser: to see what is really there, and to let time pass."""

    def run(statement: str, **values: object) -> list[Any]:
        engine = sa.create_engine(database.superuser, poolclass=sa.NullPool)
        with engine.begin() as connection:
            connection.execute(sa.text("SET LOCAL lock_timeout = '5s'"))
            result = connection.execute(sa.text(statement), values)
            rows = list(result) if result.returns_rows else []
        engine.dispose()
        return rows

    return run


def supplied(
    *record_ids: UUID, sections: tuple[Section, ...] = (S.SUMMARY, S.PEOPLE), **changes: Any
) -> AnswerForm:
    values: dict[str, Any] = {
        "state": RequestState.SUPPLIED,
        "sections": dict.fromkeys(record_ids, sections),
        "reason": "They need it to work safely",
        "ends_at": clock.now() + timedelta(days=30),
    }
    return AnswerForm(**{**values, **changes})


def test_a_request_is_told_to_those_who_lead_and_shows_the_asker_no_record(
    case: Case, world: World, sql: Callable[..., list[Any]]
) -> None:
    request_id = asked(world)
    told = sql("SELECT user_id FROM notification WHERE kind = 'request.made'")
    assert {row[0] for row in told} == {world.users["officer"], world.users["manager"]}
    asker = open_request(act_as(world, "sergeant"), request_id)
    assert (list(asker.sought), asker.row.ours) == ([], True)
    owner = open_request(act_as(world, "officer"), request_id)
    assert [one.id for one in owner.sought] == [case.id]
    ((records,),) = sql("SELECT record_ids FROM audit.event WHERE act = 'request.made'")
    assert records == []


def test_the_notice_stands_in_the_transaction_of_the_request(
    case: Case, world: World, sql: Callable[..., list[Any]]
) -> None:
    make_request(act_as(world, "sergeant"), world.organisations["council"], ask_form())
    db.session.rollback()
    assert sql("SELECT count(*) FROM notification WHERE kind = 'request.made'") == [(0,)]
    asked(world)
    xids = sql(
        "SELECT DISTINCT xid::text FROM audit.event WHERE act = 'request.made' OR act = 'notification.left'"
        " AND convert_from(body, 'UTF8')::jsonb -> 'facts' ->> 'kind' = 'request.made'"
    )
    assert len(xids) == 1


@pytest.mark.parametrize("how", ["absent", "victim", "hidden", "unknown", "own", "no agreement", "vanished"])
def test_what_is_not_to_be_asked_for_is_answered_alike(
    case: Case, world: World, how: str, sql: Callable[..., list[Any]]
) -> None:
    organisation, terms, user, purpose = world.organisations["council"], "Devon Marchbanks", "sergeant", None
    if how == "absent":
        terms = "Aurelius Nobody"
    elif how == "victim":
        terms = "Philippa Rosegarden"
    elif how == "hidden":
        let_know(act_as(world, "officer"), case.id, known=False)
        db.session.commit()
    elif how == "unknown":
        organisation = uuid4()
    elif how == "own":
        user, purpose = "housing_officer", Purpose.PREVENT_CRIME
    elif how == "no agreement":
        purpose = Purpose.TENANCY
    else:
        known_case(world)
        sql("UPDATE record SET knowable = false")
    with pytest.raises(Conflict) as refused:
        make_request(act_as(world, user, purpose=purpose), organisation, ask_form(sought=terms))
    assert (refused.value.code, refused.value.message) == (
        "nothing_to_ask_for",
        "There is nothing that you can ask this organisation for by this name. Nothing was sent.",
    )
    assert sql("SELECT count(*) FROM access_request") == [(0,)]
    assert sql("SELECT outcome, record_ids FROM audit.event WHERE act = 'request.made'") == [("denied", [])]


def test_supplying_opens_exactly_the_sections_chosen_at_once(case: Case, world: World) -> None:
    request_id = asked(world)
    answer_request(act_as(world, "officer"), request_id, supplied(case.id))
    db.session.commit()
    sergeant = act_as(world, "sergeant")
    assert db.session.scalar(sa.select(Record.id)) == case.id
    look_at(sergeant)
    assert [one.family_name for one in db.session.scalars(sa.select(PersonName))] == ["Marchbanks"]
    (grant,) = open_request(sergeant, request_id).grants
    assert grant.sections == ["summary", "people"]
    assert (grant.to_team_id, grant.purpose, grant.state) == (world.teams["npt"], "prevent_crime", "accepted")
    assert (grant.access_request_id, grant.answered_by) == (request_id, world.users["sergeant"])
    # for that purpose alone, and that team
    act_as(world, "sergeant", purpose=Purpose.SAFEGUARD_CHILD)
    assert db.session.scalar(sa.select(Record.id)) is None


def test_an_answer_in_part_gives_one_record_of_two_and_says_so(
    case: Case, world: World, sql: Callable[..., list[Any]]
) -> None:
    other = known_case(world)
    request_id = asked(world)
    officer = act_as(world, "officer")
    form = supplied(
        case.id, sections=(S.SUMMARY,), state=RequestState.PART, answer="The other case is not about him"
    )
    answer_request(officer, request_id, form)
    db.session.commit()
    sergeant = act_as(world, "sergeant")
    assert list(db.session.scalars(sa.select(Record.id))) == [case.id] != [other.id]
    assert db.session.scalars(sa.select(PersonName)).all() == []
    found = open_request(sergeant, request_id)
    assert (found.request.state, found.request.answer) == ("part", "The other case is not about him")
    ((kind,),) = sql("SELECT kind FROM notification WHERE user_id = :id", id=world.users["sergeant"])
    assert kind == "request.answered"


@pytest.mark.parametrize("state", [RequestState.REFUSED, RequestState.NOT_HELD])
def test_a_refusal_opens_nothing(case: Case, world: World, state: RequestState) -> None:
    request_id = asked(world)
    answer_request(act_as(world, "officer"), request_id, AnswerForm(state, "We do not hold that"))
    db.session.commit()
    act_as(world, "sergeant")
    assert db.session.scalar(sa.select(Grant.id)) is None
    with pytest.raises(Conflict, match="answered_already"):
        answer_request(act_as(world, "officer"), request_id, supplied(case.id))


def test_only_those_who_lead_answer(case: Case, world: World) -> None:
    request_id = asked(world)
    with pytest.raises(Denied, match="not_lead"):
        answer_request(act_as(world, "sergeant"), request_id, supplied(case.id))
    for stranger in ("housing_officer", "yot_worker", "east_officer"):
        with pytest.raises(NotVisible):
            answer_request(act_as(world, stranger), request_id, supplied(case.id))
        with pytest.raises(NotVisible):
            open_request(act_as(world, stranger), request_id)
    with pytest.raises(Denied, match="no_permission"):
        answer_request(act_as(world, "reader"), request_id, supplied(case.id))


def test_no_record_is_supplied_that_was_not_asked_for(case: Case, world: World) -> None:
    request_id = asked(world)
    other = known_case(world)
    with pytest.raises(Invalid):
        answer_request(act_as(world, "officer"), request_id, supplied(case.id, other.id))
    db.session.rollback()
    # and the database takes no accepted share that the request isn't about, whatever the code does
    asked_for = Beforehand(by=world.users["sergeant"], at=clock.now(), access_request_id=request_id)
    form = share_form(world, to_team_id=world.teams["npt"])
    with pytest.raises(DBAPIError, match="waits for its recipient"):
        share_record(act_as(world, "officer"), other.id, form, beforehand=asked_for)


def test_the_asker_withdraws_and_nobody_else(case: Case, world: World) -> None:
    request_id = asked(world)
    with pytest.raises(Denied, match="not_asker"):
        withdraw_request(act_as(world, "officer"), request_id)
    withdraw_request(act_as(world, "sergeant"), request_id)
    db.session.commit()
    with pytest.raises(Conflict, match="answered_already"):
        answer_request(act_as(world, "officer"), request_id, supplied(case.id))
    with pytest.raises(Conflict, match="answered_already"):
        withdraw_request(act_as(world, "sergeant"), request_id)


@pytest.mark.parametrize(
    ("user", "values"),
    [
        ("sergeant", {"state": "supplied"}),
        ("sergeant", {"state": "refused", "answer": "No"}),
        ("officer", {"state": "withdrawn"}),
        ("officer", {"state": "supplied", "answered_by": None}),
    ],
)
def test_the_database_lets_the_lead_answer_and_the_asker_withdraw(
    case: Case, world: World, user: str, values: dict[str, Any]
) -> None:
    request_id = asked(world)
    actor = act_as(world, user)
    change = {"answered_at": clock.now(), "answered_by": actor.user_id, **values}
    with pytest.raises(DBAPIError, match="answered once"):
        db.session.execute(sa.update(AccessRequest).where(AccessRequest.id == request_id).values(**change))


def test_the_database_takes_no_second_answer(case: Case, world: World) -> None:
    request_id = asked(world)
    answer_request(act_as(world, "officer"), request_id, AnswerForm(RequestState.NOT_HELD))
    db.session.commit()
    officer = act_as(world, "officer")
    with pytest.raises(DBAPIError, match="answered once"):
        db.session.execute(
            sa.update(AccessRequest)
            .where(AccessRequest.id == request_id)
            .values(state="supplied", answered_at=clock.now(), answered_by=officer.user_id)
        )


def test_the_asker_cannot_name_records_to_the_database(case: Case, world: World) -> None:
    request_id = asked(world)
    act_as(world, "sergeant")
    assert db.session.scalars(sa.select(SoughtRecord.id)).all() == []
    with pytest.raises(DBAPIError, match="permission denied"):
        db.session.execute(sa.insert(SoughtRecord).values(id=uuid4(), access_request_id=request_id))
    db.session.rollback()
    # somebody else of the asker's team can't attach anew either
    act_as(world, "police_spoc")
    teams = sa.func.attach_sought_records(request_id).column_valued("team")
    assert db.session.scalars(sa.select(teams)).all() == []


def test_asked_by_us_and_of_us_are_two_lists(case: Case, world: World) -> None:
    first, second = asked(world), asked(world, urgency=Urgency.IMMEDIATE_RISK)
    sergeant = act_as(world, "sergeant")
    assert [row.request.id for row in list_requests(sergeant, ours=True).rows] == [second, first]
    assert list(list_requests(sergeant, ours=False).rows) == []
    officer = act_as(world, "officer")
    assert list(list_requests(officer, ours=True).rows) == []
    waiting = list_requests(officer, ours=False, state=RequestState.WAITING).rows
    assert [row.request.id for row in waiting] == [second, first]
    assert list(list_requests(officer, ours=False, state=RequestState.REFUSED).rows) == []
    assert list(list_requests(act_as(world, "housing_officer"), ours=False).rows) == []


def test_those_who_owe_an_answer_are_reminded_once(
    case: Case, world: World, sql: Callable[..., list[Any]]
) -> None:
    request_id = asked(world)
    enter(db.session(), NOBODY)
    assert remind_late(Event()) == 0
    sql("UPDATE access_request SET due_at = now() - interval '2 days'")
    assert remind_late(Event()) == 1
    assert remind_late(Event()) == 0
    told = sql("SELECT user_id, address FROM notification WHERE kind = 'request.late'")
    assert {row[0] for row in told} == {world.users["officer"], world.users["manager"]}
    assert {row[1] for row in told} == {f"/requests/{request_id}"}
    ((object_id,),) = sql("SELECT object_id FROM audit.event WHERE act = 'request.late'")
    assert object_id == request_id
    (row,) = list_requests(act_as(world, "officer"), ours=False).rows
    assert row.late and how_late(row.request.due_at, clock.now()) == "late by 2 days"


def test_what_was_answered_is_never_called_late(
    case: Case, world: World, sql: Callable[..., list[Any]]
) -> None:
    request_id = asked(world)
    answer_request(act_as(world, "officer"), request_id, AnswerForm(RequestState.NOT_HELD))
    db.session.commit()
    sql("UPDATE access_request SET due_at = now() - interval '2 days'")
    enter(db.session(), NOBODY)
    assert remind_late(Event()) == 0


@pytest.mark.parametrize(
    ("urgency", "due"),
    [
        (Urgency.IMMEDIATE_RISK, "2026-11-20 17:30"),
        (Urgency.WITHIN_24_HOURS, "2026-11-21 16:30"),
        (Urgency.WITHIN_5_DAYS, "2026-11-27 16:30"),
        (Urgency.ROUTINE, "2026-12-18 16:30"),
    ],
)
def test_working_days_leave_weekends_out(urgency: Urgency, due: str) -> None:
    friday = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)
    assert due_at(urgency, friday, Values()) == datetime.fromisoformat(f"{due}+00:00")


def test_working_days_keep_the_time_of_day_when_the_clocks_change() -> None:
    before = datetime(2026, 10, 22, 9, 0, tzinfo=clock.LONDON)
    assert due_at(Urgency.WITHIN_5_DAYS, before, Values()) == datetime(
        2026, 10, 29, 9, 0, tzinfo=clock.LONDON
    )
    saturday = datetime(2026, 11, 21, 9, 0, tzinfo=clock.LONDON)
    assert due_at(Urgency.WITHIN_5_DAYS, saturday, Values()).date().isoformat() == "2026-11-27"


@pytest.mark.parametrize(
    ("late", "words"),
    [
        (0, ""),
        (-5, ""),
        (0.5, "late"),
        (1, "late by 1 minute"),
        (60, "late by 1 hour"),
        (2 * 1440, "late by 2 days"),
    ],
)
def test_how_late_is_told_in_whole_units(late: float, words: str) -> None:
    now = clock.now()
    assert how_late(now - timedelta(minutes=late), now) == words


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(Invalid) as wrong:
        parse_ask({"sought": "Devon devon", "urgency": "soon"})
    assert set(wrong.value.errors) == {"sought", "urgency", "wanted", "reason"}
    record = uuid4()
    with pytest.raises(Invalid) as wrong:
        parse_answer({"state": "part", "max_marking": "7", f"sections-{record}": ["people"]}, [record])
    assert set(wrong.value.errors) == {"answer", "reason", "ends", "max_marking", f"sections-{record}"}
    with pytest.raises(Invalid) as wrong:
        parse_answer({"state": "withdrawn"}, [record])
    assert set(wrong.value.errors) == {"state"}
