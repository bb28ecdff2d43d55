"""Is it one of these? People whom the reader may read and who may be the one being entered, and why each came up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler
from sqlalchemy.dialects.postgresql import array

from hub.access.actor import Actor
from hub.access.models import Involvement
from hub.access.permissions import Permission
from hub.audit import reading
from hub.audit.reading import Shown
from hub.core import clock
from hub.core.schema import TEXT_ARRAY
from hub.core.text import folded
from hub.extensions import db
from hub.people.births import age_words, agree, other_way_round
from hub.people.models import PersonFact, PersonName
from hub.people.names import consonants, name_words, one_slip_apart, short_forms, sound_key
from hub.people.queries import PersonInRecord, find_references, named_in_records
from hub.people.vocabulary import NAME_KIND_LABELS, FactKind, NameKind

CANDIDATES = 200
# of all organisations' people, before the rule says who may be read; then as many as above
CANDIDATES_UNREAD = 5000
AT_MOST = 8
ROLES_SHOWN = 3
ALIKE = 0.86


@dataclass(frozen=True)
class KnownRole:
    """Where a possible match is known from: the role and the record's reference, as far as readable."""

    role_label: str
    reference: str


@dataclass(frozen=True)
class PersonMatch:
    """Somebody who may be the one. `why` says in words what they have in common."""

    person_id: UUID
    name: str
    date_of_birth: str | None
    age: str
    why: tuple[str, ...]
    score: int
    known_from: tuple[KnownRole, ...]
    record_ids: tuple[UUID, ...]


@dataclass(frozen=True)
class _Given:
    """What was typed, folded."""

    given: tuple[str, ...]
    family: tuple[str, ...]
    known_as: tuple[str, ...]
    born: str | None


def list_matches(
    actor: Actor,
    record_id: UUID,
    *,
    given_names: str,
    family_name: str,
    known_as: str,
    date_of_birth: str | None,
) -> list[PersonMatch]:
    """Possible matches for somebody who is being added to a record; one event names all who are shown."""
    actor.check_may(Permission.PERSON_ADD)
    found = find_matches(
        actor,
        record_id,
        given_names=given_names,
        family_name=family_name,
        known_as=known_as,
        date_of_birth=date_of_birth,
    )
    if found:
        records = [record_id, *(key for match in found for key in match.record_ids)]
        people = [match.person_id for match in found]
        reading.opened(actor, "person.matched", record_id, Shown(records=records, people=people))
    return found


def find_matches(
    actor: Actor,
    record_id: UUID,
    *,
    given_names: str,
    family_name: str,
    date_of_birth: str | None = None,
    known_as: str = "",
) -> list[PersonMatch]:
    """The likeliest of the people whom the actor may read, at most eight.

    That they were compared is an event (a combination); that they were shown is another, which `list_matches` writes.
    """
    typed = _Given(
        given=tuple(folded(given_names).split()),
        family=tuple(folded(family_name).split()),
        known_as=tuple(folded(known_as).split()),
        born=date_of_birth or None,
    )
    people = _candidates(typed, name_words(given_names, family_name, known_as))
    if not people:
        return []
    reading.opened(actor, "person.compared", record_id, Shown(people=people))
    names = _names(people)
    births = _births(names)
    scored = []
    for person_id, rows in names.items():
        score, why = _judge(typed, rows, births.get(person_id, []))
        if score:
            scored.append((score, why, person_id))
    scored.sort(key=lambda one: (-one[0], one[2]))
    return _matches(actor, scored[:AT_MOST], names, births)


def _candidates(typed: _Given, words: str) -> set[UUID]:
    """Readable people who share something with what was typed: a like spelling, a sound, a birthday."""
    first = next(iter((*typed.given, *typed.known_as)), "")
    asked = {words, " ".join((*typed.given, *typed.family)), " ".join((*typed.known_as, *typed.family))}
    asked |= {" ".join((form, *typed.family)) for form in short_forms(first)}
    people = _whose(
        PersonName, [sa.func.find_name_candidates(one, CANDIDATES) for one in sorted(asked) if one.strip()]
    )
    if typed.family:
        firsts = {form for one in (*typed.given[:1], *typed.known_as[:1]) for form in short_forms(one)}
        keys = sa.cast(array([sound_key(one) for one in sorted(firsts)]), TEXT_ARRAY)
        sounds = sa.func.find_sound_candidates(sound_key(" ".join(typed.family)), keys, CANDIDATES_UNREAD)
        people |= _whose(PersonName, [sounds])
    if typed.born:
        days = [day for day in (typed.born, other_way_round(typed.born)) if day]
        people |= _whose(
            PersonFact, [sa.func.find_birth_candidates(sa.cast(days, TEXT_ARRAY), CANDIDATES_UNREAD)]
        )
    return people


def _whose(told: type[PersonName | PersonFact], candidates: Sequence[Any]) -> set[UUID]:
    """Of whom these names or facts are told, as far as the actor may read that they are; so many at most."""
    if not candidates:
        return set()
    ids = sa.union_all(*(sa.select(one.label("id")) for one in candidates)).subquery()
    readable = sa.select(told.person_id).where(told.id.in_(sa.select(ids.c.id)))
    most = CANDIDATES * len(candidates)
    return set(db.session.scalars(readable.order_by(told.id.desc()).limit(most)))


