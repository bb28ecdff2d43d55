"""The page of one incident: opened and logged once, with its people, cases, and what else happened there."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Grant
from hub.access.permissions import Permission
from hub.access.queries import Right, grantable_sections, live_grants, may_add, right_to
from hub.access.vocabulary import Marking, Section
from hub.accounts.queries import organisation_names, team_names, user_names
from hub.audit import reading
from hub.audit.reading import Shown
from hub.audit.recording import Basis
from hub.cases.models import Case, CaseIncident
from hub.cases.queries import CaseRow, find_case_rows, find_related_case_ids
from hub.core.errors import Invalid, NotVisible
from hub.core.text import clean
from hub.extensions import db
from hub.incidents.models import Incident
from hub.incidents.queries import IncidentRow, find_incident_rows, find_recent_nearby
from hub.incidents.vocabulary import (
    INCIDENT_KIND_LABELS,
    INCIDENT_SOURCE_LABELS,
    IncidentKind,
    IncidentSource,
)
from hub.people.queries import PersonInRecord, find_people_of, find_person_ids_of
from hub.places.queries import PlaceInRecord, find_places_of
from hub.sharing.queries import GrantRow, find_grants_of, find_rows
from hub.vehicles.queries import VehicleInRecord, find_vehicles_of
from hub.web.context import mark_page
from hub.web.filters import format_time


@dataclass(frozen=True)
class May:
    """What the reader may do on this incident now."""

    involve: bool
    open_case: bool
    attach: bool
    share: bool


@dataclass(frozen=True)
class IncidentPage:
    """Everything that the page shows."""

    incident: Incident
    right: Right
    # the reader's organisation: what it entered, it may end
    own: UUID
    kind: str
    source: str
    # None where who told us is not shared with the reader
    told_by: str | None
    lead: str
    logged_by: str
    why: str
    people: list[PersonInRecord]
    places: list[PlaceInRecord]
    vehicles: list[VehicleInRecord]
    cases: list[CaseRow]
    related: list[CaseRow]
    history: list[tuple[IncidentRow, tuple[str, ...]]]
    may: May
    # by which the reader sees it; and, for who leads it, who else does or is asked to
    shares: list[GrantRow]
    shared_with: list[GrantRow]

    @property
    def marking(self) -> str:
        return Marking(self.incident.marking).label

    @property
    def time_words(self) -> str:
        return format_time(self.incident.occurred_at) if self.incident.occurred_time else ""


@dataclass(frozen=True)
class _Found:
    """Step one: which ids the page may show."""

    right: Right
    revision: int
    people: list[UUID]
    cases: list[UUID]
    related: list[UUID]
    history: dict[UUID, tuple[str, ...]]

    def shown(self, incident_id: UUID) -> Shown:
        grant = self.right.grant
        return Shown(
            records=[incident_id, *self.cases, *self.related, *self.history],
            people=self.people,
            basis=Basis(self.right.via, grant.agreement_id if grant else None, grant.id if grant else None),
            version=self.revision,
        )


def open_incident_page(actor: Actor, incident_id: UUID, *, act: str = "incident.opened") -> IncidentPage:
    """Opens an incident, logged with every id that the page shows. `NotVisible` where hidden or absent."""
    actor.check_may(Permission.INCIDENT_READ)
    found = _find(actor, incident_id)
    reading.opened(actor, act, incident_id, found.shown(incident_id) if found else None)
    incident = db.session.scalar(
        sa.select(Incident).where(Incident.id == incident_id).execution_options(populate_existing=True)
    )
    if incident is None or found is None:
        reading.withheld(actor, act, [incident_id], [])
        raise NotVisible
    return _page(actor, incident, found)


def _find(actor: Actor, incident_id: UUID) -> _Found | None:
    revision = db.session.scalar(sa.select(Incident.revision).where(Incident.id == incident_id))
    right = right_to(actor, incident_id, session=db.session()) if revision is not None else None
    if revision is None or right is None:
        return None
    linked = (
        sa.select(Case.id)
        .join(CaseIncident, CaseIncident.record_id == Case.id)
        .where(CaseIncident.incident_id == incident_id)
        .order_by(Case.id)
    )
    reads_cases = actor.may(Permission.CASE_READ)
    return _Found(
        right=right,
        revision=revision,
        people=find_person_ids_of(actor, [incident_id]),
        cases=list(db.session.scalars(linked)) if reads_cases else [],
        related=find_related_case_ids(actor, incident_id) if reads_cases else [],
        history={one.incident_id: one.why for one in find_recent_nearby(actor, incident_id)},
    )


def _page(actor: Actor, incident: Incident, found: _Found) -> IncidentPage:
    key = incident.id
    grants = live_grants(actor, key, session=db.session()) if found.right.via == "share" else []
    sections = grantable_sections(found.right, grants)
    owner = organisation_names([incident.owner_organisation_id]).get(incident.owner_organisation_id, "")
    team = team_names([incident.lead_team_id]).get(incident.lead_team_id, "")
    people = find_people_of(actor, [key]).get(key, [])
    places = find_places_of(actor, [key]).get(key, [])
    vehicles = find_vehicles_of(actor, [key]).get(key, [])
    rows = {row.id: row for row in find_case_rows(actor, [*found.cases, *found.related])}
    history = find_incident_rows(actor, found.history)
    _mark(incident, people, places, vehicles, history, list(rows.values()))
    return IncidentPage(
        incident=incident,
        right=found.right,
        own=actor.organisation_id,
        kind=INCIDENT_KIND_LABELS[IncidentKind(incident.kind)],
        source=INCIDENT_SOURCE_LABELS[IncidentSource(incident.source)],
        told_by=incident.told_by if sections is None or Section.VICTIM.value in sections else None,
        lead=f"{owner}, {team}",
        logged_by=user_names([incident.logged_by]).get(incident.logged_by, ""),
        why=_why(found.right, owner),
        people=people,
        places=places,
        vehicles=vehicles,
        cases=[rows[one] for one in found.cases if one in rows],
        related=[rows[one] for one in found.related if one in rows],
        history=[(row, found.history[row.id]) for row in history],
        may=_may(actor, found.right, grants),
        shares=find_rows(actor, grants),
        shared_with=[row for row in find_grants_of(actor, key) if not row.state.over]
        if found.right.leads
        else [],
    )


def _mark(
    incident: Incident,
    people: list[PersonInRecord],
    places: list[PlaceInRecord],
    vehicles: list[VehicleInRecord],
    history: list[IncidentRow],
    cases: list[CaseRow],
) -> None:
    named = [
        *(one.marking for one in people),
        *(one.marking for one in places),
        *(one.marking for one in vehicles),
    ]
    around = [*(one.marking for one in history), *(one.marking for one in cases)]
    mark_page(max([incident.marking, *named, *around]), "personal data")


def _may(actor: Actor, right: Right, grants: list[Grant]) -> May:
    adds = may_add(right, grants, Section.PEOPLE) or may_add(right, grants, Section.VICTIM)
    return May(
        involve=adds and actor.may(Permission.PERSON_ADD),
        open_case=actor.may(Permission.CASE_OPEN),
        attach=actor.may(Permission.CASE_CHANGE),
        share=right.leads and actor.may(Permission.CASE_SHARE),
    )


def _why(right: Right, owner: str) -> str:
    reasons = {
        "lead": "your team leads this incident.",
        "organisation": "your organisation opens its incidents to all its teams.",
        "share": f"{owner} shares it with you.",
        "emergency": "you opened it in an emergency. Every page is recorded and will be reviewed.",
    }
    return reasons.get(right.via, "it is open to you under the sharing rule.")


def find_case_by_reference(actor: Actor, reference: str) -> UUID:
    """The case of a reference as typed, among what the actor may read. Raises `Invalid`."""
    given = clean(reference).upper().replace(" ", "")
    found = db.session.scalar(sa.select(Case.id).where(Case.reference == given)) if given else None
    if found is None:
        words = "No case with that reference is open to you" if given else "Enter the reference of a case"
        raise Invalid("no_case", errors={"reference": words})
    return found
