"""What a case takes over from an incident: the link, and the people, places and vehicles, as items of the case itself.

Only what the actor's own organisation contributed is copied: another organisation's contribution stays theirs, on the
incident, and is read there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actions import item_of
from hub.access.actor import Actor
from hub.access.models import Involvement
from hub.access.vocabulary import Audience, Marking, Section
from hub.cases.models import Case, CaseIncident
from hub.core.schema import any_of
from hub.extensions import db
from hub.people.models import PersonFact, PersonName


def carry_over(actor: Actor, case: Case, incident_ids: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """Links the incidents and copies what they involve, once each. Of each incident the ids of the people carried over."""
    there = _involvements([case.id])
    known = {_subject(one) for one in there}
    known_people = {one.person_id for one in there}
    involved = _involvements(incident_ids)
    carried: dict[UUID, list[UUID]] = {}
    for incident_id in incident_ids:
        db.session.add(CaseIncident(**item_of(actor, case, Section.SUMMARY), incident_id=incident_id))
        people = carried[incident_id] = []
        for one in involved:
            own = one.record_id == incident_id and one.contributor_organisation_id == actor.organisation_id
            if not own or _subject(one) in known:
                continue
            known.add(_subject(one))
            _carry(actor, case, one)
            if one.person_id is not None:
                people.append(one.person_id)
        new = [person for person in people if person not in known_people]
        _carry_knowledge(actor, case, incident_id, new)
        known_people.update(people)
    db.session.flush()
    return carried


def _carry(actor: Actor, case: Case, one: Involvement) -> None:
    db.session.add(
        Involvement(
            **_as_item(actor, case, one),
            person_id=one.person_id,
            place_id=one.place_id,
            vehicle_id=one.vehicle_id,
            role=one.role,
        )
    )


def _subject(one: Involvement) -> tuple[UUID | None, str]:
    return one.person_id or one.place_id or one.vehicle_id, one.role


def _involvements(record_ids: Sequence[UUID]) -> list[Involvement]:
    found = sa.select(Involvement).where(
        Involvement.record_id == any_of(record_ids), Involvement.ended_at.is_(None)
    )
    return list(db.session.scalars(found.order_by(Involvement.id)))


def _as_item(actor: Actor, case: Case, item: Involvement | PersonName | PersonFact) -> dict[str, Any]:
    return item_of(
        actor,
        case,
        Section(item.section),
        marking=Marking(item.item_marking),
        audience=Audience(item.audience).value if item.audience else None,
        audience_ids=item.audience_ids,
    )


def _carry_knowledge(actor: Actor, case: Case, incident_id: UUID, people: list[UUID]) -> None:
    """Names and facts hang on a record too: without them a reader of the case alone would see nobody's name."""
    if not people:
        return

    def told(model: type[PersonName] | type[PersonFact]) -> tuple[sa.ColumnElement[bool], ...]:
        return (
            model.record_id == incident_id,
            model.person_id.in_(people),
            model.contributor_organisation_id == actor.organisation_id,
        )

    for name in db.session.scalars(sa.select(PersonName).where(*told(PersonName)).order_by(PersonName.id)):
        db.session.add(
            PersonName(
                **_as_item(actor, case, name),
                person_id=name.person_id,
                kind=name.kind,
                source=name.source,
                given_names=name.given_names,
                family_name=name.family_name,
                known_as=name.known_as,
                words=name.words,
            )
        )
    for fact in db.session.scalars(sa.select(PersonFact).where(*told(PersonFact)).order_by(PersonFact.id)):
        db.session.add(
            PersonFact(
                **_as_item(actor, case, fact),
                person_id=fact.person_id,
                kind=fact.kind,
                source=fact.source,
                value=fact.value,
            )
        )