def _names(people: set[UUID]) -> dict[UUID, list[PersonName]]:
    names: dict[UUID, list[PersonName]] = defaultdict(list)
    for name in db.session.scalars(
        sa.select(PersonName).where(PersonName.person_id.in_(people)).order_by(PersonName.id)
    ):
        names[name.person_id].append(name)
    return names


def _births(people: Iterable[UUID]) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = defaultdict(list)
    for person_id, value in db.session.execute(
        sa.select(PersonFact.person_id, PersonFact.value)
        .where(PersonFact.person_id.in_(list(people)), PersonFact.kind == FactKind.DATE_OF_BIRTH.value)
        .order_by(PersonFact.id)
    ):
        found[person_id].append(value)
    return found


def _judge(typed: _Given, rows: list[PersonName], births: list[str]) -> tuple[int, tuple[str, ...]]:
    """Points for the likest of a person's names and for the birthday; 0 where it is somebody else."""
    name_points, why = max((_compare(typed, row) for row in rows), key=lambda one: one[0], default=(0, ()))
    birth_points, birth_why = _compare_births(typed.born, births)
    if name_points >= 4 or (birth_points > 0 and name_points >= 2):
        return max(name_points + birth_points, 1), (*why, *birth_why)
    return 0, ()


def _compare(typed: _Given, row: PersonName) -> tuple[int, tuple[str, ...]]:
    given, family, known = (
        folded(row.given_names).split(),
        folded(row.family_name).split(),
        folded(row.known_as).split(),
    )
    firsts = [*typed.given, *typed.known_as]
    best = max(
        (
            _parts(firsts, typed.family, [*given, *known], family, ""),
            _parts(firsts, typed.family, family, given, "Names the other way round"),
        ),
        key=lambda one: one[0],
    )
    points, why = best
    if points and row.kind != NameKind.CURRENT.value:
        why = (*why, f"Known to us as: {NAME_KIND_LABELS[NameKind(row.kind)].lower()}")
    return points, why


def _parts(
    firsts: list[str], lasts: tuple[str, ...], given: list[str], family: list[str], note: str
) -> tuple[int, tuple[str, ...]]:
    first = max((_alike(one, other) for one in firsts for other in given), default=(0, ""))
    last = max((_alike(one, other) for one in lasts for other in family), default=(0, ""))
    if firsts and lasts and given and family and not (first[0] and last[0]):
        # only one half agrees: enough beside a birthday, never alone
        return min(max(first[0], last[0]), 3), (first[1] or last[1],)
    points = first[0] + last[0]
    if points and (not firsts or not lasts or not given or not family):
        # a single name was typed or is known: it counts when it is the same
        points += 1 if max(first[0], last[0]) == 3 else 0
    reasons = [reason for reason in (note, first[1], last[1]) if reason]
    if first[0] == last[0] == 3:
        reasons = [note or "Same name"]
    return points, tuple(dict.fromkeys(reasons)) if points else ()


def _alike(one: str, other: str) -> tuple[int, str]:
    if one == other:
        return 3, f"Same name: {one.capitalize()}"
    if other in short_forms(one):
        return 2, f"Short or long form: {one.capitalize()} and {other.capitalize()}"
    if one_slip_apart(one, other):
        return 2, f"Spelt almost the same: {one.capitalize()} and {other.capitalize()}"
    if min(len(one), len(other)) > 3 and JaroWinkler.similarity(one, other) >= ALIKE:
        return 2, f"Looks alike: {one.capitalize()} and {other.capitalize()}"
    if len(consonants(one)) >= 3 and consonants(one) == consonants(other):
        return 2, f"Sounds alike: {one.capitalize()} and {other.capitalize()}"
    return 0, ""


def _compare_births(typed: str | None, known: list[str]) -> tuple[int, tuple[str, ...]]:
    if not typed or not known:
        return 0, ()
    if typed in known:
        return 4, ("Same date of birth",)
    if any(agree(typed, one) for one in known):
        return 2, ("Date of birth agrees as far as it is known",)
    if other_way_round(typed) in known:
        return 3, ("Day and month of birth exchanged",)
    if any(len(one) == len(typed) == 10 and DamerauLevenshtein.distance(one, typed) == 1 for one in known):
        return 2, ("Date of birth almost the same",)
    return -2, ("Different date of birth",)


def _matches(
    actor: Actor,
    scored: list[tuple[int, tuple[str, ...], UUID]],
    names: dict[UUID, list[PersonName]],
    births: dict[UUID, list[str]],
) -> list[PersonMatch]:
    involved = db.session.scalars(
        sa.select(Involvement)
        .where(Involvement.person_id.in_([person_id for _, _, person_id in scored]))
        .order_by(Involvement.id.desc())
    ).all()
    roles: dict[UUID, list[PersonInRecord]] = defaultdict(list)
    for one in named_in_records(actor, involved):
        roles[one.person_id].append(one)
    references = find_references(actor, {one.record_id for one in involved})
    today = clock.today()
    made = []
    for score, why, person_id in scored:
        known = [one for one in roles[person_id] if one.record_id in references][:ROLES_SHOWN]
        born = births.get(person_id, [None])[-1]
        made.append(
            PersonMatch(
                person_id=person_id,
                name=names[person_id][-1].full,
                date_of_birth=born,
                age=age_words(born, today) if born else "",
                why=why,
                score=score,
                known_from=tuple(KnownRole(one.role_label, references[one.record_id][0]) for one in known),
                record_ids=tuple(one.record_id for one in known),
            )
        )
    return made
