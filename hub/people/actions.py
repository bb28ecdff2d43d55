"""Writes of people: a person with what is known and a role in a record; a role that ends. Flush, never commit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actions import involve, item_of
from hub.access.actor import Actor
from hub.access.models import Involvement
from hub.access.permissions import Permission
from hub.access.queries import check_may_add
from hub.access.vocabulary import Marking, Section
from hub.audit.changing import take_up
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Conflict, Denied, Invalid, NotVisible
from hub.core.ids import new_reference
from hub.core.partial_dates import BadPartialDate
from hub.core.text import clean
from hub.extensions import db
from hub.people.births import check_birth
from hub.people.forms import TellingForm
from hub.people.models import Person, PersonFact, PersonName
from hub.people.names import name_words
from hub.people.vocabulary import VICTIM_SIDE, FactKind, FactSource, InvolvementRole, NameKind


def section_of(role: InvolvementRole) -> Section:
    """Victims, witnesses and those who reported are in a section of their own."""
    return Section.VICTIM if role in VICTIM_SIDE else Section.PEOPLE


def add_person(
    actor: Actor,
    record: Any,
    *,
    role: InvolvementRole,
    given_names: str = "",
    family_name: str = "",
    known_as: str = "",
    date_of_birth: str | None = None,
    name_kind: NameKind = NameKind.CURRENT,
    source: FactSource = FactSource.NOT_RECORDED,
    marking: Marking = Marking.OFFICIAL,
) -> Person:
    """A person who is new to the hub: name, date of birth and role hang on `record`. Raises `Denied`, `Invalid`."""
    role = _check(actor, record, role)
    given_names, family_name, known_as = clean(given_names), clean(family_name), clean(known_as)
    _check_details(given_names, family_name, known_as, date_of_birth, required=True)
    person = Person(
        organisation_id=actor.organisation_id, reference=new_reference(actor.organisation_code, "P")
    )
    db.session.add(person)
    db.session.flush()
    item = {**item_of(actor, record, section_of(role), marking=marking), "source": FactSource(source).value}
    _contribute(item, person.id, given_names, family_name, known_as, date_of_birth, name_kind)
    _involve(actor, record, person.id, role, marking)
    return person


def involve_person(
    actor: Actor,
    record: Any,
    person_id: UUID,
    *,
    role: InvolvementRole,
    given_names: str = "",
    family_name: str = "",
    known_as: str = "",
    date_of_birth: str | None = None,
    name_kind: NameKind = NameKind.CURRENT,
    source: FactSource = FactSource.NOT_RECORDED,
    marking: Marking = Marking.OFFICIAL,
) -> Involvement:
    """Gives a person whom the actor may read a role in `record`.

    What was told about them here (name, date of birth) is kept as this record's own layer: another organisation's
    name may stop being shared. Raises `NotVisible`, `Denied`, `Invalid`; `Conflict` where they have that role already.
    """
    role = _check(actor, record, role)
    given_names, family_name, known_as = clean(given_names), clean(family_name), clean(known_as)
    _check_details(given_names, family_name, known_as, date_of_birth, required=False)
    if db.session.scalar(sa.select(Person.id).where(Person.id == person_id)) is None:
        raise NotVisible
    held = db.session.scalar(
        sa.select(Involvement.id).where(
            Involvement.record_id == record.id,
            Involvement.person_id == person_id,
            sa.func.has_role(Involvement.id, role.value),
            Involvement.ended_at.is_(None),
        )
    )
    if held is not None:
        raise Conflict("involved_already", "This person has that role in this record already.")
    item = {**item_of(actor, record, section_of(role), marking=marking), "source": FactSource(source).value}
    _contribute(item, person_id, given_names, family_name, known_as, date_of_birth, name_kind)
    return _involve(actor, record, person_id, role, marking)


def tell_of_person(actor: Actor, record: Any, person_id: UUID, form: TellingForm) -> PersonName | PersonFact:
    """Another name of somebody involved in `record`, or another fact: the organisation's own layer, with its source.

    It stands in the section in which they are involved. Raises `NotVisible`, `Denied`, `Invalid`.
    """
    actor.check_may(Permission.PERSON_ADD)
    section = db.session.scalar(
        sa.select(Involvement.section)
        .where(Involvement.record_id == record.id, Involvement.person_id == person_id)
        .order_by(Involvement.id)
        .limit(1)
    )
    if section is None:
        raise NotVisible
    check_may_add(actor, record.id, Section(section), session=db.session())
    item = {**item_of(actor, record, Section(section), marking=form.marking), "source": form.source.value}
    told: PersonName | PersonFact
    if isinstance(form.kind, NameKind):
        names = {"given_names": form.given_names, "family_name": form.family_name, "known_as": ""}
        told = PersonName(
            **item, **names, person_id=person_id, kind=form.kind.value, words=name_words(*names.values())
        )
    else:
        told = PersonFact(**item, person_id=person_id, kind=form.kind.value, value=form.value)
    db.session.add(told)
    db.session.flush()
    append(
        actor,
        "person.told",
        object_id=told.id,
        records=[record.id],
        people=[person_id],
        facts={"kind": form.kind.value},
    )
    return told


def end_involvement(
    actor: Actor, record_id: UUID, *, involvement_id: UUID, why: str, revision: int | None = None
) -> Involvement:
    """Ends a person's, place's or vehicle's role in a record, with the reason; the row stays.

    Raises `NotVisible`; `Denied` where another organisation entered it; `Conflict`, `Invalid`.
    """
    actor.check_may(Permission.PERSON_ADD)
    found = _load_for_change(actor, record_id, involvement_id)
    if found.ended_at is not None:
        raise Conflict("ended_already", "This has been ended already.")
    if revision is not None and revision != found.revision:
        raise Conflict("changed_since")
    reason = clean(why)
    if not reason or len(reason) > 2_000:
        words = "Enter why this ends" if not reason else "Enter 2,000 characters or fewer"
        raise Invalid("bad_reason", errors={"why": words})
    found.ended_at, found.ended_why = clock.now(), reason
    db.session.flush()
    append(
        actor,
        "involvement.ended",
        object_id=found.id,
        version=found.revision,
        records=[record_id],
        people=[found.person_id] if found.person_id else [],
        texts={"reason": reason},
        key_of=record_id,
    )
    return found


def _load_for_change(actor: Actor, record_id: UUID, involvement_id: UUID) -> Involvement:
    named = (Involvement.id == involvement_id, Involvement.record_id == record_id)
    contributor = db.session.scalar(sa.select(Involvement.contributor_organisation_id).where(*named))
    if contributor is None:
        raise NotVisible
    if contributor != actor.organisation_id:
        raise Denied("not_controller", "Another organisation entered this. Only they can end it.")
    take_up(actor, [record_id])
    found = db.session.scalar(sa.select(Involvement).where(*named).with_for_update())
    if found is None:
        raise NotVisible
    return found


def _check(actor: Actor, record: Any, role: InvolvementRole) -> InvolvementRole:
    actor.check_may(Permission.PERSON_ADD)
    try:
        role = InvolvementRole(role)
    except ValueError as error:
        raise Invalid("bad_role", errors={"role": "Select the person's role"}) from error
    check_may_add(actor, record.id, section_of(role), session=db.session())
    return role


def _check_details(given: str, family: str, known_as: str, born: str | None, *, required: bool) -> None:
    errors: dict[str, str] = {}
    if required and not (given or family or known_as):
        errors["given_names"] = "Enter a name, or what people call them"
    for field, text in (("given_names", given), ("family_name", family), ("known_as", known_as)):
        if len(text) > 300:
            errors[field] = "Enter 300 characters or fewer"
    if born:
        try:
            check_birth(born, clock.today())
        except BadPartialDate as bad:
            errors["date_of_birth"] = str(bad)
    if errors:
        raise Invalid("bad_person", errors=errors)


def _contribute(
    item: dict[str, Any],
    person_id: UUID,
    given_names: str,
    family_name: str,
    known_as: str,
    date_of_birth: str | None,
    name_kind: NameKind,
) -> None:
    """The name and date of birth as this record tells them."""
    if given_names or family_name or known_as:
        db.session.add(
            PersonName(
                **item,
                person_id=person_id,
                kind=NameKind(name_kind).value,
                given_names=given_names,
                family_name=family_name,
                known_as=known_as,
                words=name_words(given_names, family_name, known_as),
            )
        )
    if date_of_birth:
        db.session.add(
            PersonFact(**item, person_id=person_id, kind=FactKind.DATE_OF_BIRTH.value, value=date_of_birth)
        )
    db.session.flush()


def _involve(
    actor: Actor, record: Any, person_id: UUID, role: InvolvementRole, marking: Marking
) -> Involvement:
    involvement = involve(
        actor,
        record,
        session=db.session(),
        role=role.value,
        section=section_of(role),
        person_id=person_id,
        marking=marking,
    )
    append(
        actor,
        "person.involved",
        object_id=involvement.id,
        version=involvement.revision,
        records=[record.id],
        people=[person_id],
        facts={"role": role.value},
    )
    return involvement
