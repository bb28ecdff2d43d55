"""Cases: opened, changed without overwriting, moved along the table and nowhere else, closed by somebody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from hub.access.actor import Actor, Source
from hub.access.models import Involvement
from hub.access.vocabulary import Marking, Section
from hub.audit.models import Event
from hub.cases.actions import change_case, create_case, move_case
from hub.cases.forms import CaseForm, ChangeForm
from hub.cases.linking import link_incident, link_incidents
from hub.cases.models import Case, CaseIncident, StatusChange
from hub.cases.policy import TRANSITIONS
from hub.cases.restricting import restrict_case
from hub.cases.vocabulary import (
    CLOSURE_APPROVAL,
    Approval,
    CaseKind,
    CaseStatus,
    ClosureReason,
    Priority,
    RiskLevel,
    VictimTold,
)
from hub.core import clock
from hub.core.errors import Conflict, Denied, Invalid, NotVisible
from hub.extensions import db
from hub.incidents.models import Incident
from hub.notifications.models import Notification
from hub.people.actions import add_person
from hub.people.models import PersonFact, PersonName
from hub.people.vocabulary import FactSource, InvolvementRole
from tests.cases.making import an_incident, at_status
from tests.fixtures.world import World, act_as

S = CaseStatus


def a_case(actor: Actor, kind: CaseKind = CaseKind.ASB, **more: Any) -> Case:
    return create_case(actor, CaseForm(kind=kind, title="Noise, Ward 3", **more))


def changes_of(case: Case, **more: Any) -> ChangeForm:
    values = {
        "title": case.title,
        "priority": Priority(case.priority),
        "risk_level": RiskLevel(case.risk_level),
        "marking": Marking(case.marking),
        "summary": case.summary,
        "lead_officer_id": case.lead_officer_id,
        "next_review_on": case.next_review_on,
    }
    return ChangeForm(**{**values, **more})  # type: ignore[arg-type]


def events_of(case_id: UUID, act: str) -> list[Event]:
    found = sa.select(Event).where(Event.object_id == case_id, Event.act == act).order_by(Event.at)
    return list(db.session.scalars(found))


def test_a_new_case_belongs_to_the_team_in_hand_and_leaves_an_event(app: object, world: World) -> None:
    officer = act_as(world, "officer")
    case = a_case(officer, priority=Priority.URGENT, marking=Marking.OFFICIAL_SENSITIVE)
    db.session.commit()
    assert (case.lead_team_id, case.lead_officer_id, case.status) == (officer.team_id, officer.user_id, "new")
    assert case.reference.startswith("NBC-CS-")
    (event,) = events_of(case.id, "case.created")
    assert (event.object_version, list(event.record_ids)) == (1, [case.id])
    assert db.session.scalars(sa.select(StatusChange.to_status)).all() == ["new"]


def test_a_domestic_abuse_case_is_never_knowable_to_partners(app: object, world: World) -> None:
    officer = act_as(world, "officer")
    hidden, known = a_case(officer, CaseKind.DOMESTIC_ABUSE), a_case(officer, CaseKind.ASB)
    assert (hidden.knowable, known.knowable) == (False, True)


def test_only_a_colleague_of_the_team_can_lead(app: object, world: World) -> None:
    officer = act_as(world, "officer")
    with pytest.raises(Invalid) as refused:
        a_case(officer, lead_officer_id=world.users["sergeant"])
    assert "lead_officer_id" in refused.value.errors
    case = a_case(officer, lead_officer_id=world.users["manager"])
    told = db.session.scalar(sa.select(Notification).where(Notification.user_id == world.users["manager"]))
    assert told is not None and told.reference == case.reference


def test_nobody_but_the_loader_opens_a_case_in_the_past(app: object, world: World) -> None:
    officer = act_as(world, "officer")
    with pytest.raises(Denied, match="no_other_time"):
        create_case(officer, CaseForm(CaseKind.ASB, "Noise"), opened_at=clock.now() - timedelta(days=9))


def test_a_read_only_user_opens_nothing(app: object, world: World) -> None:
    with pytest.raises(Denied, match="no_permission"):
        a_case(act_as(world, "reader"))


def test_a_case_from_an_incident_takes_over_its_people_and_places_once(app: object, world: World) -> None:
    officer = act_as(world, "officer")
    first, second = an_incident(officer), an_incident(officer)
    person = add_person(
        officer,
        first,
        role=InvolvementRole.VICTIM,
        given_names="Wanda",
        family_name="Quell",
        date_of_birth="1988-04",
        source=FactSource.PROFESSIONAL,
    )
    db.session.add(
        Involvement(
            **_item(officer, second, Section.VICTIM), person_id=person.id, role=InvolvementRole.VICTIM.value
        )
    )
    db.session.flush()
    case = create_case(officer, CaseForm(CaseKind.ASB, "Noise, Ward 3"), from_incident=first.id)
    link_incident(officer, case.id, second.id)
    db.session.commit()
    carried = db.session.scalars(sa.select(Involvement).where(Involvement.record_id == case.id)).all()
    assert [(one.person_id, one.role, one.section) for one in carried] == [(person.id, "victim", "victim")]
    names = db.session.scalars(sa.select(PersonName).where(PersonName.record_id == case.id)).all()
    facts = db.session.scalars(sa.select(PersonFact).where(PersonFact.record_id == case.id)).all()
    assert [(name.full, name.source) for name in names] == [("Wanda Quell", "professional")]
    assert [(fact.value, fact.source) for fact in facts] == [("1988-04", "professional")]
    (event,) = events_of(case.id, "case.created")
    assert set(event.record_ids) == {case.id, first.id} and list(event.person_ids) == [person.id]
    with pytest.raises(Conflict, match="linked_already"):
        link_incident(officer, case.id, second.id)
    linked = db.session.scalars(
        sa.select(CaseIncident.incident_id).where(CaseIncident.record_id == case.id)
    ).all()
    assert set(linked) == {first.id, second.id}


def test_several_incidents_join_a_case_together_or_not_at_all(app: object, world: World) -> None:
    officer = act_as(world, "officer")
    first, second, third = an_incident(officer), an_incident(officer), an_incident(officer)
    person = add_person(
        officer, second, role=InvolvementRole.VICTIM, given_names="Wanda", family_name="Quell"
    )
    db.session.add(
        Involvement(
            **_item(officer, third, Section.VICTIM), person_id=person.id, role=InvolvementRole.VICTIM.value
        )
    )
    db.session.commit()
    hidden = an_incident(act_as(world, "sergeant"))
    db.session.commit()
    officer = act_as(world, "officer")
    case = create_case(officer, CaseForm(CaseKind.ASB, "Noise, Ward 3"), from_incident=first.id)
    db.session.commit()
    for others, refusal in (
        ([second.id, hidden.id], NotVisible),
        ([second.id, first.id], Conflict),
        ([second.id, second.id], Conflict),
    ):
        with pytest.raises(refusal):
            link_incidents(officer, case.id, others)
        db.session.rollback()
    link_incidents(officer, case.id, [second.id, third.id])
    db.session.commit()
    carried = db.session.scalars(sa.select(Involvement).where(Involvement.record_id == case.id)).all()
    assert [(one.person_id, one.role) for one in carried] == [(person.id, "victim")]
    names = db.session.scalars(sa.select(PersonName).where(PersonName.record_id == case.id)).all()
    assert [name.full for name in names] == ["Wanda Quell"]
    events = events_of(case.id, "case.incident_linked")
    assert [(set(event.record_ids), list(event.person_ids)) for event in events] == [
        ({case.id, second.id}, [person.id]),
        ({case.id, third.id}, []),
    ]


def _item(actor: Actor, record: Incident, section: Section) -> dict[str, Any]:
    from hub.access.actions import item_of

    return item_of(actor, record, section)


def test_a_case_is_not_marked_lower_than_its_incident(app: object, world: World) -> None:
    officer = act_as(world, "officer")
    incident = an_incident(officer, marking=Marking.OFFICIAL_SENSITIVE)
    with pytest.raises(Invalid) as refused:
        create_case(officer, CaseForm(CaseKind.ASB, "Noise"), from_incident=incident.id)
    assert set(refused.value.errors) == {"marking"}
    case = a_case(officer)
    with pytest.raises(Conflict, match="marked_lower"):
        link_incident(officer, case.id, incident.id)


def test_a_hidden_incident_opens_no_case(app: object, world: World) -> None:
    incident = an_incident(act_as(world, "sergeant"))
    db.session.commit()
    officer = act_as(world, "officer")
    with pytest.raises(NotVisible):
        create_case(officer, CaseForm(CaseKind.ASB, "Noise"), from_incident=incident.id)


def test_a_title_that_names_somebody_involved_is_warned_of_and_can_be_kept(app: object, world: World) -> None:
    officer = act_as(world, "officer")
    case = a_case(officer)
    add_person(officer, case, role=InvolvementRole.SUBJECT, given_names="Zoë", family_name="O'Green")
    with pytest.raises(Invalid) as refused:
        change_case(officer, case.id, changes_of(case, title="Noise by zoe"), revision=case.revision)
    assert "zoe" in refused.value.errors["title"]
    kept = changes_of(case, title="Noise, Green Lane", keep_title=True)
    assert change_case(officer, case.id, kept, revision=case.revision).title == "Noise, Green Lane"


def test_a_second_editor_overwrites_nothing(app: object, world: World) -> None:
    officer = act_as(world, "officer")
    case = a_case(officer)
    db.session.commit()
    read = case.revision
    change_case(act_as(world, "manager"), case.id, changes_of(case, summary="Theirs"), revision=read)
    db.session.commit()
    with pytest.raises(Conflict, match="stale_case"):
        change_case(act_as(world, "officer"), case.id, changes_of(case, summary="Mine"), revision=read)
    assert db.session.scalar(sa.select(Case.summary).where(Case.id == case.id)) == "Theirs"


def test_a_change_seals_before_and_after_and_counts_the_revision(
    app: object, world: World, database: Any
) -> None:
    officer = act_as(world, "officer")
    case = a_case(officer)
    change_case(officer, case.id, changes_of(case, risk_level=RiskLevel.HIGH), revision=case.revision)
    db.session.commit()
    (event,) = events_of(case.id, "case.changed")
    assert event.object_version == case.revision == 2
    body = bytes(event.body)
    assert b"change_risk_level" in body and b"high" not in body


def test_saving_without_a_change_changes_nothing(app: object, world: World) -> None:
    officer = act_as(world, "officer")
    case = a_case(officer)
    change_case(officer, case.id, changes_of(case), revision=case.revision)
    assert case.revision == 1 and events_of(case.id, "case.changed") == []


ENOUGH: dict[str, Any] = {
    "reason": "Because",
    "closure_reason": ClosureReason.NO_ASB_FOUND,
    "victim_told": VictimTold.AGREES,
}


def test_a_case_moves_along_the_table_and_nowhere_else(app: object, world: World) -> None:
    officer = act_as(world, "officer")
    cases = {before: at_status(officer, before) for before in S}
    manager = act_as(world, "manager")
    until = clock.now() + timedelta(days=30)
    for before, after in product(S, S):
        if after in TRANSITIONS[before]:
            moved = move_case(manager, cases[before].id, after, until=until, **ENOUGH)
            assert moved.status == ("open" if after is S.REOPENED else after.value), (before, after)
        else:
            with pytest.raises(Conflict, match="no_such_move"):
                move_case(manager, cases[before].id, after, until=until, **ENOUGH)
        db.session.rollback()


NEEDED: list[tuple[CaseStatus, CaseStatus, dict[str, Any], set[str]]] = [
    (S.OPEN, S.ON_HOLD, {"until": 5}, {"reason"}),
    (S.OPEN, S.ON_HOLD, {"reason": "The court decides first"}, {"until"}),
    (S.OPEN, S.ON_HOLD, {"reason": "x", "until": -1}, {"until"}),
    (S.OPEN, S.MONITORING, {}, {"until"}),
    (S.OPEN, S.MONITORING, {"until": 93}, {"until"}),
    (S.OPEN, S.CLOSURE_PENDING, {}, {"reason", "closure_reason", "victim_told"}),
    (S.CLOSURE_PENDING, S.OPEN, {}, {"reason"}),
    (S.CLOSED, S.REOPENED, {}, {"reason"}),
    (S.TRIAGE, S.SIGNPOSTED, {}, {"reason"}),
]


def test_each_state_asks_for_what_it_needs(app: object, world: World) -> None:
    officer = act_as(world, "officer")
    cases = {before: at_status(officer, before) for before in {one[0] for one in NEEDED}}
    for before, to, given, missing in NEEDED:
        if "until" in given:
            given = {**given, "until": clock.now() + timedelta(days=given["until"])}
        with pytest.raises(Invalid) as refused:
            move_case(officer, cases[before].id, to, **given)
        assert set(refused.value.errors) == missing, (before, to)
        db.session.rollback()


def test_monitoring_for_three_months_is_allowed(app: object, world: World) -> None:
    case = at_status(act_as(world, "officer"), S.OPEN)
    officer = act_as(world, "officer")
    moved = move_case(officer, case.id, S.MONITORING, until=clock.now() + timedelta(days=91))
    assert moved.status_until is not None


def test_closing_is_a_permission_of_its_own(app: object, world: World) -> None:
    case = at_status(act_as(world, "officer"), S.CLOSURE_PENDING, CaseKind.OFF_ROAD)
    with pytest.raises(Denied, match="may_not_close"):
        move_case(act_as(world, "officer"), case.id, S.CLOSED)


def test_who_worked_a_case_closes_it_only_where_the_type_lets_them(app: object, world: World) -> None:
    manager = act_as(world, "manager")
    for kind, risk in product(CaseKind, (RiskLevel.STANDARD, RiskLevel.MEDIUM)):
        case = at_status(manager, S.CLOSURE_PENDING, kind, risk)
        approval = CLOSURE_APPROVAL[kind]
        if approval is Approval.ANOTHER or (
            approval is Approval.ANOTHER_AT_RISK and risk is RiskLevel.MEDIUM
        ):
            with pytest.raises(Denied, match="own_closure"):
                move_case(manager, case.id, S.CLOSED)
        else:
            assert move_case(manager, case.id, S.CLOSED).closed_at is not None
        db.session.commit()


def test_who_asked_for_closure_does_not_approve_it_either(app: object, world: World) -> None:
    case = at_status(act_as(world, "officer"), S.OPEN, CaseKind.HATE)
    manager = act_as(world, "manager")
    move_case(manager, case.id, S.CLOSURE_PENDING, **ENOUGH)
    assert case.lead_officer_id != manager.user_id
    with pytest.raises(Denied, match="own_closure"):
        move_case(manager, case.id, S.CLOSED)


def test_an_ended_case_is_read_only(app: object, world: World) -> None:
    case = at_status(act_as(world, "officer"), S.CLOSED)
    manager = act_as(world, "manager")
    with pytest.raises(Conflict, match="case_ended"):
        change_case(manager, case.id, changes_of(case, title="Other"), revision=case.revision)
    with pytest.raises(Conflict, match="case_ended"):
        restrict_case(manager, case.id, restricted=True, reason="Late")


def test_reopening_becomes_open_in_the_same_act_and_both_moves_are_kept(app: object, world: World) -> None:
    case = at_status(act_as(world, "officer"), S.CLOSED)
    officer = act_as(world, "officer")
    moved = move_case(officer, case.id, S.REOPENED, reason="It began again")
    db.session.commit()
    assert (moved.status, moved.closed_at, moved.closure_reason) == ("open", None, None)
    kept = db.session.scalars(sa.select(StatusChange).order_by(StatusChange.id.desc())).all()
    assert [(one.from_status, one.to_status) for one in kept[:2]] == [
        ("reopened", "open"),
        ("closed", "reopened"),
    ]
    versions = [event.object_version for event in events_of(case.id, "case.moved")]
    assert versions[-2:] == [moved.revision - 1, moved.revision]


def test_a_partner_moves_nothing(app: object, world: World) -> None:
    case = at_status(act_as(world, "officer"), S.NEW)
    with pytest.raises(NotVisible):
        move_case(act_as(world, "sergeant"), case.id, S.TRIAGE)


def test_the_loader_gives_earlier_times(app: object, world: World) -> None:
    loader = replace(act_as(world, "officer"), source=Source.LOAD)
    then = clock.now() - timedelta(days=200)
    case = create_case(loader, CaseForm(CaseKind.ASB, "Noise"), opened_at=then)
    move_case(loader, case.id, S.TRIAGE, at=then + timedelta(days=1))
    db.session.commit()
    assert (case.opened_at, case.changed_at) == (then, then + timedelta(days=1))
    assert db.session.scalar(sa.select(Case.changed_at).where(Case.id == case.id)) == case.changed_at
