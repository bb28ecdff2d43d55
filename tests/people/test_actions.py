"""People in records: who may add them, in which section they are, what ends."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from hub.access.vocabulary import Marking
from hub.accounts.models import User
from hub.core.errors import Conflict, Denied, Invalid, NotVisible
from hub.core.paging import Cursor
from hub.core.partial_dates import BadPartialDate
from hub.extensions import db
from hub.people import queries
from hub.people.actions import add_person, end_involvement, involve_person
from hub.people.births import age_words, agree, check_birth, other_way_round
from hub.people.queries import NAMELESS, find_people_of, list_people, open_person
from hub.people.vocabulary import InvolvementRole
from tests.fixtures.world import World, act_as, look_at
from tests.people.test_matching import incident_of

SUBJECT = InvolvementRole.SUBJECT


def test_a_victim_is_in_the_victim_section_and_a_subject_is_not(app: object, world: World) -> None:
    actor = act_as(world, "officer")
    incident = incident_of(actor)
    add_person(actor, incident, role=InvolvementRole.WITNESS, given_names="Orla")
    add_person(actor, incident, role=SUBJECT, known_as="Baz", marking=Marking.OFFICIAL_SENSITIVE)
    db.session.commit()
    first, second = find_people_of(actor, [incident.id])[incident.id]
    assert (first.victim_side, second.victim_side) == (True, False)
    assert (first.marking, second.marking) == (0, 1)


def test_a_person_needs_a_name_a_known_role_and_a_birthday_that_can_be(app: object, world: World) -> None:
    actor = act_as(world, "officer")
    incident = incident_of(actor)
    with pytest.raises(Invalid) as nameless:
        add_person(actor, incident, role=SUBJECT, date_of_birth="2199-01-01")
    assert set(nameless.value.errors) == {"given_names", "date_of_birth"}
    with pytest.raises(Invalid):
        add_person(actor, incident, role="perpetrator", given_names="Orla")  # type: ignore[arg-type]


def test_only_who_may_add_to_the_record_adds_and_nobody_learns_of_a_hidden_one(
    app: object, world: World
) -> None:
    incident = incident_of(act_as(world, "officer"))
    db.session.commit()
    with pytest.raises(Denied):
        add_person(act_as(world, "reader"), incident, role=SUBJECT, given_names="Orla")
    with pytest.raises(NotVisible):
        add_person(act_as(world, "sergeant"), incident, role=SUBJECT, given_names="Orla")


def test_the_same_person_in_a_second_record_keeps_both_layers(app: object, world: World) -> None:
    actor = act_as(world, "officer")
    first, second = incident_of(actor), incident_of(actor)
    person = add_person(
        actor, first, role=SUBJECT, given_names="Alistair", family_name="Simpson", date_of_birth="1990-03-04"
    )
    involve_person(actor, second, person.id, role=SUBJECT, given_names="Alastair", family_name="Simpson")
    db.session.commit()
    found = find_people_of(actor, [first.id, second.id])
    assert [found[one.id][0].name for one in (first, second)] == ["Alistair Simpson", "Alastair Simpson"]
    assert found[second.id][0].date_of_birth == "1990-03-04"
    opened = open_person(actor, person.id)
    assert {told.value for told in opened.names} == {"Alistair Simpson", "Alastair Simpson"}
    assert len(opened.roles) == 2 and all(told.own and told.reference for told in opened.names)
    with pytest.raises(Conflict):
        involve_person(actor, second, person.id, role=SUBJECT)
    assert [row.person.record_id for row in list_people(actor).rows] == [second.id]


def test_a_person_who_is_not_readable_cannot_be_involved_or_opened(app: object, world: World) -> None:
    officer = act_as(world, "officer")
    person = add_person(officer, incident_of(officer), role=SUBJECT, given_names="Orla")
    db.session.commit()
    sergeant = act_as(world, "sergeant")
    theirs = incident_of(sergeant)
    with pytest.raises(NotVisible):
        involve_person(sergeant, theirs, person.id, role=SUBJECT)
    db.session.rollback()
    for key in (person.id, uuid4()):
        with pytest.raises(NotVisible):
            open_person(sergeant, key)
    assert list_people(sergeant).rows == []


def test_a_person_without_a_readable_name_is_still_shown_as_somebody(app: object, world: World) -> None:
    actor = act_as(world, "officer")
    first, second = incident_of(actor), incident_of(actor)
    person = add_person(actor, first, role=SUBJECT, known_as="Baz", marking=Marking.OFFICIAL_SENSITIVE)
    involve_person(actor, second, person.id, role=SUBJECT)
    db.session.commit()
    look_at(actor)
    assert find_people_of(actor, [second.id])[second.id][0].name == "Baz"
    first_id, second_id = first.id, second.id
    # the gate takes nobody's word for a clearance: the user's own is lowered
    db.session.execute(sa.update(User).where(User.id == actor.user_id).values(clearance=0))
    db.session.commit()
    uncleared = act_as(world, "officer")
    look_at(uncleared)
    assert find_people_of(uncleared, [second_id])[second_id][0].name == NAMELESS
    assert find_people_of(uncleared, [first_id]) == {}


def test_a_role_ends_once_with_a_reason_and_stays_to_be_seen(app: object, world: World) -> None:
    actor = act_as(world, "officer")
    incident = incident_of(actor)
    add_person(actor, incident, role=SUBJECT, given_names="Orla")
    db.session.commit()
    one = find_people_of(actor, [incident.id])[incident.id][0]
    with pytest.raises(Invalid):
        end_involvement(actor, incident.id, involvement_id=one.involvement_id, why="  ")
    end_involvement(actor, incident.id, involvement_id=one.involvement_id, why="Entered in error")
    db.session.commit()
    ended = find_people_of(actor, [incident.id])[incident.id][0]
    assert ended.ended and ended.ended_why == "Entered in error" and ended.revision == 2
    with pytest.raises(Conflict):
        end_involvement(actor, incident.id, involvement_id=one.involvement_id, why="Again")
    stranger = act_as(world, "sergeant")
    with pytest.raises(NotVisible):
        end_involvement(stranger, one.record_id, involvement_id=one.involvement_id, why="Not mine")


def test_pages_of_people_show_each_person_once(
    app: object, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PAGE_SIZE", 2)
    actor = act_as(world, "officer")
    incident = incident_of(actor)
    people = [
        add_person(actor, incident, role=SUBJECT, known_as=name)
        for name in ("Ash", "Birch", "Cedar", "Dogwood", "Elm")
    ]
    involve_person(actor, incident_of(actor), people[0].id, role=SUBJECT)
    db.session.commit()
    seen, cursor = [], None
    for _ in range(4):
        page = list_people(actor, cursor=Cursor.parse(cursor))
        seen += [row.person.name for row in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ["Ash", "Elm", "Dogwood", "Cedar", "Birch"]


@given(st.dates(date(1950, 1, 1), date(2020, 12, 31)))
def test_a_birthday_the_other_way_round_comes_back(day: date) -> None:
    text = day.isoformat()
    turned = other_way_round(text)
    assert turned is None or (other_way_round(turned) == text and turned != text)
    assert agree(text, text[:7]) and agree(text[:4], text)


def test_ages_say_what_is_known() -> None:
    today = date(2026, 11, 21)
    assert age_words("2013-11-21", today) == "Aged 13" and age_words("2013-11-22", today) == "Aged 12"
    assert age_words("2013", today) == "Aged 12 or 13" and age_words("2026-11-21", today) == "Aged 0"
    for wrong in ("2026-11-22", "1900-01-01"):
        with pytest.raises(BadPartialDate):
            check_birth(wrong, today)
