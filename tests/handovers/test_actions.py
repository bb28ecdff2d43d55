"""Handing a case over: offered once, answered once, and from then on another's; what stays, stays with its writer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError

from hub.access.actor import Actor
from hub.access.guard import enter
from hub.access.models import Grant, Record, RecordTeam
from hub.access.vocabulary import Audience, Marking, Section
from hub.audit.verifying import verify
from hub.cases.models import Case
from hub.cases.vocabulary import CaseKind, CaseStatus
from hub.chronology.actions import add_entry
from hub.chronology.forms import EntryForm
from hub.chronology.models import Entry
from hub.core.errors import Conflict, Denied, Invalid, NotVisible
from hub.extensions import db
from hub.handovers.actions import (
    accept_hand_over,
    offer_hand_over,
    refuse_hand_over,
    withdraw_hand_over,
)
from hub.handovers.models import HandOver
from hub.handovers.queries import HandOverPart, list_hand_overs, open_hand_over
from hub.notifications.models import Notification
from hub.people.actions import add_person
from hub.people.models import Person
from hub.people.queries import find_people_of
from hub.people.vocabulary import InvolvementRole
from tests.cases.making import at_status
from tests.fixtures.handing import RESTATED, handed_over, offer_form, offered
from tests.fixtures.shares import led_case, shared
from tests.fixtures.world import World, act_as

CHRONOLOGY = Section.CHRONOLOGY


@pytest.fixture
def case_id(app: Flask, world: World) -> UUID:
    return led_case(act_as(world, "officer"))


def sql(url: str, statement: str, **values: Any) -> list[Any]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        result = connection.execute(sa.text(statement), values)
        rows = list(result) if result.returns_rows else []
    engine.dispose()
    return rows


def entry(actor: Actor, case_id: UUID, text: str, audience: Audience | None = None) -> UUID:
    key = add_entry(actor, case_id, EntryForm(text, audience=audience)).id
    db.session.commit()
    return key


def reads(actor: Actor, entry_id: UUID) -> bool:
    return db.session.scalar(sa.select(Entry.id).where(Entry.id == entry_id)) is not None


def sees(actor: Actor, case_id: UUID) -> bool:
    return db.session.scalar(sa.select(Case.id).where(Case.id == case_id)) is not None


def test_accepting_makes_the_other_team_the_lead_and_the_old_one_a_stranger(
    case_id: UUID, world: World
) -> None:
    handed_over(world, case_id)
    sergeant = act_as(world, "sergeant")
    case = db.session.get_one(Case, case_id)
    assert case.owner_organisation_id == world.organisations["police"]
    assert case.lead_team_id == world.teams["npt"]
    assert case.lead_officer_id == sergeant.user_id
    assert not db.session.get_one(Record, case_id).open_to_owner
    for user in ("manager", "officer", "housing_officer", "yot_worker"):
        assert not sees(act_as(world, user), case_id), user


def test_what_its_writer_put_there_stays_readable_to_it_and_goes_to_the_new_lead(
    case_id: UUID, world: World
) -> None:
    ours = entry(act_as(world, "officer"), case_id, "Called on the tenant")
    handed_over(world, case_id)
    assert reads(act_as(world, "officer"), ours)
    assert reads(act_as(world, "sergeant"), ours)
    assert not reads(act_as(world, "yot_worker"), ours)


def test_sections_that_stay_are_their_writers_alone(case_id: UUID, world: World) -> None:
    shared(world, case_id, to="yjs", taken_by=None)
    officer = act_as(world, "officer")
    ours = entry(officer, case_id, "Called on the tenant")
    add_person(officer, db.session.get_one(Record, case_id), role=InvolvementRole.SUBJECT, given_names="Dean")
    db.session.commit()
    handed_over(world, case_id, stays=(CHRONOLOGY, Section.PEOPLE))
    sergeant = act_as(world, "sergeant")
    assert sees(sergeant, case_id) and not reads(sergeant, ours)
    assert find_people_of(sergeant, [case_id]) == {}
    officer = act_as(world, "officer")
    assert reads(officer, ours) and not sees(officer, case_id)
    assert [one.name for one in find_people_of(officer, [case_id])[case_id]] == ["Dean"]


def test_what_the_new_lead_wrote_itself_stays_readable_to_it_though_its_section_stays(
    case_id: UUID, world: World
) -> None:
    shared(world, case_id, may_contribute=True)
    ours = entry(act_as(world, "officer"), case_id, "Called on the tenant")
    theirs = entry(act_as(world, "sergeant"), case_id, "Patrolled")
    handed_over(world, case_id, stays=(CHRONOLOGY,))
    sergeant = act_as(world, "sergeant")
    assert reads(sergeant, theirs) and not reads(sergeant, ours)
    # the old lead read it as the lead of the case, which it is no more
    officer = act_as(world, "officer")
    assert reads(officer, ours) and not reads(officer, theirs)


@pytest.mark.parametrize("audience", [Audience.SUPERVISOR_ONLY, Audience.POLICE_ONLY, Audience.VICTIM_SAFE])
def test_what_stays_is_never_read_by_more_people_than_before(
    case_id: UUID, world: World, audience: Audience
) -> None:
    """An item for supervisors stays for those of its writer; nobody gains by the hand-over."""
    kept = entry(act_as(world, "manager"), case_id, "For few", audience)
    users = ("officer", "manager", "sergeant", "housing_officer", "yot_worker", "reader")
    before = {user for user in users if reads(act_as(world, user), kept)}
    handed_over(world, case_id, stays=(CHRONOLOGY,))
    after = {user for user in users if reads(act_as(world, user), kept)}
    expected = {
        Audience.SUPERVISOR_ONLY: {"manager"},
        Audience.POLICE_ONLY: set(),
        Audience.VICTIM_SAFE: {"officer", "manager", "reader"},
    }
    # colleagues of other teams read what their organisation put on another's record: that is the rule
    assert after - {"housing_officer"} == expected[audience]
    assert after - {"housing_officer"} <= before


def test_all_shares_end_with_it_and_the_ones_they_were_made_to_are_told(
    case_id: UUID, world: World, database: SimpleNamespace
) -> None:
    taken = shared(world, case_id, to="yjs", taken_by=None)
    inside = shared(
        world,
        case_id,
        to="council",
        to_team_id=world.teams["housing"],
        purpose=None,
        taken_by="housing_officer",
    )
    assert sees(act_as(world, "housing_officer"), case_id)
    offer = handed_over(world, case_id)
    assert not sees(act_as(world, "housing_officer"), case_id)
    rows = sql(database.superuser, "SELECT id, revoked_at IS NOT NULL, closed_with FROM record_grant")
    assert sorted(rows) == sorted([(taken, True, offer), (inside, True, offer)])
    closed = sql(database.superuser, "SELECT object_id FROM audit.event WHERE act = 'share.closed'")
    assert {row[0] for row in closed} == {taken, inside}
    told = sql(database.superuser, "SELECT user_id, address FROM notification WHERE kind = 'share.closed'")
    assert {
        (world.users["yot_worker"], "/shared"),
        (world.users["housing_officer"], "/shared"),
        (world.users["officer"], f"/hand-overs/{offer}"),
    } <= {tuple(row) for row in told}


def test_shares_inside_the_organisation_that_ended_long_ago_do_not_hinder_it(
    case_id: UUID, world: World, database: SimpleNamespace
) -> None:
    inside = shared(
        world,
        case_id,
        to="council",
        to_team_id=world.teams["housing"],
        purpose=None,
        taken_by="housing_officer",
    )
    sql(
        database.superuser,
        "UPDATE record_grant SET starts_at = now() - interval '9 days', ends_at = now() - interval '1 day' WHERE id = :id",
        id=inside,
    )
    handed_over(world, case_id)
    assert sees(act_as(world, "sergeant"), case_id)


def test_inside_the_organisation_no_agreement_is_needed_and_everything_goes(
    case_id: UUID, world: World
) -> None:
    ours = entry(act_as(world, "officer"), case_id, "Called on the tenant")
    handed_over(world, case_id, "housing", by="housing_officer")
    housing = act_as(world, "housing_officer")
    assert sees(housing, case_id) and reads(housing, ours)
    assert not sees(act_as(world, "officer"), case_id)
    actor = act_as(world, "manager")
    other = led_case(actor)
    with pytest.raises(Invalid) as wrong:
        offer_hand_over(actor, other, offer_form(world, "housing", stays=(CHRONOLOGY,)), case_kind="ASB")
    assert set(wrong.value.errors) == {"stays"}


def test_a_restricted_case_is_restricted_to_its_new_lead_officer(
    app: Flask, world: World, database: SimpleNamespace
) -> None:
    manager = act_as(world, "manager")
    case_id = led_case(manager, restricted=True, restricted_reason="A colleague is named in it")
    assert sees(manager, case_id) and not sees(act_as(world, "officer"), case_id)
    handed_over(world, case_id)
    sergeant = act_as(world, "sergeant")
    assert sees(sergeant, case_id)
    assert list(db.session.scalars(sa.select(RecordTeam.user_id))) == [sergeant.user_id]
    assert not sees(act_as(world, "manager"), case_id)


def test_what_was_written_in_a_restricted_case_stays_with_those_who_were_named(
    app: Flask, world: World, database: SimpleNamespace
) -> None:
    """Not with the whole organisation, as what it writes on others' open records does."""
    manager = act_as(world, "manager")
    case_id = led_case(manager, restricted=True, restricted_reason="A colleague is named in it")
    goes = entry(manager, case_id, "Goes")
    for_few = entry(act_as(world, "manager"), case_id, "For supervisors", Audience.SUPERVISOR_ONLY)
    person = add_person(
        act_as(world, "manager"),
        db.session.get_one(Record, case_id),
        role=InvolvementRole.SUBJECT,
        given_names="Dean",
    ).id
    db.session.commit()
    handed_over(world, case_id, stays=(Section.PEOPLE,))
    manager = act_as(world, "manager")
    assert reads(manager, goes) and reads(manager, for_few)
    assert db.session.get(Person, person) is not None
    for user in ("officer", "reader", "housing_officer", "yot_worker"):
        actor = act_as(world, user)
        assert not reads(actor, goes) and not reads(actor, for_few), user
        assert db.session.scalar(sa.select(Person.id).where(Person.id == person)) is None, user
    sergeant = act_as(world, "sergeant")
    assert reads(sergeant, goes) and reads(sergeant, for_few)
    assert db.session.scalar(sa.select(Person.id).where(Person.id == person)) is None


