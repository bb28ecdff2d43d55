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
from hub.audit import reading
from hub.audit.reading import Shown
from hub.core import clock
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.extensions import db
from hub.people.births import age_words
from hub.people.models import Person, PersonFact, PersonName
from hub.people.vocabulary import INVOLVEMENT_ROLE_LABELS, VICTIM_SIDE, FactKind, InvolvementRole

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
    today = clock.now().astimezone(clock.LONDON).date()
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


def list_people(actor: Actor, *, role: InvolvementRole | None = None, cursor: Cursor | None = None) -> Page[PersonRow]:
    """People whom the actor may read, the latest role first; one line each. One event names all of them."""
    actor.check_may(Permission.PERSON_READ)
    wanted = [Involvement.person_id.is_not(None)]
    if role is not None:
        wanted.append(Involvement.role == role.value)
    later = sa.select(Involvement.id, Involvement.person_id).where(*wanted).subquery()
    newer = sa.select(later.c.id).where(later.c.person_id == Involvement.person_id, later.c.id > Involvement.id)
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
        actor, "person.listed", Shown(records=records, people=[row.person_id for row in page if row.person_id])
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
        PersonRow(one, *references.get(one.record_id, ("", "")))
        for one in named_in_records(actor, involved)
    ]


def find_references(actor: Actor, record_ids: Iterable[UUID]) -> dict[UUID, tuple[str, str]]:
    """Reference and kind of the records among these that the actor may read."""
    rows = db.session.execute(
        sa.select(Record.id, Record.reference, Record.kind).where(Record.id.in_(set(record_ids)))
    )
    return {key: (reference, kind) for key, reference, kind in rows}
