"""Reads of people: who is in a record, whom one may read, and one person with what each organisation knows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Involvement, Record
from hub.access.permissions import Permission
from hub.accounts.queries import organisation_names
from hub.audit import reading
from hub.audit.reading import Shown
from hub.core import clock
from hub.core.errors import NotVisible
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.extensions import db
from hub.people.births import age_words
from hub.people.models import Person, PersonFact, PersonName
from hub.people.vocabulary import (
    FACT_KIND_LABELS,
    FACT_SOURCE_LABELS,
    INVOLVEMENT_ROLE_LABELS,
    NAME_KIND_LABELS,
    VICTIM_SIDE,
    FactKind,
    FactSource,
    InvolvementRole,
    NameKind,
)

T = TypeVar("T", PersonName, PersonFact)
NAMELESS = "Name not shared with you"


@dataclass(frozen=True)
class PersonInRecord:
    """A person and their role in one record. The role is the link's, never the person's."""

    involvement_id: UUID
    record_id: UUID
    person_id: UUID
    name: str
    role: str
    role_label: str
    victim_side: bool
    date_of_birth: str | None
    age: str
    marking: int
    contributor_organisation_id: UUID
    contributed_at: datetime
    ended: bool
    ended_why: str | None
    revision: int


@dataclass(frozen=True)
class PersonRow:
    """A line of the people list: the latest role that the reader may see, and in which record."""

    person: PersonInRecord
    record_reference: str
    record_kind: str

    @property
    def href(self) -> str:
        return f"/people/{self.person.person_id}"


@dataclass(frozen=True)
class Told:
    """A name or a fact as one organisation tells it through one record."""

    kind: str
    kind_label: str
    value: str
    organisation: str
    own: bool
    record_id: UUID
    reference: str
    record_kind: str
    marking: int
    told_at: datetime
    source: str


@dataclass(frozen=True)
class OpenedPerson:
    """One person with all layers that the reader may read; nothing here says who is right."""

    person_id: UUID
    reference: str
    name: str
    names: list[Told]
    facts: list[Told]
    roles: list[PersonInRecord]
    references: dict[UUID, tuple[str, str]]
    organisations: dict[UUID, str]

    @property
    def record_ids(self) -> set[UUID]:
        return {one.record_id for one in self.roles}

    @property
    def marking(self) -> int:
        told = [one.marking for one in (*self.names, *self.facts)]
        return max([*told, *(one.marking for one in self.roles)], default=0)


def find_people_of(actor: Actor, record_ids: Iterable[UUID]) -> dict[UUID, list[PersonInRecord]]:
    """People of each record, oldest role first, as far as the actor may read them. Three queries."""
    involved = db.session.scalars(
        sa.select(Involvement)
        .where(Involvement.record_id.in_(set(record_ids)), Involvement.person_id.is_not(None))
        .order_by(Involvement.id)
    ).all()
    found: dict[UUID, list[PersonInRecord]] = defaultdict(list)
    for one in named_in_records(actor, involved):
        found[one.record_id].append(one)
    return dict(found)


def find_person_ids_of(actor: Actor, record_ids: Iterable[UUID]) -> list[UUID]:
    """Ids of the people of these records: what the log is told before a page shows them."""
    return list(
        db.session.scalars(
            sa.select(Involvement.person_id)
            .where(Involvement.record_id.in_(set(record_ids)), Involvement.person_id.is_not(None))
            .distinct()
        )
    )


def named_in_records(actor: Actor, involved: Sequence[Involvement]) -> list[PersonInRecord]:
    """Involvements of people with the name and date of birth that fit best: this record's own, then one's own, then new."""
    people = {one.person_id for one in involved if one.person_id}
    names: dict[UUID, list[PersonName]] = defaultdict(list)
    births: dict[UUID, list[PersonFact]] = defaultdict(list)
    if people:
        for name in db.session.scalars(sa.select(PersonName).where(PersonName.person_id.in_(people))):
            names[name.person_id].append(name)
        born = PersonFact.kind == FactKind.DATE_OF_BIRTH.value
        for fact in db.session.scalars(sa.select(PersonFact).where(PersonFact.person_id.in_(people), born)):
            births[fact.person_id].append(fact)
    return [_in_record(actor, one, names, births) for one in involved]


def _in_record(
    actor: Actor,
    one: Involvement,
    names: dict[UUID, list[PersonName]],
    births: dict[UUID, list[PersonFact]],
) -> PersonInRecord:
    assert one.person_id is not None  # noqa: S101  # both callers select involvements of people only
    name = _best(actor, one.record_id, names[one.person_id])
    birth = _best(actor, one.record_id, births[one.person_id])
    role = InvolvementRole(one.role)
    today = clock.today()
    return PersonInRecord(
        involvement_id=one.id,
        record_id=one.record_id,
        person_id=one.person_id,
        name=name.full if name else NAMELESS,
        role=one.role,
        role_label=INVOLVEMENT_ROLE_LABELS[role],
        victim_side=role in VICTIM_SIDE,
        date_of_birth=birth.value if birth else None,
        age=age_words(birth.value, today) if birth else "",
        marking=max([one.marking, one.item_marking, *(each.item_marking for each in (name, birth) if each)]),
        contributor_organisation_id=one.contributor_organisation_id,
        contributed_at=one.contributed_at,
        ended=one.ended_at is not None,
        ended_why=one.ended_why,
        revision=one.revision,
    )


def _best(actor: Actor, record_id: UUID, told: list[T]) -> T | None:
    return max(
        told,
        key=lambda one: (
            one.record_id == record_id,
            getattr(one, "kind", "") == "current",
            one.contributor_organisation_id == actor.organisation_id,
            one.id,
        ),
        default=None,
    )


def list_people(
    actor: Actor, *, role: InvolvementRole | None = None, cursor: Cursor | None = None
) -> Page[PersonRow]:
    """People whom the actor may read, the latest role first; one line each. One event names all of them."""
    actor.check_may(Permission.PERSON_READ)
    wanted: list[sa.ColumnElement[bool]] = [Involvement.person_id.is_not(None)]
    if role is not None:
        wanted.append(sa.func.has_role(Involvement.id, role.value))
    later = sa.select(Involvement.id, Involvement.person_id).where(*wanted).subquery()
    newer = sa.select(later.c.id).where(
        later.c.person_id == Involvement.person_id, later.c.id > Involvement.id
    )
    if cursor is not None:
        wanted.append(Involvement.id < cursor.id)
    statement = (
        sa.select(Involvement.id, Involvement.person_id, Involvement.record_id, Involvement.contributed_at)
        .where(*wanted, ~newer.exists())
        .order_by(Involvement.id.desc())
        .limit(PAGE_SIZE + 1)
    )
    found = db.session.execute(statement).all()
    page = found[:PAGE_SIZE]
    records = {row.record_id for row in page}
    reading.listed(
        actor,
        "person.listed",
        Shown(records=records, people=[row.person_id for row in page if row.person_id]),
    )
    rows = _rows(actor, [row.id for row in page])
    reading.withheld(actor, "person.listed", records, [row.person.record_id for row in rows])
    last = page[-1] if len(found) > PAGE_SIZE else None
    return Page(rows, str(Cursor(last.contributed_at, last.id)) if last else None)


def _rows(actor: Actor, ids: list[UUID]) -> list[PersonRow]:
    involved = db.session.scalars(
        sa.select(Involvement).where(Involvement.id.in_(ids)).order_by(Involvement.id.desc())
    ).all()
    references = find_references(actor, {one.record_id for one in involved})
    return [
        PersonRow(one, *references.get(one.record_id, ("", ""))) for one in named_in_records(actor, involved)
    ]


def find_references(actor: Actor, record_ids: Iterable[UUID]) -> dict[UUID, tuple[str, str]]:
    """Reference and kind of the records among these that the actor may read."""
    rows = db.session.execute(
        sa.select(Record.id, Record.reference, Record.kind).where(Record.id.in_(set(record_ids)))
    )
    return {key: (reference, kind) for key, reference, kind in rows}


def open_person(actor: Actor, person_id: UUID) -> OpenedPerson:
    """One person, logged with every record that the page shows. `NotVisible` where hidden or absent."""
    actor.check_may(Permission.PERSON_READ)
    known = db.session.scalar(sa.select(Person.id).where(Person.id == person_id))
    shown = None
    if known is not None:
        records = {
            key
            for layer in (Involvement, PersonName, PersonFact)
            for key in db.session.scalars(
                sa.select(layer.record_id).where(layer.person_id == person_id).distinct()
            )
        }
        shown = Shown(records=records, people=[person_id])
    shown = reading.opened(actor, "person.opened", person_id, shown)
    opened = _profile(actor, person_id)
    read = opened.record_ids | {one.record_id for one in (*opened.names, *opened.facts)}
    reading.withheld(actor, "person.opened", shown.records, read)
    return opened


def _profile(actor: Actor, person_id: UUID) -> OpenedPerson:
    person = db.session.scalar(sa.select(Person).where(Person.id == person_id))
    if person is None:
        raise NotVisible
    names = db.session.scalars(
        sa.select(PersonName).where(PersonName.person_id == person_id).order_by(PersonName.id.desc())
    ).all()
    facts = db.session.scalars(
        sa.select(PersonFact)
        .where(PersonFact.person_id == person_id)
        .order_by(PersonFact.kind, PersonFact.id.desc())
    ).all()
    involved = db.session.scalars(
        sa.select(Involvement).where(Involvement.person_id == person_id).order_by(Involvement.id.desc())
    ).all()
    items: list[PersonName | PersonFact | Involvement] = [*names, *facts, *involved]
    references = find_references(actor, {one.record_id for one in items})
    organisations = organisation_names(one.contributor_organisation_id for one in items)
    roles = named_in_records(actor, involved)
    best = _best_of_all(actor, list(names))

    def told(one: PersonName | PersonFact, label: str, value: str) -> Told:
        reference, kind = references.get(one.record_id, ("", ""))
        return Told(
            kind=one.kind,
            kind_label=label,
            value=value,
            organisation=organisations.get(one.contributor_organisation_id, ""),
            own=one.contributor_organisation_id == actor.organisation_id,
            record_id=one.record_id,
            reference=reference,
            record_kind=kind,
            marking=max(one.marking, one.item_marking),
            told_at=one.contributed_at,
            source=FACT_SOURCE_LABELS[FactSource(one.source)],
        )

    return OpenedPerson(
        person_id=person_id,
        reference=person.reference,
        name=best.full if best else NAMELESS,
        names=[told(one, NAME_KIND_LABELS[NameKind(one.kind)], one.full) for one in names],
        facts=[told(one, FACT_KIND_LABELS[FactKind(one.kind)], one.value) for one in facts],
        roles=roles,
        references=references,
        organisations=organisations,
    )


def _best_of_all(actor: Actor, names: list[PersonName]) -> PersonName | None:
    return max(
        names,
        key=lambda one: (
            one.kind == "current",
            one.contributor_organisation_id == actor.organisation_id,
            one.id,
        ),
        default=None,
    )
