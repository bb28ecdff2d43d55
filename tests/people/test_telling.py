"""Names and facts of people: each is its organisation's own, with source, date and marking, beside what others tell."""

from __future__ import annotations

import re
from uuid import UUID

import pytest

from hub.access.vocabulary import Marking, Section
from hub.cases.models import Case
from hub.core.errors import Denied, NotVisible
from hub.extensions import db
from hub.people.actions import add_person, tell_of_person
from hub.people.forms import TellingForm
from hub.people.queries import open_person
from hub.people.vocabulary import FactKind, FactSource, InvolvementRole, NameKind
from tests.fixtures.shares import led_case, shared
from tests.fixtures.site import Site
from tests.fixtures.world import World, act_as, look_at


def known_person(world: World) -> tuple[UUID, UUID]:
    """A case of the council with one subject of concern; their ids."""
    officer = act_as(world, "officer")
    case_id = led_case(officer)
    case = db.session.get_one(Case, case_id)
    person = add_person(
        officer,
        case,
        role=InvolvementRole.SUBJECT,
        given_names="Dean",
        family_name="Marsh",
        source=FactSource.PERSON,
    )
    db.session.commit()
    return case_id, person.id


PHONE = TellingForm(
    FactKind.PHONE, FactSource.OBSERVED, value="01632 960 001", marking=Marking.OFFICIAL_SENSITIVE
)


def test_each_organisation_tells_its_own_layer_with_its_source(app: object, world: World) -> None:
    case_id, person_id = known_person(world)
    shared(
        world,
        case_id,
        sections=(Section.SUMMARY, Section.PEOPLE),
        may_contribute=True,
        max_marking=Marking(1),
    )
    sergeant = look_at(act_as(world, "sergeant"))
    case = db.session.get_one(Case, case_id)
    tell_of_person(sergeant, case, person_id, PHONE)
    alias = TellingForm(NameKind.ALIAS, FactSource.SYSTEM, family_name="Marshy")
    tell_of_person(sergeant, case, person_id, alias)
    db.session.commit()
    opened = open_person(act_as(world, "officer"), person_id)
    assert [(one.value, one.organisation, one.source) for one in opened.names] == [
        ("Marshy", "Northbrook Police", "Another system of the organisation"),
        ("Dean Marsh", "Northbrook Council", "The person themselves"),
    ]
    (phone,) = opened.facts
    assert (phone.value, phone.organisation, phone.own, phone.marking) == (
        "01632 960 001",
        "Northbrook Police",
        False,
        1,
    )


def test_only_who_may_add_to_the_record_tells(app: object, world: World) -> None:
    case_id, person_id = known_person(world)
    look_at(act_as(world, "officer"))
    case = db.session.get_one(Case, case_id)
    with pytest.raises(NotVisible):
        tell_of_person(act_as(world, "sergeant"), case, person_id, PHONE)
    with pytest.raises(Denied):
        tell_of_person(act_as(world, "reader"), case, person_id, PHONE)
    shared(world, case_id, sections=(Section.SUMMARY, Section.PEOPLE))
    sergeant = look_at(act_as(world, "sergeant"))
    with pytest.raises(Denied):
        tell_of_person(sergeant, db.session.get_one(Case, case_id), person_id, PHONE)


def test_the_page_asks_for_what_is_missing_and_shows_who_told_what(site: Site) -> None:
    with site.inside():
        case_id, person_id = known_person(site.world)
    officer = site.as_user("officer")
    address = f"/cases/{case_id}/people/{person_id}/tell"
    assert address in officer.get(f"/cases/{case_id}/people").get_data(as_text=True)
    refused = officer.post(address, {"kind": "fact:phone", "value": " ", "source": "hearsay"})
    assert refused.status_code == 422
    page = refused.get_data(as_text=True)
    assert "Enter what is known" in page and "Select how this is known" in page
    born = {"date_of_birth-day": "31", "date_of_birth-month": "2", "date_of_birth-year": "1990"}
    wrong = officer.post(address, {"kind": "fact:date_of_birth", "source": "document", **born})
    assert wrong.status_code == 422 and "no such day" in wrong.get_data(as_text=True)
    told = officer.post(
        address, {"kind": "fact:phone", "value": "01632 960 002", "source": "document", "marking": "1"}
    )
    assert told.status_code == 303
    text = re.sub(r"\s+", " ", officer.get(f"/people/{person_id}").get_data(as_text=True))
    for words in (
        "01632 960 002",
        "A document that was seen",
        "OFFICIAL-SENSITIVE",
        "Northbrook Council (us)",
    ):
        assert words in text
    assert site.as_user("sergeant").get(address).status_code == 404
    assert officer.get(f"/cases/{case_id}/people/{case_id}/tell").status_code == 404
