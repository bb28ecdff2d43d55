"""The record that is shared: a case, or an incident without its case. Opened and logged once for each page about its sharing."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Grant
from hub.access.permissions import Permission
from hub.access.queries import Right, live_grants, right_to
from hub.access.vocabulary import Marking, RecordKind, Section
from hub.accounts.queries import organisation_names, team_names
from hub.audit import reading
from hub.audit.reading import Shown
from hub.audit.recording import Basis
from hub.casefile.page import CasePage, open_case_page
from hub.core.errors import Denied, NotVisible
from hub.extensions import db
from hub.incidents.models import Incident
from hub.incidents.vocabulary import INCIDENT_KIND_LABELS, IncidentKind
from hub.sharing.queries import GrantRow, find_rows
from hub.web.context import lead_back, mark_page

PERSONAL_DATA = "personal data"
CASE_FRAME, INCIDENT_FRAME = "casefile/layout.html", "sharing/incident_frame.html"
# what an incident has that can be shared besides its summary
INCIDENT_SECTIONS = (Section.PEOPLE, Section.VICTIM)


@dataclass(frozen=True)
class IncidentFrame:
    """What the frame of a page about an incident's sharing shows."""

    incident: Incident
    kind: str
    lead: str
    why: str
    shares: list[GrantRow]

    @property
    def marking(self) -> str:
        return Marking(self.incident.marking).label


@dataclass(frozen=True)
class Subject:
    """The record, and what its reader may do with its shares."""

    kind: RecordKind
    id: UUID
    reference: str
    title: str
    marking: int
    restricted: bool
    lead_team_id: UUID
    right: Right
    may_share: bool
    page: CasePage | IncidentFrame

    @property
    def leads(self) -> bool:
        return self.right.leads

    @property
    def is_case(self) -> bool:
        return self.kind is RecordKind.CASE

    @property
    def noun(self) -> str:
        return self.kind.value

    @property
    def base(self) -> str:
        return address_of_record(self.kind, self.id)

    @property
    def frame(self) -> str:
        """The template that pages about its sharing extend."""
        return CASE_FRAME if self.is_case else INCIDENT_FRAME

    @property
    def sections(self) -> tuple[Section, ...]:
        """What may be shared besides the summary."""
        if self.is_case:
            return tuple(one for one in Section if one is not Section.SUMMARY)
        return INCIDENT_SECTIONS


def address_of_record(kind: RecordKind, record_id: UUID) -> str:
    return f"/{kind.value}s/{record_id}"


def open_subject(actor: Actor, kind: RecordKind, record_id: UUID) -> Subject:
    """Opens the record for a page about its sharing. `NotVisible` where hidden; refusals lead back to its sharing."""
    lead_back_to_sharing(kind, record_id)
    return _case(actor, record_id) if kind is RecordKind.CASE else _incident(actor, record_id)


def lead_back_to_sharing(kind: RecordKind, record_id: UUID) -> None:
    lead_back(f"{address_of_record(kind, record_id)}/sharing", f"Back to the sharing of this {kind.value}")


def open_to_share(actor: Actor, kind: RecordKind, record_id: UUID) -> Subject:
    subject = open_subject(actor, kind, record_id)
    if not subject.may_share:
        ended = ", while it is not closed" if subject.is_case else ""
        raise Denied("not_lead", f"Only the team that leads this {subject.noun} can share it{ended}.")
    return subject


def _case(actor: Actor, case_id: UUID) -> Subject:
    page = open_case_page(actor, case_id, "sharing")
    case = page.case
    return Subject(
        kind=RecordKind.CASE,
        id=case.id,
        reference=case.reference,
        title=case.title,
        marking=case.marking,
        restricted=case.restricted,
        lead_team_id=case.lead_team_id,
        right=page.right,
        may_share=page.may.share,
        page=page,
    )


def _incident(actor: Actor, incident_id: UUID) -> Subject:
    actor.check_may(Permission.INCIDENT_READ)
    revision = db.session.scalar(sa.select(Incident.revision).where(Incident.id == incident_id))
    right = right_to(actor, incident_id, session=db.session()) if revision is not None else None
    if right is None:
        reading.opened(actor, "incident.opened", incident_id, None)
        raise NotVisible
    grant = right.grant
    basis = Basis(right.via, grant.agreement_id if grant else None, grant.id if grant else None)
    reading.opened(
        actor, "incident.opened", incident_id, Shown(records=[incident_id], basis=basis, version=revision)
    )
    incident = db.session.scalar(
        sa.select(Incident).where(Incident.id == incident_id).execution_options(populate_existing=True)
    )
    if incident is None:
        reading.withheld(actor, "incident.opened", [incident_id], [])
        raise NotVisible
    mark_page(incident.marking, PERSONAL_DATA)
    grants = live_grants(actor, incident_id, session=db.session()) if right.via == "share" else []
    return Subject(
        kind=RecordKind.INCIDENT,
        id=incident.id,
        reference=incident.reference,
        title=incident.title,
        marking=incident.marking,
        restricted=incident.restricted,
        lead_team_id=incident.lead_team_id,
        right=right,
        may_share=right.leads and actor.may(Permission.CASE_SHARE),
        page=_frame(actor, incident, right, grants),
    )


def _frame(actor: Actor, incident: Incident, right: Right, grants: list[Grant]) -> IncidentFrame:
    owner = organisation_names([incident.owner_organisation_id]).get(incident.owner_organisation_id, "")
    team = team_names([incident.lead_team_id]).get(incident.lead_team_id, "")
    return IncidentFrame(
        incident=incident,
        kind=INCIDENT_KIND_LABELS[IncidentKind(incident.kind)],
        lead=f"{owner}, {team}",
        why="your team leads this incident." if right.leads else f"{owner} shares it with you.",
        shares=find_rows(actor, grants),
    )
