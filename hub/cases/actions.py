"""Writes of cases: opened, changed, moved along the state table, joined with incidents. Flush, never commit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actions import create_record, item_of
from hub.access.actor import Actor, Source
from hub.access.facts import facts_of
from hub.access.models import Record
from hub.access.permissions import Permission
from hub.access.vocabulary import Marking, RecordKind, Section
from hub.accounts.models import Organisation
from hub.audit.recording import append
from hub.cases import queries
from hub.cases.carrying import carry_over
from hub.cases.forms import CaseForm, ChangeForm
from hub.cases.linking import load_incidents
from hub.cases.models import Case, CaseIncident, StatusChange
from hub.cases.policy import check_live, check_may_close, check_move
from hub.cases.restricting import checked_officer, name_team, tell_restricted
from hub.cases.vocabulary import ENDED, GUARDED_KINDS, CaseOutcome, CaseStatus, ClosureReason, VictimTold
from hub.core import clock
from hub.core.errors import Conflict, Denied, Invalid
from hub.core.text import folded
from hub.extensions import db
from hub.incidents.models import Incident
from hub.notifications.actions import notify
from hub.notifications.vocabulary import NotificationKind
from hub.settings.catalogue import MONITORING_DAYS
from hub.settings.values import value_of

EVENT = "case.moved"


def create_case(
    actor: Actor, form: CaseForm, *, from_incident: UUID | None = None, opened_at: datetime | None = None
) -> Case:
    """Opens a case led by the team in hand; from an incident it takes over what that involves. Raises `Invalid`."""
    actor.check_may(Permission.CASE_OPEN)
    now = _moment(actor, opened_at)
    incident = load_incidents(actor, [from_incident])[0] if from_incident else None
    officer_id = checked_officer(actor, form.lead_officer_id or actor.user_id)
    if incident is not None:
        _check_new_against(actor, form, incident)
    record = create_record(
        actor,
        RecordKind.CASE,
        session=db.session(),
        marking=form.marking,
        restricted=form.restricted,
        knowable=form.kind not in GUARDED_KINDS and not form.restricted,
        open_to_owner=form.kind not in GUARDED_KINDS and not form.restricted and _opens_records(actor),
    )
    if form.restricted:
        name_team(actor, record, {actor.user_id, officer_id})
    case = _new_case(record, form, officer_id, now)
    db.session.add(case)
    db.session.flush()
    _remember(actor, case, None, CaseStatus.NEW, now)
    people = carry_over(actor, case, [incident.id])[incident.id] if incident is not None else []
    append(
        actor,
        "case.created",
        object_id=case.id,
        version=case.revision,
        records=[case.id, *([incident.id] if incident is not None else [])],
        people=people,
        facts={"kind": case.kind},
        key_of=case.id,
    )
    if form.restricted:
        tell_restricted(actor, case, form.restricted_reason)
    _tell_officer(actor, case)
    return case


def _new_case(record: Record, form: CaseForm, officer_id: UUID, now: datetime) -> Case:
    return Case(
        **facts_of(record),
        id=record.id,
        reference=record.reference,
        kind=form.kind.value,
        title=form.title,
        status=CaseStatus.NEW.value,
        priority=form.priority.value,
        risk_level=form.risk_level.value,
        source=form.source.value,
        summary=form.summary,
        lead_officer_id=officer_id,
        reported_on=form.reported_on or now.astimezone(clock.LONDON).date().isoformat(),
        created_at=now,
        opened_at=now,
        status_at=now,
        changed_at=now,
    )


def _moment(actor: Actor, given: datetime | None) -> datetime:
    """Only the loader may say when something was; everybody else does it now."""
    if given is None:
        return clock.now()
    if actor.source is not Source.LOAD:
        raise Denied("no_other_time", "Only a load of earlier records may give another time.")
    return given


def _opens_records(actor: Actor) -> bool:
    return bool(
        db.session.scalar(
            sa.select(Organisation.opens_records).where(Organisation.id == actor.organisation_id)
        )
    )


def _check_new_against(actor: Actor, form: CaseForm, incident: Incident) -> None:
    if form.marking < incident.marking:
        label = Marking(incident.marking).label
        raise Invalid(
            "marked_lower", errors={"marking": f"The incident is marked {label}: the case must be too"}
        )
    _check_title(actor, form.title, incident.id, form.keep_title)


def _check_title(actor: Actor, title: str, record_id: UUID, keep: bool) -> None:
    """A title is shown in lists, notices and e-mails, so it names nobody; a street may be called like a person."""
    if keep:
        return
    said = set(folded(title).split())
    for name in queries.find_names_in(actor, record_id):
        named = said & {word for word in name.split() if len(word) > 1}
        if named:
            raise Invalid(
                "title_names",
                errors={
                    "title": f"The title seems to name somebody involved ({', '.join(sorted(named))}). Change it, or"
                    " confirm below that it names nobody"
                },
            )


def _remember(
    actor: Actor, case: Case, before: CaseStatus | None, after: CaseStatus, at: datetime, **more: Any
) -> None:
    db.session.add(
        StatusChange(
            **item_of(actor, case, Section.SUMMARY),
            created_at=at,
            contributed_at=at,
            from_status=before.value if before else None,
            to_status=after.value,
            **more,
        )
    )
    db.session.flush()


def _tell_officer(actor: Actor, case: Case) -> None:
    if case.lead_officer_id != actor.user_id and actor.source is not Source.LOAD:
        notify(
            actor,
            [case.lead_officer_id],
            NotificationKind.CASE_ASSIGNED,
            reference=case.reference,
            address=f"/cases/{case.id}",
        )


def change_case(actor: Actor, case_id: UUID, changes: ChangeForm, *, revision: int) -> Case:
    """Changes details. `Conflict` (stale_case) where somebody saved since `revision` was read: nothing is overwritten."""
    actor.check_may(Permission.CASE_CHANGE)
    case = queries.load_for_change(actor, case_id)
    check_live(case)
    if case.revision != revision:
        raise Conflict(
            "stale_case", "Somebody else changed this case while you were writing. Nothing was overwritten."
        )
    if changes.title != case.title:
        _check_title(actor, changes.title, case.id, changes.keep_title)
    if changes.lead_officer_id != case.lead_officer_id:
        checked_officer(actor, changes.lead_officer_id)
    wanted = {
        "title": changes.title,
        "priority": changes.priority.value,
        "risk_level": changes.risk_level.value,
        "summary": changes.summary,
        "lead_officer_id": changes.lead_officer_id,
        "next_review_on": changes.next_review_on,
    }
    changed: dict[str, tuple[Any, Any]] = {
        name: (getattr(case, name), value) for name, value in wanted.items() if getattr(case, name) != value
    }
    marking = (case.marking, int(changes.marking))
    if marking[0] == marking[1] and not changed:
        return case
    if marking[0] != marking[1]:
        _mark(actor, case, changes)
        changed["marking"] = marking
        if changes.marking_reason:
            changed["marking_reason"] = ("", changes.marking_reason)
    for name, value in wanted.items():
        setattr(case, name, value)
    case.changed_at = clock.now()
    db.session.flush()
    append(
        actor,
        "case.changed",
        object_id=case.id,
        version=case.revision,
        records=[case.id],
        changes=changed,
        key_of=case.id,
    )
    if "lead_officer_id" in changed:
        _tell_officer(actor, case)
    return case


def _mark(actor: Actor, case: Case, changes: ChangeForm) -> None:
    """Raising needs clearance, or the writer would lock himself out; lowering needs a reason, and no incident above."""
    if changes.marking > actor.clearance:
        raise Invalid("marked_above", errors={"marking": "You are not cleared for this marking"})
    if changes.marking < case.marking:
        if not changes.marking_reason:
            raise Invalid(
                "lowered_silently", errors={"marking_reason": "Write why the marking can be lowered"}
            )
        linked = sa.select(CaseIncident.incident_id).where(CaseIncident.record_id == case.id)
        if db.session.scalar(
            sa.select(Record.id).where(Record.id.in_(linked), Record.marking > int(changes.marking)).limit(1)
        ):
            raise Invalid("lowered_below", errors={"marking": "An incident of this case is marked higher"})
    # the record's row is the origin; every copy follows by its foreign key
    db.session.execute(sa.update(Record).where(Record.id == case.id).values(marking=int(changes.marking)))
    db.session.refresh(case, ["marking"])


@dataclass(frozen=True)
class _Move:
    """What a move carries besides its two ends."""

    reason: str
    until: datetime | None
    closure_reason: ClosureReason | None
    outcome: CaseOutcome | None
    victim_told: VictimTold | None
    at: datetime


def move_case(
    actor: Actor,
    case_id: UUID,
    to: CaseStatus,
    *,
    reason: str = "",
    until: datetime | None = None,
    closure_reason: ClosureReason | None = None,
    outcome: CaseOutcome | None = None,
    victim_told: VictimTold | None = None,
    at: datetime | None = None,
) -> Case:
    """Moves a case along the table. Raises `Conflict` off the table, `Invalid` where the state needs more, `Denied`."""
    actor.check_may(Permission.CASE_MOVE)
    case = queries.load_for_change(actor, case_id)
    check_move(case, to)
    move = _Move(reason, until, closure_reason, outcome, victim_told, _moment(actor, at))
    if to is CaseStatus.CLOSED:
        check_may_close(actor, case, asked_by=_asked_by(case))
    _check_given(actor, case, to, move)
    _step(actor, case, to, move)
    if to is CaseStatus.REOPENED:
        _step(actor, case, CaseStatus.OPEN, move)
    if to is CaseStatus.CLOSURE_PENDING and actor.source is not Source.LOAD:
        approvers = queries.find_approver_ids(actor, case)
        notify(
            actor,
            approvers,
            NotificationKind.CLOSURE_WAITING,
            reference=case.reference,
            address=f"/cases/{case.id}",
        )
    return case


def _asked_by(case: Case) -> UUID | None:
    return db.session.scalar(
        sa.select(StatusChange.contributed_by)
        .where(StatusChange.record_id == case.id, StatusChange.to_status == CaseStatus.CLOSURE_PENDING.value)
        .order_by(StatusChange.id.desc())
        .limit(1)
    )


def _check_given(actor: Actor, case: Case, to: CaseStatus, move: _Move) -> None:
    """What each state needs (HANDBOOK 7.3)."""
    errors: dict[str, str] = {}
    sent_back = to is CaseStatus.OPEN and case.status == CaseStatus.CLOSURE_PENDING
    ended_early = to in ENDED - {CaseStatus.CLOSED}
    if (to in (CaseStatus.ON_HOLD, CaseStatus.REOPENED) or sent_back or ended_early) and not move.reason:
        errors["reason"] = "Write why"
    if to in (CaseStatus.ON_HOLD, CaseStatus.MONITORING):
        if move.until is None:
            errors["until"] = "Write until when"
        elif move.until <= move.at:
            errors["until"] = "The date must be in the future"
        elif to is CaseStatus.MONITORING:
            most = value_of(actor.partnership_id, MONITORING_DAYS)
            if move.until > move.at + timedelta(days=most):
                errors["until"] = f"Monitoring lasts {MONITORING_DAYS.kind.words(most)} at most"
    if to is CaseStatus.CLOSURE_PENDING:
        if move.closure_reason is None:
            errors["closure_reason"] = "Choose why the case is to be closed"
        if not move.reason:
            errors["reason"] = "Write what was done and what came of it"
        # records from before the hub may not tell
        if move.victim_told is None and actor.source is not Source.LOAD:
            errors["victim_told"] = "Choose whether the victim was told"
    if errors:
        raise Invalid("bad_move", errors=errors)


def _step(actor: Actor, case: Case, to: CaseStatus, move: _Move) -> None:
    before = CaseStatus(case.status)
    case.status, case.status_at = to.value, move.at
    case.status_until = move.until if to in (CaseStatus.ON_HOLD, CaseStatus.MONITORING) else None
    case.closed_at = move.at if to is CaseStatus.CLOSED else None
    if to is CaseStatus.CLOSURE_PENDING and move.closure_reason is not None:
        case.closure_reason = move.closure_reason.value
    elif to is not CaseStatus.CLOSED:
        case.closure_reason = None
    case.changed_at = max(case.changed_at, move.at)
    db.session.flush()
    _remember(
        actor,
        case,
        before,
        to,
        move.at,
        reason=move.reason,
        until=case.status_until,
        outcome=move.outcome.value if move.outcome else None,
        victim_told=move.victim_told.value if move.victim_told else None,
    )
    append(
        actor,
        EVENT,
        object_id=case.id,
        version=case.revision,
        records=[case.id],
        facts={"from": before.value, "to": to.value},
        texts={"reason": move.reason} if move.reason else {},
        key_of=case.id,
    )


def refuse_move(actor: Actor, case_id: UUID, to: CaseStatus) -> None:
    """Writes down that a move was refused to somebody who may not make it: blocked closures are counted."""
    append(actor, EVENT, outcome="denied", object_id=case_id, records=[case_id], facts={"to": to.value})