def test_a_case_that_was_handed_over_is_worked_and_handed_on_like_any_other(
    case_id: UUID, world: World
) -> None:
    handed_over(world, case_id)
    sergeant = act_as(world, "sergeant")
    entry(sergeant, case_id, "Took it over")
    back = offer_hand_over(
        sergeant, case_id, offer_form(world, "safety", purpose=offer_form(world).purpose), case_kind="ASB"
    ).id
    db.session.commit()
    accept_hand_over(act_as(world, "manager"), back, RESTATED)
    db.session.commit()
    assert sees(act_as(world, "officer"), case_id) and not sees(act_as(world, "sergeant"), case_id)


# ---- who, and in what state ---------------------------------------------------------------------------------------


def refused(error: type[Exception], act: Callable[[], Any]) -> str:
    with pytest.raises(error) as found:
        act()
    db.session.rollback()
    return str(getattr(found.value, "code", ""))


@pytest.mark.parametrize(
    ("user", "error"),
    # the council's cases are open to its other teams: they see that it isn't theirs
    [("officer", Denied), ("housing_officer", Denied), ("sergeant", NotVisible)],
)
def test_only_a_supervisor_of_the_lead_team_offers_it(
    case_id: UUID, world: World, user: str, error: type[Exception]
) -> None:
    act_as(world, "officer")
    db.session.execute(sa.update(Record).where(Record.id == case_id).values(open_to_owner=True))
    db.session.commit()
    actor = act_as(world, user)
    refused(error, lambda: offer_hand_over(actor, case_id, offer_form(world), case_kind="ASB"))


