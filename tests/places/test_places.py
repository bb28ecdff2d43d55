"""Places: postcodes and words, and who reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import Invalid, NotVisible
from hub.extensions import db
from hub.places.actions import add_place, involve_place, place_words
from hub.places.forms import parse_place
from hub.places.models import Place
from hub.places.postcodes import normal_postcode
from hub.places.queries import find_near, find_place_ids, find_places_of
from hub.places.vocabulary import PlaceKind
from tests.fixtures.world import World, act_as
from tests.people.test_matching import incident_of


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("nb14qt", "NB1 4QT"),
        (" EC1A 1BB ", "EC1A 1BB"),
        ("m1-1ae", "M1 1AE"),
        ("zz99 3vz", "ZZ99 3VZ"),
        ("", None),
        (None, None),
    ],
)
def test_a_postcode_is_brought_to_one_shape(typed: str | None, kept: str | None) -> None:
    assert normal_postcode(typed) == kept
    assert normal_postcode(kept) == kept


@pytest.mark.parametrize("typed", ["NB1", "NB1 4Q", "NB1 4QTT", "12345", "NB1 4CI", "Quarry", "١٢٣"])
def test_a_wrong_postcode_is_refused_in_words(typed: str) -> None:
    with pytest.raises(Invalid) as wrong:
        normal_postcode(typed)
    assert "for example NB1 4QT" in wrong.value.errors["postcode"]


@given(st.text(max_size=12))
def test_no_text_breaks_the_postcode(text: str) -> None:
    try:
        kept = normal_postcode(text)
    except Invalid:
        return
    assert kept is None or normal_postcode(kept) == kept


def test_a_place_is_found_by_its_words_and_by_what_is_near(app: object, world: World) -> None:
    actor = act_as(world, "officer")
    incident = incident_of(actor)
    shops = add_place(
        actor,
        incident,
        kind=PlaceKind.STREET,
        description="Behind the shops",
        street="Quarry Row",
        ward="Quarry",
        latitude=54.5,
        longitude=-1.2,
    )
    close = add_place(
        actor, incident, kind=PlaceKind.PARK, description="Bandstand", latitude=54.5005, longitude=-1.2005
    )
    far = add_place(actor, incident, kind=PlaceKind.PARK, description="Common", latitude=54.6, longitude=-1.2)
    db.session.commit()
    assert find_place_ids(actor, "quary row") == [shops.id]
    assert find_place_ids(actor, " ") == [] and find_place_ids(actor, "harbour") == []
    assert (
        find_near(actor, [shops.id]) == {close.id}
        and find_near(actor, [far.id]) == set()
        and find_near(actor, []) == set()
    )
    assert [one.description for one in find_places_of(actor, [incident.id])[incident.id]] == [
        "Behind the shops",
        "Bandstand",
        "Common",
    ]


def test_a_hidden_place_cannot_be_used_or_read(app: object, world: World) -> None:
    officer = act_as(world, "officer")
    place_id = add_place(officer, incident_of(officer), kind=PlaceKind.AREA, description="Old depot").id
    db.session.commit()
    sergeant = act_as(world, "sergeant")
    theirs = incident_of(sergeant)
    with pytest.raises(NotVisible):
        involve_place(sergeant, theirs, place_id)
    assert db.session.get(Place, place_id) is None and find_near(sergeant, [place_id]) == set()


@pytest.mark.parametrize(
    "wrong",
    [
        {"latitude": 54.0},
        {"latitude": 91.0, "longitude": 0.0},
        {"description": "  "},
        {"postcode": "nope"},
        {"role": "home"},
    ],
)
def test_a_wrong_place_is_refused(app: object, world: World, wrong: dict[str, object]) -> None:
    actor = act_as(world, "officer")
    values: dict[str, object] = {"kind": PlaceKind.STREET, "description": "Quarry Row", **wrong}
    with pytest.raises(Invalid):
        add_place(actor, incident_of(actor), **values)  # type: ignore[arg-type]


def test_the_form_tells_every_mistake_at_once() -> None:
    with pytest.raises(Invalid) as wrong:
        parse_place({"kind": "moon", "role": "home", "postcode": "x", "town": "x" * 201})
    assert set(wrong.value.errors) == {"description", "kind", "role", "postcode", "town"}
    made = parse_place({"kind": "park", "description": "Bandstand", "postcode": "nb14qt"})
    assert (made.postcode, made.role) == ("NB1 4QT", "scene")


def test_words_hold_the_postcode_both_ways_and_nothing_twice() -> None:
    assert (
        place_words("12 Quarry Row", "Quarry Row", "Northbrook", "", "NB1 4QT")
        == "12 quarry row northbrook nb1 4qt nb14qt"
    )
    assert place_words("!", "", "", "", None) == "-"
