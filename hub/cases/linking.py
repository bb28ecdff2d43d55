"""Incidents that join a case, with what they involve. Flush, never commit."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Record
from hub.access.permissions import Permission
from hub.audit.changing import take_up
from hub.audit.recording import append
from hub.cases import queries
from hub.cases.carrying import carry_over
from hub.cases.models import Case, CaseIncident
from hub.cases.policy import check_live
from hub.core.errors import Conflict, NotVisible
from hub.core.schema import any_of
from hub.extensions import db
from hub.incidents.models import Incident


def link_incident(actor: Actor, case_id: UUID, incident_id: UUID) -> Case:
    """Adds an incident to a case with what it involves. `Conflict` where it is there already or marked higher."""
    return link_incidents(actor, case_id, [incident_id])


def link_incidents(actor: Actor, case_id: UUID, incident_ids: Sequence[UUID]) -> Case:
    """As `link_incident`, of several, in this order: all or none, and an event for each."""
    actor.check_may(Permission.CASE_CHANGE)
    case = queries.load_for_change(actor, case_id)
    check_live(case)
    if any(incident.marking > case.marking for incident in load_incidents(actor, incident_ids)):
        raise Conflict(
            "marked_lower", "The incident is marked higher than the case. Raise the case's marking first."
        )
    there = sa.select(CaseIncident.id).where(
        CaseIncident.record_id == case_id, CaseIncident.incident_id == any_of(incident_ids)
    )
    twice = len(set(incident_ids)) < len(incident_ids)
    if twice or db.session.scalar(there.limit(1)) is not None:
        raise Conflict("linked_already", "This incident belongs to the case already.")
    people = carry_over(actor, case, incident_ids)
    for incident_id in incident_ids:
        append(
            actor,
            "case.incident_linked",
            object_id=case.id,
            version=case.revision,
            records=[case.id, incident_id],
            people=people[incident_id],
            facts={"incident": incident_id},
        )
    return case


def load_incidents(actor: Actor, incident_ids: Sequence[UUID]) -> list[Incident]:
    """What the incidents say, under a look of each. `NotVisible` where the actor may not read one of them."""
    readable = set(db.session.scalars(sa.select(Record.id).where(Record.id == any_of(incident_ids))))
    if not readable.issuperset(incident_ids):
        raise NotVisible
    take_up(actor, incident_ids)
    found = list(db.session.scalars(sa.select(Incident).where(Incident.id == any_of(incident_ids))))
    if len(found) != len(set(incident_ids)):
        raise NotVisible
    return found
