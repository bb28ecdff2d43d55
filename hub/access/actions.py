"""Writes of the access facts: a new record, what it involves, its grants and its named team. Flush, never commit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hub.access.actor import Actor
from hub.access.facts import facts_of
from hub.access.models import Involvement, Record
from hub.access.vocabulary import Marking, RecordKind, Section
from hub.core.ids import new_id, new_reference

DRAWS = 5
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
        partnership_id=actor.partnership_id,
        owner_organisation_id=actor.organisation_id,
        lead_team_id=actor.team_id,
        marking=int(marking),
        restricted=restricted,
        breakable=True,
        knowable=knowable,
        open_to_owner=open_to_owner,
    )
    for last in (False,) * (DRAWS - 1) + (True,):
        record.reference = new_reference(actor.organisation_code, REFERENCE_KIND[kind])
        try:
            with session.begin_nested():
                session.add(record)
        except IntegrityError as error:
            # drawn before: at a million records that happens once in seven hundred
            if last or not _names(error, "uq_record_reference"):
                raise
        else:
            break
    return record


def _names(error: IntegrityError, constraint: str) -> bool:
    return getattr(getattr(error.orig, "diag", None), "constraint_name", None) == constraint


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