def test_what_a_partner_shares_with_us_is_not_ours_to_give(case_id: UUID, world: World) -> None:
    shared(world, case_id, sections=tuple(Section), may_contribute=True)
    actor = act_as(world, "sergeant")
    form = offer_form(world, "yjs", purpose=offer_form(world).purpose)
    assert refused(Denied, lambda: offer_hand_over(actor, case_id, form, case_kind="ASB")) == "not_lead"


def test_one_offer_at_a_time(case_id: UUID, world: World) -> None:
    first = offered(world, case_id)
    actor = act_as(world, "manager")
    again = refused(
        Conflict, lambda: offer_hand_over(actor, case_id, offer_form(world, "yjs"), case_kind="ASB")
    )
    assert again == "offered_already"
    withdraw_hand_over(act_as(world, "manager"), first)
    db.session.commit()
    offered(world, case_id, "yjs")


@pytest.mark.parametrize("end", ["accept", "refuse", "withdraw"])
def test_an_offer_is_answered_once(case_id: UUID, world: World, end: str) -> None:
    key = offered(world, case_id)
    acts: dict[str, tuple[str, Callable[[Actor], Any]]] = {
        "accept": ("sergeant", lambda actor: accept_hand_over(actor, key, RESTATED)),
        "refuse": ("sergeant", lambda actor: refuse_hand_over(actor, key, reason="Not ours")),
        "withdraw": ("manager", lambda actor: withdraw_hand_over(actor, key)),
    }
    user, act = acts[end]
    act(act_as(world, user))
    db.session.commit()
    for user, act in acts.values():
        actor = act_as(world, user)
        assert refused(Conflict, lambda act=act, actor=actor: act(actor)) == "answered_already"  # type: ignore[misc]
    assert sees(act_as(world, "sergeant"), case_id) == (end == "accept")


