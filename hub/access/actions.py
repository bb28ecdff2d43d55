"""Writes of the access facts: a new record, what it involves, its grants and its named team. Flush, never commit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from hub.access.actor import Actor
from hub.access.facts import facts_of
from hub.access.models import Involvement, Record
from hub.access.vocabulary import Marking, RecordKind, Section
from hub.core.ids import new_id, new_reference

REFERENCE_KIND = {RecordKind.CASE: "CS", RecordKind.INCIDENT: "IN"}


def create_record(
    actor: Actor,
    kind: RecordKind,
    *,
    session: Session,
    marking: Marking = Marking.OFFICIAL,
    restricted: bool = False,
    knowable: bool = False,
    open_to_owner: bool = False,
) -> Record:
    """A record led by the team in hand, closed to everyone else. The feature's own row copies `facts_of` it."""
    record = Record(
        id=new_id(),
        kind=kind.value,
        reference=new_reference(actor.organisation_code, REFERENCE_KIND[kind]),
        partnership_id=actor.partnership_id,
        owner_organisation_id=actor.organisation_id,
        lead_team_id=actor.team_id,
        marking=int(marking),
        restricted=restricted,
        breakable=True,
        knowable=knowable,
        open_to_owner=open_to_owner,
    )
    session.add(record)
    session.flush()
    return record


def item_of(
    actor: Actor,
    record: Any,
    section: Section,
    *,
    marking: Marking = Marking.OFFICIAL,
    audience: str | None = None,
    audience_ids: list[UUID] | None = None,
) -> dict[str, Any]:
    """The constructor's arguments that make a row an item of `record` (a Record, Case, Incident or any item row)."""
    return {
        **facts_of(record),
        "record_id": getattr(record, "record_id", None) or record.id,
        "section": section.value,
        "item_marking": int(marking),
        "audience": audience,
        "audience_ids": audience_ids,
        "contributor_organisation_id": actor.organisation_id,
        "contributed_by": actor.user_id,
    }


def involve(
    actor: Actor,
    record: Any,
    *,
    session: Session,
    role: str,
    section: Section,
    person_id: UUID | None = None,
    place_id: UUID | None = None,
    vehicle_id: UUID | None = None,
    marking: Marking = Marking.OFFICIAL,
) -> Involvement:
    """Names a person, place or vehicle in a record, with its role there."""
    involvement = Involvement(
        **item_of(actor, record, section, marking=marking),
        role=role,
        person_id=person_id,
        place_id=place_id,
        vehicle_id=vehicle_id,
    )
    session.add(involvement)
    session.flush()
    return involvement
