"""Logging an incident: what is kept, who may, what is refused."""

from __future__ import annotations

import pytest

from hub.access.vocabulary import Marking
from hub.core.errors import Denied, Invalid
from hub.extensions import db
from hub.incidents.actions import log_incident
from hub.incidents.forms import IncidentForm
from hub.incidents.queries import IncidentFilter, find_recent_nearby, list_incidents
from hub.incidents.vocabulary import IncidentKind
from hub.people.actions import add_person
from hub.people.queries import find_people_of, list_people
from hub.people.vocabulary import InvolvementRole
from hub.places.forms import PlaceForm
from hub.places.queries import find_places_of
from hub.places.vocabulary import PlaceKind
from tests.fixtures.world import World, act_as


def noise(**changes: object) -> IncidentForm:
    place = PlaceForm(PlaceKind.STREET, "Behind the shops", street="Quarry Row", town="Northbrook", ward="Quarry", postcode="nb1 4qt")
    values: dict[str, object] = {"kind": IncidentKind.NOISE, "description": "Music until 3am.", "occurred_from": "2026-11-20", "place": place}
    return IncidentForm(**{**values, **changes})  # type: ignore[arg-type]


def test_an_incident_is_logged_with_its_place_and_a_title_without_names(app: object, world: World) -> None:
    actor = act_as(world, "officer")
    incident = log_incident(actor, noise())
    person = add_person(actor, incident, role=InvolvementRole.VICTIM, given_names="Zoë", family_name="Wadsworth", date_of_birth="1990-03")
    db.session.commit()
    assert incident.title == "Noise, Quarry" and incident.reference.startswith("NBC-IN-")
    places = find_places_of(actor, [incident.id])[incident.id]
    assert [place.line for place in places] == ["Behind the shops, Quarry Row, Northbrook, NB1 4QT"]
    people = find_people_of(actor, [incident.id])[incident.id]
    assert [(one.name, one.role_label, one.victim_side) for one in people] == [("Zoë Wadsworth", "Victim", True)]
    page = list_incidents(actor, IncidentFilter(where="quarry"))
    assert [row.reference for row in page.rows] == [incident.reference] and page.rows[0].why == "Led by your team"
    assert not list_incidents(actor, IncidentFilter(where="elsewhere")).rows
    rows = list_people(actor).rows
    assert [row.person.person_id for row in rows] == [person.id] and rows[0].record_reference == incident.reference
    other = log_incident(actor, noise(kind=IncidentKind.DRUGS))
    db.session.commit()
    assert [(one.incident_id, one.why) for one in find_recent_nearby(actor, other.id)] == [(incident.id, ("Close by",))]