def test_each_side_answers_for_itself_and_a_third_organisation_finds_nothing(
    case_id: UUID, world: World
) -> None:
    key = offered(world, case_id)
    assert refused(Denied, lambda: accept_hand_over(act_as(world, "manager"), key, RESTATED))
    assert refused(Denied, lambda: refuse_hand_over(act_as(world, "manager"), key, reason="No"))
    assert refused(Denied, lambda: withdraw_hand_over(act_as(world, "sergeant"), key))
    for user in ("yot_worker", "outreach_worker", "east_officer"):
        actor = act_as(world, user)
        refused(NotVisible, lambda actor=actor: open_hand_over(actor, key))  # type: ignore[misc]
        assert [list_hand_overs(actor, part).rows for part in HandOverPart] == [[], [], []]
    refused(NotVisible, lambda: accept_hand_over(act_as(world, "yot_worker"), key, RESTATED))


def test_a_team_of_another_hat_of_the_same_user_does_not_answer(case_id: UUID, world: World) -> None:
    key = offered(world, case_id)
    assert refused(Denied, lambda: accept_hand_over(act_as(world, "sergeant_east"), key, RESTATED))


def test_only_a_case_that_has_not_ended_is_taken_over(
    case_id: UUID, world: World, database: SimpleNamespace
) -> None:
    key = offered(world, case_id)
    sql(
        database.superuser,
        "UPDATE case_record SET status = 'merged' WHERE id = :id",
        id=case_id,
    )
    assert refused(Conflict, lambda: accept_hand_over(act_as(world, "sergeant"), key, RESTATED)) == "not_open"
    assert not sees(act_as(world, "sergeant"), case_id)


