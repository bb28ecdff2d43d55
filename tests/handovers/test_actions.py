"""Handing a case over: offered once, answered once, and from then on another's; what stays, stays with its writer."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from hub.access.models import Record, RecordTeam
from hub.access.vocabulary import Audience, Section
from hub.cases.models import Case
from hub.core.errors import Invalid
from hub.extensions import db
from hub.handovers.actions import (
    accept_hand_over,
    offer_hand_over,
)
from hub.people.actions import add_person
from hub.people.models import Person
from hub.people.queries import find_people_of
from hub.people.vocabulary import InvolvementRole
from tests.fixtures.handing import RESTATED, handed_over, offer_form
from tests.fixtures.shares import led_case, shared
from tests.fixtures.world import World, act_as, look_at
from tests.handovers.seeing import CHRONOLOGY, entry, reads, sees, sql


def test_accepting_makes_the_other_team_the_lead_and_the_old_one_a_stranger(
    case_id: UUID, world: World
) -> None:
    handed_over(world, case_id)
    sergeant = look_at(act_as(world, "sergeant"))
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
    look_at(sergeant)
    assert find_people_of(sergeant, [case_id]) == {}
    officer = act_as(world, "officer")
    assert reads(officer, ours) and not sees(officer, case_id)
    look_at(officer, case_id)
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
