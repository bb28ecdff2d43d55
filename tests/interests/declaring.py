"""What the tests of declared interests start from: a case, a person or a place in it, and a declaration."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.models import Record
from hub.extensions import db
from hub.interests.actions import declare_interest
from hub.interests.forms import InterestForm
from hub.interests.vocabulary import InterestKind, Relation
from hub.people.actions import add_person
from hub.people.vocabulary import InvolvementRole
from hub.places.actions import add_place
from hub.places.vocabulary import PlaceKind
from tests.fixtures.shares import led_case
from tests.fixtures.world import World, act_as

SUBJECT = InvolvementRole.SUBJECT


def declared(
    world: World, kind: InterestKind = InterestKind.PERSON, *, by: str = "officer", **values: Any
) -> UUID:
    """A declaration, committed."""
    if kind is InterestKind.PERSON:
        values = {"given_names": "Oisín", "family_name": "Ó Tuama", **values}
    interest = declare_interest(act_as(world, by), InterestForm(kind, Relation.FAMILY, **values))
    db.session.commit()
    return interest.id


def person_in(
    world: World, case_id: UUID, given: str = "Oisín", family: str = "Ó Tuama", **values: Any
) -> UUID:
    """A person in the case, added by the manager; committed."""
    actor = act_as(world, "manager")
    person = add_person(
        actor,
        db.session.get_one(Record, case_id),
        role=SUBJECT,
        given_names=given,
        family_name=family,
        **values,
    )
    db.session.commit()
    return person.id


def case_with(
    world: World, given: str = "Oisín", family: str = "Ó Tuama", **values: Any
) -> tuple[UUID, UUID]:
    """A case of the officer's and manager's team, and a person in it."""
    case_id = led_case(act_as(world, "manager"))
    return case_id, person_in(world, case_id, given, family, **values)


def place_in(world: World, case_id: UUID, **values: Any) -> UUID:
    actor = act_as(world, "manager")
    place = add_place(
        actor,
        db.session.get_one(Record, case_id),
        kind=PlaceKind.ADDRESS,
        **{"description": "12 Mill Lane", "town": "Northbrook", "postcode": "NB1 4QT", **values},
    )
    db.session.commit()
    return place.id


def sees(world: World, record_id: UUID, *, user: str = "officer") -> bool:
    """Whether the clause shows the record to the user now."""
    act_as(world, user)
    return db.session.scalar(sa.select(Record.id).where(Record.id == record_id)) is not None
