"""People, places and vehicles of a case or an incident: the steps that add one and end one, the same for both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TypedDict
from uuid import UUID

import sqlalchemy as sa
from flask import flash, render_template, request
from werkzeug.wrappers import Response

from hub.access.actor import Actor
from hub.access.queries import check_may_add, right_to
from hub.access.vocabulary import Marking, RecordKind, Section
from hub.audit import reading
from hub.audit.changing import take_up_record
from hub.audit.reading import Shown
from hub.cases.models import Case
from hub.cases.policy import check_live
from hub.cases.queries import open_case
from hub.core.errors import Denied, Invalid, NotVisible
from hub.extensions import db
from hub.incidents.models import Incident
from hub.people.actions import add_person, end_involvement, involve_person, tell_of_person
from hub.people.forms import PersonForm, parse_person, parse_telling
from hub.people.matching import PersonMatch, list_matches
from hub.people.queries import find_people_of, find_person_ids_of
from hub.people.vocabulary import (
    FACT_KIND_LABELS,
    FACT_SOURCE_LABELS,
    INVOLVEMENT_ROLE_LABELS,
    NAME_KIND_LABELS,
    VICTIM_SIDE,
)
from hub.places.actions import add_place
from hub.places.forms import parse_place
from hub.places.queries import find_places_of
from hub.places.vocabulary import PLACE_KIND_LABELS, PLACE_ROLES
from hub.vehicles.actions import add_vehicle
from hub.vehicles.forms import parse_vehicle
from hub.vehicles.queries import find_vehicles_of
from hub.vehicles.vocabulary import VEHICLE_KIND_LABELS, VEHICLE_ROLES
from hub.web.context import mark_page
from hub.web.once import led_to, once

TELLING_KINDS = [
    *((f"fact:{kind.value}", label) for kind, label in FACT_KIND_LABELS.items()),
    *((f"name:{kind.value}", label) for kind, label in NAME_KIND_LABELS.items()),
]
Options = Mapping[str, Sequence[tuple[str, str]]]
Answer = Response | str | tuple[str, int]
ROLE_GROUPS = (
    (
        "Harmed, or told us",
        [
            (role.value, INVOLVEMENT_ROLE_LABELS[role])
            for role in INVOLVEMENT_ROLE_LABELS
            if role in VICTIM_SIDE
        ],
    ),
    (
        "Everybody else",
        [
            (role.value, INVOLVEMENT_ROLE_LABELS[role])
            for role in INVOLVEMENT_ROLE_LABELS
            if role not in VICTIM_SIDE
        ],
    ),
)


@dataclass(frozen=True)
class Subject:
    """The record that somebody or something is added to."""

    record: Case | Incident
    kind: RecordKind

    @property
    def back(self) -> str:
        """Where the reader came from: the People tab of a case, the page of an incident."""
        return (
            f"/cases/{self.record.id}/people"
            if self.kind is RecordKind.CASE
            else f"/incidents/{self.record.id}"
        )

    @property
    def base(self) -> str:
        return f"/cases/{self.record.id}" if self.kind is RecordKind.CASE else f"/incidents/{self.record.id}"


def open_subject(actor: Actor, kind: RecordKind, record_id: UUID) -> Subject:
    """The record for a form about it, logged. `NotVisible` where hidden, `Denied` where the actor may only read."""
    if kind is RecordKind.CASE:
        open_case(actor, record_id, "people")
    else:
        known = right_to(actor, record_id, session=db.session())
        people = find_person_ids_of(actor, [record_id]) if known else []
        shown = Shown(records=[record_id], people=people) if known else None
        reading.opened(actor, "incident.opened", record_id, shown)
    return _subject(actor, kind, record_id)


def _subject(actor: Actor, kind: RecordKind, record_id: UUID) -> Subject:
    """The record as far as the actor may add to it."""
    take_up_record(actor, record_id)
    record: Case | Incident | None
    if kind is RecordKind.CASE:
        record = db.session.scalar(sa.select(Case).where(Case.id == record_id))
    else:
        record = db.session.scalar(sa.select(Incident).where(Incident.id == record_id))
    if record is None:
        raise NotVisible
    if isinstance(record, Case):
        check_live(record)
    try:
        check_may_add(actor, record_id, Section.PEOPLE, session=db.session())
    except Denied:
        check_may_add(actor, record_id, Section.VICTIM, session=db.session())
    mark_page(record.marking, "personal data")
    return Subject(record, kind)


def add_person_page(actor: Actor, kind: RecordKind, record_id: UUID) -> Answer:
    """The form, then "Is it one of these?" where somebody is like the person typed, then the act."""
    if request.method == "GET":
        return _person_form(open_subject(actor, kind, record_id), {}, {}, [])
    try:
        form = parse_person(request.form)
    except Invalid as invalid:
        return _person_form(open_subject(actor, kind, record_id), request.form, invalid.errors, []), 422
    if not form.decided:
        done = led_to(actor)
        if done is not None:
            return done
        subject = open_subject(actor, kind, record_id)
        found = list_matches(actor, record_id, **_told(form))
        if found:
            undecided = (
                {"same-1": "Select who it is, or that it is none of these"}
                if request.form.get("asked")
                else {}
            )
            return _person_form(subject, request.form, undecided, found), 422 if undecided else 200

    def act() -> str:
        subject = _subject(actor, kind, record_id)
        told = _told(form)
        if form.same is None:
            add_person(
                actor, subject.record, role=form.role, source=form.source, marking=form.marking, **told
            )
        else:
            involve_person(
                actor,
                subject.record,
                form.same,
                role=form.role,
                source=form.source,
                marking=form.marking,
                **told,
            )
        flash("The person was added.", "success")
        return subject.back

    return once(actor, act)


class Told(TypedDict):
    given_names: str
    family_name: str
    known_as: str
    date_of_birth: str | None


def _told(form: PersonForm) -> Told:
    return Told(
        given_names=form.given_names,
        family_name=form.family_name,
        known_as=form.known_as,
        date_of_birth=form.date_of_birth,
    )


def _person_form(
    subject: Subject, values: Mapping[str, str], errors: dict[str, str], found: list[PersonMatch]
) -> str:
    return render_template(
        "people/add.html",
        subject=subject,
        values=values,
        errors=errors,
        matches=found,
        role_groups=ROLE_GROUPS,
        sources=list(FACT_SOURCE_LABELS.items()),
        markings=[(marking.value, marking.label) for marking in Marking],
    )


def tell_page(actor: Actor, kind: RecordKind, record_id: UUID, person_id: UUID) -> Answer:
    """Another name or fact of somebody in the record, with its source."""

    def form(values: Mapping[str, str], errors: dict[str, str]) -> str:
        subject = open_subject(actor, kind, record_id)
        people = find_people_of(actor, [record_id]).get(record_id, [])
        name = next((one.name for one in people if one.person_id == person_id), None)
        if name is None:
            raise NotVisible
        return render_template(
            "people/tell.html",
            subject=subject,
            person_id=person_id,
            name=name,
            values=values,
            errors=errors,
            kinds=TELLING_KINDS,
            sources=list(FACT_SOURCE_LABELS.items()),
            markings=[(marking.value, marking.label) for marking in Marking],
        )

    if request.method == "GET":
        return form({}, {})

    def act() -> str:
        subject = _subject(actor, kind, record_id)
        tell_of_person(actor, subject.record, person_id, parse_telling(request.form))
        flash("Added. Who told it, and how it is known, stand beside it.", "success")
        return f"/people/{person_id}"

    try:
        return once(actor, act)
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return form(request.form, invalid.errors), 422


def add_place_page(actor: Actor, kind: RecordKind, record_id: UUID) -> Answer:
    def act(subject: Subject) -> None:
        add_place(actor, subject.record, **asdict(parse_place(request.form)))

    options: Options = {"kinds": list(PLACE_KIND_LABELS.items()), "roles": list(PLACE_ROLES.items())}
    return _thing_page(actor, kind, record_id, "people/add_place.html", options, act, "The place was added.")


def add_vehicle_page(actor: Actor, kind: RecordKind, record_id: UUID) -> Answer:
    def act(subject: Subject) -> None:
        add_vehicle(actor, subject.record, **asdict(parse_vehicle(request.form)))

    options: Options = {"kinds": list(VEHICLE_KIND_LABELS.items()), "roles": list(VEHICLE_ROLES.items())}
    return _thing_page(
        actor, kind, record_id, "people/add_vehicle.html", options, act, "The vehicle was added."
    )


def _thing_page(
    actor: Actor,
    kind: RecordKind,
    record_id: UUID,
    template: str,
    options: Options,
    add: Callable[[Subject], None],
    done: str,
) -> Answer:
    def form(values: Mapping[str, str], errors: dict[str, str]) -> str:
        subject = open_subject(actor, kind, record_id)
        return render_template(template, subject=subject, values=values, errors=errors, **options)

    if request.method == "GET":
        return form({}, {})

    def act() -> str:
        subject = _subject(actor, kind, record_id)
        add(subject)
        flash(done, "success")
        return subject.back

    try:
        return once(actor, act)
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return form(request.form, invalid.errors), 422


def end_page(actor: Actor, kind: RecordKind, record_id: UUID, involvement_id: UUID) -> Answer:
    """Says what ends and asks why."""

    def form(values: Mapping[str, str], errors: dict[str, str]) -> str:
        subject = open_subject(actor, kind, record_id)
        name, role = _named(actor, record_id, involvement_id)
        return render_template(
            "people/end.html",
            subject=subject,
            name=name,
            role=role,
            involvement_id=involvement_id,
            values=values,
            errors=errors,
        )

    if request.method == "GET":
        return form({}, {})

    def act() -> str:
        subject = _subject(actor, kind, record_id)
        end_involvement(actor, record_id, involvement_id=involvement_id, why=request.form.get("why", ""))
        flash("Ended. It stays in the record's history with your reason.", "success")
        return subject.back

    try:
        return once(actor, act)
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return form(request.form, invalid.errors), 422


def _named(actor: Actor, record_id: UUID, involvement_id: UUID) -> tuple[str, str]:
    """What the involvement is about, in words, and its role."""
    for person in find_people_of(actor, [record_id]).get(record_id, []):
        if person.involvement_id == involvement_id:
            return person.name, person.role_label
    for place in find_places_of(actor, [record_id]).get(record_id, []):
        if place.involvement_id == involvement_id:
            return place.line, place.role_label
    for vehicle in find_vehicles_of(actor, [record_id]).get(record_id, []):
        if vehicle.involvement_id == involvement_id:
            return vehicle.line, vehicle.role_label
    raise NotVisible