def test_nobody_below_the_case_s_marking_takes_it_over(
    app: Flask, world: World, database: SimpleNamespace
) -> None:
    case_id = led_case(act_as(world, "officer"), marking=Marking.OFFICIAL_SENSITIVE)
    sql(database.superuser, "UPDATE app_user SET clearance = 1 WHERE id = :id", id=world.users["sergeant"])
    sql(database.superuser, "UPDATE app_user SET clearance = 1 WHERE id = :id", id=world.users["manager"])
    key = offered(world, case_id)
    sql(database.superuser, "UPDATE app_user SET clearance = 0 WHERE id = :id", id=world.users["sergeant"])
    refused(NotVisible, lambda: accept_hand_over(act_as(world, "sergeant"), key, RESTATED))
    actor = act_as(world, "manager")
    withdraw_hand_over(actor, key)
    db.session.commit()
    with pytest.raises(Invalid) as wrong:
        offer_hand_over(act_as(world, "manager"), case_id, offer_form(world), case_kind="ASB")
    assert set(wrong.value.errors) == {"to"}


def test_a_team_without_a_supervisor_is_not_offered_a_case(case_id: UUID, world: World) -> None:
    with pytest.raises(Invalid) as wrong:
        offer_hand_over(
            act_as(world, "manager"),
            case_id,
            offer_form(world, "npt_east"),
            case_kind="ASB",
        )
    assert "supervisor" in wrong.value.errors["to"]


@pytest.mark.parametrize("kind", [CaseKind.ASB, CaseKind.DOMESTIC_ABUSE])
def test_no_kind_of_case_hinders_it(app: Flask, world: World, kind: CaseKind) -> None:
    case_id = at_status(act_as(world, "officer"), CaseStatus.OPEN, kind).id
    handed_over(world, case_id)
    assert sees(act_as(world, "sergeant"), case_id)


def suspend(database: SimpleNamespace, world: World) -> None:
    sql(
        database.superuser,
        "UPDATE agreement SET suspended_at = now(), suspended_why = 'A breach' WHERE id = :id",
        id=world.agreements["sharing"],
    )


def test_two_who_accept_at_the_same_moment_take_it_once(
    case_id: UUID, world: World, app: Flask, database: SimpleNamespace
) -> None:
    key = offered(world, case_id)
    tokens = [act_as(world, "sergeant") for _ in range(2)]
    db.session.remove()
    gate, ends = threading.Barrier(2), []

    def take(actor: Actor) -> None:
        with app.app_context():
            enter(db.session(), actor)
            gate.wait()
            try:
                accept_hand_over(actor, key, RESTATED)
                db.session.commit()
                ends.append("taken")
            except Conflict as conflict:
                db.session.rollback()
                ends.append(conflict.code)

    threads = [threading.Thread(target=take, args=(actor,)) for actor in tokens]
    for one in threads:
        one.start()
    for one in threads:
        one.join(timeout=20)
    assert sorted(ends) in (["not_open", "taken"], ["answered_already", "taken"])
    written = sql(
        database.superuser,
        "SELECT count(*) FROM audit.event WHERE act IN ('handover.accepted', 'case.changed')",
    )
    assert written == [(2,)]


# ---- agreements ---------------------------------------------------------------------------------------------------


def test_without_an_agreement_nothing_is_offered_and_the_refusal_is_written(
    case_id: UUID, world: World, database: SimpleNamespace
) -> None:
    sql(
        database.superuser,
        "INSERT INTO role_holding (user_id, partnership_id, role, granted_at) VALUES (:user, :area, 'supervisor', now())",
        user=world.users["outreach_worker"],
        area=world.partnerships["northbrook"],
    )
    with pytest.raises(Denied) as denied:
        offer_hand_over(act_as(world, "manager"), case_id, offer_form(world, "outreach"), case_kind="ASB")
    assert "not signed yet by Lantern Outreach" in denied.value.message
    written = sql(database.superuser, "SELECT outcome FROM audit.event WHERE act = 'share.denied'")
    assert [row[0] for row in written] == ["denied"]
    assert sql(database.superuser, "SELECT id FROM hand_over") == []


