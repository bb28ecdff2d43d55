"""Vehicles: registrations brought to one shape, one row for one mark, and who reads them."""

from __future__ import annotations

import pytest

from hub.core.errors import Invalid, NotVisible
from hub.extensions import db
from hub.vehicles.actions import add_vehicle, involve_vehicle
from hub.vehicles.forms import parse_vehicle
from hub.vehicles.marks import normal_mark
from hub.vehicles.queries import find_vehicles_of
from hub.vehicles.vocabulary import VehicleKind
from tests.fixtures.world import World, act_as, look_at
from tests.people.test_matching import incident_of

QUAD = VehicleKind.QUAD


@pytest.mark.parametrize(
    ("typed", "kept"), [("nb21 abc", "NB21ABC"), ("NB?1-a.c", "NB?1AC"), (" ", None), (None, None)]
)
def test_a_registration_is_brought_to_one_shape(typed: str | None, kept: str | None) -> None:
    assert normal_mark(typed) == kept and normal_mark(kept) == kept


@pytest.mark.parametrize("typed", ["A", "NB21ABCDEFG", "NB21/ABC", "ÄB12CDE"])
def test_a_wrong_registration_is_refused_in_words(typed: str) -> None:
    with pytest.raises(Invalid) as wrong:
        normal_mark(typed)
    assert "could not be read" in wrong.value.errors["vrm"]


def test_the_same_registration_is_the_same_vehicle_unless_more_is_said(app: object, world: World) -> None:
    actor = act_as(world, "officer")
    first, second, third = incident_of(actor), incident_of(actor), incident_of(actor)
    one = add_vehicle(actor, first, kind=QUAD, vrm="nb21 abc", colour="Red")
    again = add_vehicle(actor, second, kind=QUAD, vrm="NB21ABC")
    other = add_vehicle(actor, third, kind=QUAD, vrm="NB21ABC", colour="Blue")
    half = [add_vehicle(actor, third, kind=QUAD, vrm="NB2??BC") for _ in range(2)]
    db.session.commit()
    look_at(actor, second.id)
    assert one == again != other and half[0] != half[1]
    assert find_vehicles_of(actor, [second.id])[second.id][0].line == "NB21ABC, red (quad bike)"


def test_a_hidden_vehicle_cannot_be_used(app: object, world: World) -> None:
    officer = act_as(world, "officer")
    vehicle_id = add_vehicle(officer, incident_of(officer), kind=QUAD, description="Loud")
    db.session.commit()
    sergeant = act_as(world, "sergeant")
    theirs = incident_of(sergeant)
    with pytest.raises(NotVisible):
        involve_vehicle(sergeant, theirs, vehicle_id)
    with pytest.raises(Invalid):
        add_vehicle(sergeant, theirs, kind=QUAD, role="ridden")


def test_the_form_asks_for_something_to_know_it_by() -> None:
    with pytest.raises(Invalid) as wrong:
        parse_vehicle({"kind": "spaceship", "role": "flown", "make": "x" * 61})
    assert set(wrong.value.errors) == {"kind", "role", "make"}
    with pytest.raises(Invalid) as nothing:
        parse_vehicle({"kind": "quad", "role": "seen"})
    assert set(nothing.value.errors) == {"vrm"}
    assert parse_vehicle({"kind": "quad", "role": "seen", "colour": " Red "}).colour == "Red"
