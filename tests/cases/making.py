"""Cases and incidents for tests, made by the real actions."""

from __future__ import annotations

from datetime import timedelta

from hub.access.actions import create_record
from hub.access.actor import Actor
from hub.access.facts import facts_of
from hub.access.vocabulary import Marking, RecordKind
from hub.cases.actions import create_case, move_case
from hub.cases.forms import CaseForm
from hub.cases.models import Case
from hub.cases.vocabulary import CaseKind, CaseStatus, ClosureReason, RiskLevel, VictimTold
from hub.core import clock
from hub.extensions import db
from hub.incidents.models import Incident
from hub.incidents.vocabulary import IncidentKind, IncidentSource
from tests.fixtures.world import told_of

S = CaseStatus
# the moves that lead to each state from new
WAYS: dict[CaseStatus, tuple[CaseStatus, ...]] = {
    S.NEW: (),
    S.TRIAGE: (S.TRIAGE,),
    S.OPEN: (S.TRIAGE, S.OPEN),
    S.ON_HOLD: (S.TRIAGE, S.OPEN, S.ON_HOLD),
    S.MONITORING: (S.TRIAGE, S.OPEN, S.MONITORING),
    S.CLOSURE_PENDING: (S.TRIAGE, S.OPEN, S.CLOSURE_PENDING),
    S.CLOSED: (S.TRIAGE, S.OPEN, S.CLOSURE_PENDING),
    S.REOPENED: (S.TRIAGE, S.OPEN),
    S.SIGNPOSTED: (S.TRIAGE, S.SIGNPOSTED),
    S.NO_FURTHER_ACTION: (S.TRIAGE, S.NO_FURTHER_ACTION),
    S.REJECTED_DUPLICATE: (S.REJECTED_DUPLICATE,),
    S.MERGED: (S.TRIAGE, S.MERGED),
    S.TRANSFERRED: (S.TRIAGE, S.TRANSFERRED),
}


def at_status(
    actor: Actor, status: CaseStatus, kind: CaseKind = CaseKind.OFF_ROAD, risk: RiskLevel = RiskLevel.STANDARD
) -> Case:
    """A case in that state; committed. The two that no move by the officer reaches are set on the row."""
    case = create_case(actor, CaseForm(kind=kind, title="Noise, Ward 3", risk_level=risk))
    for to in WAYS[status]:
        move_case(
            actor,
            case.id,
            to,
            reason="Because",
            until=clock.now() + timedelta(days=30),
            closure_reason=ClosureReason.NO_ASB_FOUND,
            victim_told=VictimTold.AGREES,
        )
    if status is S.CLOSED:
        case.status, case.closed_at = status.value, clock.now()
    elif status is S.REOPENED:
        case.status = status.value
    db.session.commit()
    return case


def an_incident(actor: Actor, *, marking: Marking = Marking.OFFICIAL) -> Incident:
    """An incident of the team in hand, as its feature would log it."""
    record = create_record(actor, RecordKind.INCIDENT, session=db.session(), marking=marking)
    incident = Incident(
        **facts_of(record),
        id=record.id,
        reference=record.reference,
        kind=IncidentKind.NOISE.value,
        title="Noise, Ward 3",
        description="Loud music",
        occurred_from="2026-11-20",
        occurred_at=clock.now(),
        reported_at=clock.now(),
        source=IncidentSource.POLICE.value,
        logged_by=actor.user_id,
    )
    db.session.add(incident)
    told_of(actor, record)
    return incident