def test_an_agreement_suspended_in_between_stops_it_with_the_reason(
    case_id: UUID, world: World, database: SimpleNamespace
) -> None:
    key = offered(world, case_id)
    suspend(database, world)
    with pytest.raises(Denied) as denied:
        accept_hand_over(act_as(world, "sergeant"), key, RESTATED)
    assert "has been suspended since" in denied.value.message
    assert not sees(act_as(world, "sergeant"), case_id)
    rows = sql(
        database.superuser,
        "SELECT outcome, cardinality(organisation_ids) FROM audit.event WHERE act = 'handover.accepted'",
    )
    assert [tuple(row) for row in rows] == [("denied", 2)]
    assert sql(database.superuser, "SELECT state FROM hand_over") == [("offered",)]


def test_the_database_asks_for_the_agreement_too(
    case_id: UUID, world: World, database: SimpleNamespace
) -> None:
    key = offered(world, case_id)
    suspend(database, world)
    act_as(world, "sergeant")
    with pytest.raises(DBAPIError, match="no agreement in force"):
        db.session.execute(sa.select(sa.func.accept_hand_over(key, "cda_115", "art6_1e", "")))
    db.session.rollback()


# ---- the database's wall ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "statement"),
    [
        ("sergeant", "UPDATE hand_over SET state = 'accepted', answered_at = now(), answered_by = :me"),
        ("sergeant", "UPDATE hand_over SET state = 'withdrawn', answered_at = now(), answered_by = :me"),
        ("manager", "UPDATE hand_over SET state = 'accepted', answered_at = now(), answered_by = :me"),
        ("manager", "UPDATE hand_over SET state = 'refused', answered_at = now(), answered_by = :me"),
        ("manager", "UPDATE hand_over SET answer = 'They agreed', answered_by = :me"),
        ("sergeant", "UPDATE hand_over SET to_team_id = from_team_id WHERE answered_by = :me"),
        ("sergeant", "UPDATE record SET owner_organisation_id = :org, lead_team_id = :team WHERE :me <> id"),
        ("manager", "UPDATE record SET owner_organisation_id = :org, lead_team_id = :team WHERE :me <> id"),
    ],
)
def test_the_service_cannot_write_that_an_offer_was_accepted(
    case_id: UUID, world: World, database: SimpleNamespace, user: str, statement: str
) -> None:
    offered(world, case_id)
    actor = act_as(world, user)
    values = {"me": actor.user_id, "org": world.organisations["police"], "team": world.teams["npt"]}
    if "record" in statement and user == "sergeant":
        # out of sight: nothing is there to change
        found = db.session.connection().execute(sa.text(statement), values)
        assert found.rowcount == 0
    else:
        used = {name: value for name, value in values.items() if f":{name}" in statement}
        with pytest.raises(DBAPIError) as refused_by:
            db.session.connection().execute(sa.text(statement), used)
        assert getattr(refused_by.value.orig, "sqlstate", "") == "42501"
    db.session.rollback()
    assert sql(database.superuser, "SELECT state, answer FROM hand_over") == [("offered", "")]


def test_an_offer_cannot_be_born_accepted(case_id: UUID, world: World) -> None:
    offered(world, case_id)
    actor = act_as(world, "manager")
    offer = db.session.scalar(sa.select(HandOver))
    assert offer is not None
    withdraw_hand_over(actor, offer.id)
    db.session.commit()
    columns = {column.key: getattr(offer, column.key) for column in sa.inspect(HandOver).mapper.column_attrs}
    forged = HandOver(**{**columns, "id": UUID(int=7), "state": "accepted", "restated_gateway": "cda_115"})
    forged.restated_basis, forged.answered_by = "art6_1e", actor.user_id
    db.session.add(forged)
    with pytest.raises(DBAPIError) as refused_by:
        db.session.flush()
    assert getattr(refused_by.value.orig, "sqlstate", "") == "42501"
    db.session.rollback()


