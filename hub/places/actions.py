"""Writes of places: a place with its role in a record. Flush, never commit."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actions import involve
from hub.access.actor import Actor
from hub.access.models import Involvement
from hub.access.permissions import Permission
from hub.access.queries import check_may_add
from hub.access.vocabulary import Marking, Section
from hub.audit.recording import append
from hub.core.errors import Invalid, NotVisible
from hub.core.text import clean, folded
from hub.extensions import db
from hub.places.forms import PlaceForm
from hub.places.models import Place
from hub.places.postcodes import normal_postcode
from hub.places.vocabulary import PLACE_ROLES, PlaceKind


def add_place(
    actor: Actor,
    record: Any,
    *,
    kind: PlaceKind,
    description: str,
    street: str = "",
    town: str = "",
    ward: str = "",
    postcode: str | None = None,
    latitude: float | None = None,
    longitude: float | None = None,
    lsoa_code: str | None = None,
    role: str = "scene",
    marking: Marking = Marking.OFFICIAL,
) -> Place:
    """A place that is new to the hub, and its role in `record`. Raises `Denied`, `Invalid`."""
    _check(actor, record, role)
    place = new_place(
        actor,
        kind=kind,
        description=description,
        street=street,
        town=town,
        ward=ward,
        postcode=postcode,
        latitude=latitude,
        longitude=longitude,
        lsoa_code=lsoa_code,
    )
    db.session.add(place)
    db.session.flush()
    _involve(actor, record, place.id, role, marking)
    return place


def add_first_place(actor: Actor, record: Any, form: PlaceForm, *, marking: Marking) -> Place:
    """The place of a record that the actor has just made: whoever made it leads it, so that is not asked again (the database's
    wall asks all the same). Raises `Invalid`."""
    _check_role(form.role)
    place = new_place(actor, **{name: value for name, value in asdict(form).items() if name != "role"})
    db.session.add(place)
    db.session.flush()
    _involve(actor, record, place.id, form.role, marking)
    return place


def involve_place(
    actor: Actor, record: Any, place_id: UUID, *, role: str = "scene", marking: Marking = Marking.OFFICIAL
) -> Involvement:
    """Gives a place that the actor may read a role in `record`. Raises `NotVisible`, `Denied`, `Invalid`."""
    _check(actor, record, role)
    if db.session.scalar(sa.select(Place.id).where(Place.id == place_id)) is None:
        raise NotVisible
    return _involve(actor, record, place_id, role, marking)


def new_place(
    actor: Actor,
    *,
    kind: PlaceKind,
    description: str,
    street: str = "",
    town: str = "",
    ward: str = "",
    postcode: str | None = None,
    latitude: float | None = None,
    longitude: float | None = None,
    lsoa_code: str | None = None,
) -> Place:
    """The row, checked and not yet added. Raises `Invalid`."""
    if (latitude is None) != (longitude is None):
        raise Invalid("half_point", "A point needs both latitude and longitude")
    if (
        latitude is not None
        and longitude is not None
        and not (-90 <= latitude <= 90 and -180 <= longitude <= 180)
    ):
        raise Invalid("bad_point", "The point is not on the map")
    street, town, ward = clean(street), clean(town), clean(ward)
    description = clean(description) or street
    if not description:
        raise Invalid(
            "no_place", errors={"description": "Enter the place: a name, a street or how people call it"}
        )
    postcode = normal_postcode(postcode)
    return Place(
        organisation_id=actor.organisation_id,
        kind=PlaceKind(kind).value,
        description=description,
        street=street,
        town=town,
        ward=ward,
        postcode=postcode,
        lsoa_code=lsoa_code or None,
        latitude=latitude,
        longitude=longitude,
        words=place_words(description, street, town, ward, postcode),
    )


def place_words(description: str, street: str, town: str, ward: str, postcode: str | None) -> str:
    """All that search looks through, folded; the postcode with and without its space."""
    parts = [description]
    parts += [part for part in (street, town, ward) if part and folded(part) not in folded(description)]
    if postcode:
        parts += [postcode, postcode.replace(" ", "")]
    return folded(" ".join(parts)) or "-"


def _check(actor: Actor, record: Any, role: str) -> None:
    actor.check_may(Permission.PERSON_ADD)
    _check_role(role)
    check_may_add(actor, record.id, Section.PEOPLE, session=db.session())


def _check_role(role: str) -> None:
    if role not in PLACE_ROLES:
        raise Invalid("bad_role", errors={"role": "Select what the place has to do with this record"})


def _involve(actor: Actor, record: Any, place_id: UUID, role: str, marking: Marking) -> Involvement:
    involvement = involve(
        actor,
        record,
        session=db.session(),
        role=role,
        section=Section.PEOPLE,
        place_id=place_id,
        marking=marking,
    )
    append(
        actor,
        "place.involved",
        object_id=involvement.id,
        version=involvement.revision,
        records=[record.id],
        facts={"role": role},
    )
    return involvement
