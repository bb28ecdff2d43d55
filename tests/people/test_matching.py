"""Is it one of these? Who comes up for whom, why, and only among those whom the reader may read."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from hub.access.actor import Actor
from hub.core.ids import new_id
from hub.extensions import db
from hub.incidents.actions import log_incident
from hub.incidents.forms import IncidentForm
from hub.incidents.models import Incident
from hub.incidents.vocabulary import IncidentKind
from hub.people.actions import add_person
from hub.people.matching import find_matches
from hub.people.names import one_slip_apart, short_forms
from hub.people.vocabulary import InvolvementRole, NameKind
from tests.fixtures.world import World, act_as


@dataclass(frozen=True)
class Known:
    given: str = ""
    family: str = ""
    known_as: str = ""
    born: str | None = None
    kind: NameKind = NameKind.CURRENT


def incident_of(actor: Actor) -> Incident:
    form = IncidentForm(kind=IncidentKind.NOISE, description="Shouting.", occurred_from="2026-11")
    return log_incident(actor, form)


def known(actor: Actor, who: Known) -> None:
    add_person(
        actor,
        incident_of(actor),
        role=InvolvementRole.SUBJECT,
        given_names=who.given,
        family_name=who.family,
        known_as=who.known_as,
        date_of_birth=who.born,
        name_kind=who.kind,
    )


def whys(actor: Actor, typed: Known) -> list[str]:
    db.session.commit()
    found = find_matches(
        actor,
        new_id(),
        given_names=typed.given,
        family_name=typed.family,
        known_as=typed.known_as,
        date_of_birth=typed.born,
    )
    return [" | ".join(match.why) for match in found]


ALIKE = [
    (Known("Alistair", "Simpson"), Known("Alastair", "Simpson"), "Short or long form: Alastair and Alistair"),
    (Known("Mary", "Simpson"), Known("Mary", "Simons"), "Looks alike: Simons and Simpson"),
    (Known("Zoë", "Wadsworth"), Known("Zoe", "Wadswoth"), "Spelt almost the same: Wadswoth and Wadsworth"),
    (Known("William", "O'Brien"), Known("Bill", "OBrien"), "Short or long form: Bill and William"),
    (Known("William", "O'Brien"), Known("Billy", "O’Brien"), "Short or long form: Billy and William"),
    (Known("Jon", "Phillips"), Known("John", "Filips"), "Sounds alike: Filips and Phillips"),
    (Known("Łukasz", "Łuć"), Known("Lukasz", "Luc"), "Same name"),
    (Known("Tan", "Wei"), Known("Wei", "Tan"), "Names the other way round"),
    (Known("Dean", "Vale", "Baz"), Known(known_as="Baz"), "Same name: Baz"),
    (Known("Dean", "Vale", "Baz"), Known("Baz", "Vale"), "Same name"),
    (
        Known("Orla", "Vale", born="1990-03-04"),
        Known("Orla", "Vale", born="1990-04-03"),
        "Day and month of birth exchanged",
    ),
    (
        Known("Orla", "Vale", born="1990-03-04"),
        Known("Orlah", "Vale", born="1990-03-04"),
        "Same date of birth",
    ),
    (
        Known("Orla", "Vale", born="1990-03"),
        Known("Orla", "Vale", born="1990-03-04"),
        "Date of birth agrees as far as it is known",
    ),
    (
        Known("Orla", "Marsh", born="1990-03-04"),
        Known("Orla", "Vale", born="1990-03-04"),
        "Same date of birth",
    ),
    (Known("Orla", "Vale", kind=NameKind.ALIAS), Known("Orla", "Vale"), "alias"),
]


@pytest.mark.parametrize(("held", "typed", "why"), ALIKE)
def test_somebody_like_the_person_typed_comes_up_with_the_reason(
    app: object, world: World, held: Known, typed: Known, why: str
) -> None:
    actor = act_as(world, "officer")
    known(actor, held)
    (found,) = whys(actor, typed)
    assert why.lower() in found.lower()


UNLIKE = [
    (Known("Orla", "Vale"), Known("Petra", "Vale")),
    (Known("Orla", "Vale"), Known("Orla", "Marsh")),
    (Known("Ann", "Lee"), Known("Ian", "Lee")),
    (Known("Orla", "Vale", born="1990-03-04"), Known("Tomas", "Quill", born="1990-03-04")),
]


@pytest.mark.parametrize(("held", "typed"), UNLIKE)
def test_somebody_else_does_not_come_up(app: object, world: World, held: Known, typed: Known) -> None:
    actor = act_as(world, "officer")
    known(actor, held)
    assert whys(actor, typed) == []


def test_only_people_whom_the_reader_may_read_come_up(app: object, world: World) -> None:
    known(act_as(world, "officer"), Known("Orla", "Vale", born="1990-03-04"))
    db.session.commit()
    typed = Known("Orla", "Vale", born="1990-03-04")
    assert len(whys(act_as(world, "manager"), typed)) == 1
    for stranger in ("sergeant", "housing_officer", "east_officer"):
        assert whys(act_as(world, stranger), typed) == []


def test_the_likeliest_come_first_and_at_most_eight(app: object, world: World) -> None:
    actor = act_as(world, "officer")
    for number in range(10):
        known(actor, Known("Orla", "Vale", born=f"19{80 + number}-0{number or 9}-15"))
    db.session.commit()
    found = find_matches(actor, new_id(), given_names="Orla", family_name="Vale", date_of_birth="1985-05-15")
    assert (
        len(found) == 8
        and found[0].date_of_birth == "1985-05-15"
        and "Different date of birth" in found[1].why
    )


def test_short_forms_stand_for_each_other_and_short_words_must_be_equal() -> None:
    assert "william" in short_forms("bill") and short_forms("quentin") == {"quentin"}
    assert one_slip_apart("wadsworth", "wadswoth") and one_slip_apart("vlae", "vale")
    assert not one_slip_apart("ann", "ian") and not one_slip_apart("vale", "marsh")