def test_the_function_acts_for_the_team_that_it_was_offered_to_alone(case_id: UUID, world: World) -> None:
    key = offered(world, case_id)
    for user in ("manager", "yot_worker", "sergeant_east", "outreach_worker"):
        act_as(world, user)
        with pytest.raises(DBAPIError, match="not open to you"):
            db.session.execute(sa.select(sa.func.accept_hand_over(key, "cda_115", "art6_1e", "")))
        db.session.rollback()


# ---- the log ------------------------------------------------------------------------------------------------------


def test_both_organisations_find_it_in_their_logs_and_nobody_else(
    case_id: UUID, world: World, database: SimpleNamespace
) -> None:
    shared(world, case_id, to="yjs", taken_by=None)
    handed_over(world, case_id)
    wanted = {"handover.offered", "handover.accepted", "case.changed", "share.closed"}
    for user in ("auditor", "police_auditor"):
        actor = act_as(world, user)
        found = db.session.connection().execute(
            sa.text(
                "SELECT act FROM audit.find_events_about(:id) f JOIN audit.event e ON e.id = f.id AND e.at = f.at"
            ),
            {"id": case_id},
        )
        assert wanted <= {row[0] for row in found}, actor.name
        db.session.rollback()
    act_as(world, "yot_worker")
    seen = db.session.connection().execute(sa.text("SELECT act FROM audit.event WHERE act LIKE 'handover.%'"))
    assert list(seen) == []
    db.session.rollback()
    names = sql(
        database.superuser,
        "SELECT act, organisation_ids FROM audit.event WHERE act IN ('handover.accepted', 'case.changed')",
    )
    both = {world.organisations["council"], world.organisations["police"]}
    assert [set(ids) for _, ids in names] == [both, both]


def test_the_log_has_every_revision_after_a_hand_over(
    case_id: UUID, world: World, database: SimpleNamespace
) -> None:
    shared(world, case_id, to="yjs", taken_by=None)
    handed_over(world, case_id)
    engine = sa.create_engine(database.owner, poolclass=sa.NullPool)
    with engine.connect() as connection:
        report = verify(connection)
    engine.dispose()
    assert report.ok, report.problems
    (revision,) = sql(database.superuser, "SELECT revision FROM case_record")[0]
    (version, facts) = sql(
        database.superuser,
        "SELECT max(object_version), count(*) FROM audit.event WHERE act = 'case.changed' AND object_type = 'case'",
    )[0]
    assert (version, facts) == (revision, 1)


def test_the_acceptance_says_how_many_shares_ended(
    case_id: UUID, world: World, database: SimpleNamespace
) -> None:
    shared(world, case_id, to="yjs", taken_by=None)
    handed_over(world, case_id)
    ((facts, basis, texts),) = sql(
        database.superuser,
        "SELECT b -> 'facts', b -> 'basis', b -> 'commitments' FROM (SELECT convert_from(body, 'UTF8')::jsonb AS b"
        " FROM audit.event WHERE act = 'handover.accepted') e",
    )
    assert facts == {"shares": 1}
    assert basis["agreement"] == str(world.agreements["sharing"])
    assert set(texts) == {"answer"}


def test_those_concerned_are_told(case_id: UUID, world: World, database: SimpleNamespace) -> None:
    key = handed_over(world, case_id)
    told = sql(database.superuser, "SELECT user_id, kind, address FROM notification ORDER BY created_at")
    assert (world.users["sergeant"], "handover.offered", f"/hand-overs/{key}") in [tuple(row) for row in told]
    assert (world.users["manager"], "handover.accepted", f"/hand-overs/{key}") in [tuple(row) for row in told]
    assert Notification.__tablename__ == "notification"


def test_what_is_restated_stands_beside_what_was_given(case_id: UUID, world: World) -> None:
    key = handed_over(world, case_id)
    act_as(world, "manager")
    offer = db.session.get_one(HandOver, key)
    assert (offer.gateway, offer.lawful_basis) == ("cda_115", "art6_1e")
    assert (offer.restated_gateway, offer.restated_basis) == ("common_law_police", "p3_task")
    assert (offer.state, offer.answer) == ("accepted", "We take it")
    assert db.session.scalar(sa.select(Grant.id)) is None
