"""Search finds by reference, by name with a letter wrong, by vehicle, place and words, and only what may be read."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import UUID

import pytest

from hub.access.actor import Actor
from hub.cases.actions import create_case
from hub.cases.forms import CaseForm
from hub.cases.models import Case
from hub.cases.vocabulary import CaseKind
from hub.chronology.actions import add_entry
from hub.chronology.forms import EntryForm
from hub.chronology.vocabulary import EntryKind
from hub.core import clock
from hub.core.errors import Invalid
from hub.extensions import db
from hub.people.actions import add_person
from hub.people.vocabulary import InvolvementRole
from hub.places.actions import add_place
from hub.places.vocabulary import PlaceKind
from hub.search.queries import list_matches
from hub.vehicles.actions import add_vehicle
from hub.vehicles.vocabulary import VehicleKind
from tests.conftest import QueryCount
from tests.fixtures.site import Site
from tests.fixtures.world import World, act_as


def _case(actor: Actor) -> Case:
    case = create_case(actor, CaseForm(kind=CaseKind.ASB, title="Noise, Harbour"))
    add_person(
        actor,
        case,
        role=InvolvementRole.COMPLAINANT,
        given_names="Alistair",
        family_name="Wadsworth",
        known_as="Smiler",
    )
    add_place(
        actor,
        case,
        kind=PlaceKind.ADDRESS,
        description="12 Tannery Row",
        street="Tannery Row",
        town="Northbrook",
    )
    add_vehicle(actor, case, kind=VehicleKind.CAR, vrm="ZQ00 TST")
    today = clock.today().isoformat()
    text = "The neighbour said the trombone starts at midnight"
    add_entry(actor, case.id, EntryForm(kind=EntryKind.VISIT, text=text, occurred_on=today))
    db.session.commit()
    return case


@pytest.mark.parametrize(
    "terms",
    [
        "Wadsworth",
        "Wadswoth",
        "wadsworth ALISTAIR",
        "Alastair Wadsworth",
        "smiler",
        "ZQ00TST",
        "zq00 t?t",
        "tannery row",
        "trombones",
        "noise",
    ],
)
def test_the_case_is_found(app: object, world: World, terms: str) -> None:
    actor = act_as(world, "officer")
    case = _case(actor)
    found = list_matches(actor, terms)
    assert case.id in {hit.id for hit in found.records}


def test_a_reference_is_found_whole_or_by_its_end_and_comes_first(app: object, world: World) -> None:
    actor = act_as(world, "officer")
    case = _case(actor)
    for terms in (case.reference, case.reference.lower(), case.reference.rsplit("-", 1)[1]):
        assert list_matches(actor, terms).records[0].id == case.id


def test_another_name_is_not_found(app: object, world: World) -> None:
    actor = act_as(world, "officer")
    _case(actor)
    assert list_matches(actor, "Zielinski").count == 0


@pytest.mark.parametrize("reader", ["east_officer", "sergeant", "housing_officer", "yot_worker"])
def test_nobody_else_finds_anything(app: object, world: World, reader: str) -> None:
    case = _case(act_as(world, "officer"))
    actor = act_as(world, reader)
    for terms in ("Wadsworth", "trombone", case.reference, "ZQ00TST", "tannery row", "noise harbour"):
        assert list_matches(actor, terms).count == 0


def test_too_few_letters_are_refused(app: object, world: World) -> None:
    with pytest.raises(Invalid):
        list_matches(act_as(world, "officer"), " a% ")


def test_a_search_is_one_event_with_what_it_found_and_without_its_words(
    site: Site, database: SimpleNamespace, world: World
) -> None:
    with site.inside():
        case_id: UUID = _case(act_as(world, "officer")).id
    answer = site.as_user("officer").get("/search?q=Wadswoth")
    assert answer.status_code == 200 and "Alistair Wadsworth" in answer.get_data(as_text=True)
    rows = site.sql(
        database.superuser, "SELECT record_ids, person_ids, body FROM audit.event WHERE act = 'search.run'"
    )
    assert len(rows) == 1
    assert rows[0].record_ids == [case_id] and len(rows[0].person_ids) == 1
    assert b"adswo" not in bytes(rows[0].body)


def test_a_page_of_hits_takes_the_same_number_of_queries(
    app: object, world: World, count_queries: QueryCount
) -> None:
    actor = act_as(world, "officer")
    _case(actor)
    list_matches(actor, "Wadsworth")
    db.session.commit()
    with count_queries() as few:
        list_matches(actor, "Wadsworth")
    for _ in range(5):
        _case(actor)
    with count_queries() as many:
        assert len(list_matches(actor, "Wadsworth").records) == 6
    assert many.count == few.count
