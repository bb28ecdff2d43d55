"""Search: by reference, by name in any order with a letter wrong, by vehicle mark, place, and words; only what may be read.

Candidates come from the database's functions, which give ids and nothing else; what is shown is read under the
reader's own rule. One event a search, with the terms sealed and the ids found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Involvement, Record
from hub.access.vocabulary import RecordKind
from hub.access_requests.queries import BlindHit, find_blind_hits
from hub.accounts.queries import organisation_names
from hub.audit import reading
from hub.cases.models import Case
from hub.chronology.models import Entry
from hub.core.errors import Invalid
from hub.core.text import clean, folded
from hub.extensions import db
from hub.incidents.models import Incident
from hub.people.models import Person, PersonName
from hub.people.vocabulary import INVOLVEMENT_ROLE_LABELS, InvolvementRole
from hub.places.models import Place
from hub.vehicles.models import Vehicle

MOST = 50
CANDIDATES = 1000
SNIPPET = 160


@dataclass(frozen=True)
class RecordHit:
    """A case or incident, and why it is here."""

    id: UUID
    kind: str
    reference: str
    title: str
    organisation: str
    why: str
    snippet: str = ""

    @property
    def address(self) -> str:
        return f"/cases/{self.id}" if self.kind == RecordKind.CASE else f"/incidents/{self.id}"


@dataclass(frozen=True)
class PersonHit:
    """A person, the name that matched, and the roles in which the reader may see them."""

    id: UUID
    reference: str
    name: str
    why: str
    roles: str


@dataclass(frozen=True)
class Found:
    terms: str
    people: list[PersonHit]
    records: list[RecordHit]
    # partners that hold something which the reader may know of and not see
    held: list[BlindHit]

    @property
    def count(self) -> int:
        return len(self.people) + len(self.records)


@dataclass(frozen=True)
class _Matches:
    """Step one: ids alone."""

    names: list[UUID]
    people: list[UUID]
    records: dict[UUID, str]
    entries: dict[UUID, UUID]


def list_matches(actor: Actor, terms: str) -> Found:
    """Searches and writes it down. `Invalid` for terms too short to mean anything."""
    terms = clean(terms)[:200]
    if len(folded(terms)) < 2:
        raise Invalid("short_terms", errors={"q": "Enter at least 2 letters or numbers"})
    matches = _match(terms)
    held = find_blind_hits(actor, terms)
    told = len(matches.records) + len(matches.people) + len(held)
    reading.listed(
        actor,
        "search.run",
        reading.Shown(records=list(matches.records), people=matches.people, counted=told),
        texts={"terms": terms},
    )
    people = _read_people(matches)
    records = _read_records(matches)
    reading.withheld(actor, "search.run", matches.records, [hit.id for hit in records])
    return Found(terms, people, records, held)


def _match(terms: str) -> _Matches:
    words = folded(terms)
    names = _candidates(PersonName, "find_name_candidates", words)
    by_name = db.session.execute(
        sa.select(PersonName.id, PersonName.person_id).where(PersonName.id.in_(names))
    ).all()
    order = {key: position for position, key in enumerate(names)}
    by_name = sorted(by_name, key=lambda row: order[row.id])[:MOST]
    people = list(dict.fromkeys([row.person_id for row in by_name] + _by_person_reference(terms)))
    records: dict[UUID, str] = dict.fromkeys(_by_reference(terms), "reference")
    records.update({key: "person" for key in _involving("person_id", people[:MOST]) if key not in records})
    for column, found, why in (
        ("place_id", _visible(Place, _candidates(Place, "find_place_candidates", words)), "place"),
        ("vehicle_id", _by_mark(terms), "vehicle"),
    ):
        records.update({key: why for key in _involving(column, found) if key not in records})
    written = _visible(Record, _candidates(Record, "find_record_candidates", terms))
    records.update({key: "words" for key in written if key not in records})
    entries = _entries(terms)
    records.update({key: "entry" for key in entries if key not in records})
    kept = dict(list(records.items())[: MOST * 2])
    return _Matches([row.id for row in by_name], people[:MOST], kept, entries)


def _candidates(_model: type[Any], function: str, words: str) -> list[UUID]:
    found = getattr(sa.func, function)(words, CANDIDATES).column_valued("candidate")
    return list(db.session.scalars(sa.select(found)))


def _visible(model: type[Any], ids: list[UUID]) -> list[UUID]:
    """Those of the ids that the reader may read, in the order of the candidates."""
    if not ids:
        return []
    seen = set(db.session.scalars(sa.select(model.id).where(model.id.in_(ids))))
    return [key for key in ids if key in seen][:MOST]


def _by_reference(terms: str) -> list[UUID]:
    wanted = re.sub(r"\s+", "", terms).upper()
    if not re.fullmatch(r"[A-Z0-9-]{4,20}", wanted):
        return []
    return list(
        db.session.scalars(
            sa.select(Record.id)
            .where(sa.or_(Record.reference == wanted, Record.reference.endswith(f"-{wanted}")))
            .limit(5)
        )
    )


def _by_person_reference(terms: str) -> list[UUID]:
    return list(
        db.session.scalars(sa.select(Person.id).where(Person.reference == terms.strip().upper()).limit(1))
    )


def _by_mark(terms: str) -> list[UUID]:
    """Vehicle marks with or without space; `?` stands for a letter that nobody saw."""
    mark = re.sub(r"\s+", "", terms).upper()
    if not re.fullmatch(r"[A-Z0-9?]{4,8}", mark) or not re.search(r"[0-9?]", mark):
        return []
    pattern = mark.replace("?", "_")
    return _visible(Vehicle, _candidates(Vehicle, "find_vehicle_candidates", pattern))


def _involving(column: str, ids: list[UUID]) -> list[UUID]:
    if not ids:
        return []
    named = getattr(Involvement, column).in_(ids)
    rows = (
        sa.select(Involvement.record_id).where(named).order_by(Involvement.created_at.desc()).limit(MOST * 2)
    )
    return _visible(Record, list(dict.fromkeys(db.session.scalars(rows))))


def _entries(terms: str) -> dict[UUID, UUID]:
    """Record → its newest readable entry with these words."""
    ids = _candidates(Entry, "find_entry_candidates", terms)
    if not ids:
        return {}
    rows = db.session.execute(
        sa.select(Entry.id, Entry.record_id)
        .where(Entry.id.in_(ids))
        .order_by(Entry.occurred_at.desc())
        .limit(MOST * 4)
    ).all()
    readable = set(_visible(Record, list({row.record_id for row in rows})))
    newest: dict[UUID, UUID] = {}
    for row in rows:
        if row.record_id in readable:
            newest.setdefault(row.record_id, row.id)
    return newest


def _read_people(matches: _Matches) -> list[PersonHit]:
    if not matches.people:
        return []
    names = db.session.scalars(
        sa.select(PersonName).where(PersonName.person_id.in_(matches.people)).order_by(PersonName.created_at)
    ).all()
    people = db.session.execute(sa.select(Person.id, Person.reference).where(Person.id.in_(matches.people)))
    references = dict(people.all())
    roles = db.session.execute(
        sa.select(Involvement.person_id, Involvement.role)
        .where(Involvement.person_id.in_(matches.people))
        .distinct()
    ).all()
    matched = set(matches.names)
    hits = []
    for person_id in matches.people:
        own = [name for name in names if name.person_id == person_id]
        if person_id not in references or not own:
            continue
        hit = next((name for name in own if name.id in matched), None)
        words = sorted({_role(row.role) for row in roles if row.person_id == person_id})
        hits.append(
            PersonHit(
                person_id,
                references[person_id],
                own[0].full,
                f"name: {hit.full}"
                if hit is not None and hit is not own[0]
                else "name"
                if hit
                else "reference",
                ", ".join(words),
            )
        )
    return hits


def _role(code: str) -> str:
    return INVOLVEMENT_ROLE_LABELS[InvolvementRole(code)] if code in set(InvolvementRole) else code


WHY = {
    "reference": "Reference",
    "person": "A person in it",
    "place": "A place in it",
    "vehicle": "A vehicle in it",
    "words": "Words in its title or description",
    "entry": "Words in its log",
}


def _read_records(matches: _Matches) -> list[RecordHit]:
    ids = list(matches.records)
    if not ids:
        return []
    columns = ("id", "reference", "title", "owner_organisation_id")
    cases = db.session.execute(
        sa.select(*(getattr(Case, name) for name in columns)).where(Case.id.in_(ids))
    ).all()
    incidents = db.session.execute(
        sa.select(*(getattr(Incident, name) for name in columns)).where(Incident.id.in_(ids))
    ).all()
    organisations = organisation_names(row.owner_organisation_id for row in [*cases, *incidents])
    snippets = _snippets(matches)
    found = {row.id: (RecordKind.CASE, row) for row in cases} | {
        row.id: (RecordKind.INCIDENT, row) for row in incidents
    }
    hits = [
        RecordHit(
            key,
            found[key][0].value,
            found[key][1].reference,
            found[key][1].title,
            organisations[found[key][1].owner_organisation_id],
            WHY[why],
            snippets.get(key, "") if why == "entry" else "",
        )
        for key, why in matches.records.items()
        if key in found
    ]
    # what carries the reference typed comes first, then cases before the incidents that belong to them
    return sorted(hits, key=lambda hit: (hit.why != WHY["reference"], hit.kind != RecordKind.CASE))


def _snippets(matches: _Matches) -> dict[UUID, str]:
    wanted = [entry for record, entry in matches.entries.items() if matches.records.get(record) == "entry"]
    if not wanted:
        return {}
    rows = db.session.execute(sa.select(Entry.record_id, Entry.text).where(Entry.id.in_(wanted)))
    return {
        record: text if len(text) <= SNIPPET else text[: SNIPPET - 1].rsplit(" ", 1)[0] + "…"
        for record, text in rows
    }
