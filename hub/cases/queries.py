"""Reads of cases: the list, one case with the right by which it is seen, and cases about the same person or place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.candidates import FEW, among_candidates
from hub.access.models import Grant, Involvement, Record
from hub.access.permissions import ROLES, Permission
from hub.access.queries import Right, grantable_sections, live_grants, right_to
from hub.access.vocabulary import PURPOSE_LABELS, GrantState, Purpose, RecordKind
from hub.accounts.models import RoleHolding, TeamMembership, User
from hub.accounts.queries import organisation_names, user_names
from hub.audit.changing import take_up
from hub.audit.looking import last_looked
from hub.audit.reading import Shown, listed, opened, withheld
from hub.audit.recording import Basis
from hub.cases.models import Case, CaseIncident, StatusChange
from hub.cases.vocabulary import CASE_KIND_LABELS, ENDED, CaseKind, CaseStatus
from hub.core import clock
from hub.core.errors import Denied, NotVisible
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.extensions import db
from hub.incidents.models import Incident
from hub.people.models import PersonName
from hub.places.queries import find_near

RELATED_AT_MOST = 5


@dataclass(frozen=True)
class CaseFilter:
    """What the list is narrowed to; empty means all. `scope` is mine, team, colleagues, stranded or shared."""

    scope: str = ""
    statuses: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    title: str = ""


@dataclass(frozen=True)
class CaseRow:
    """One case in a list, with the reason why the reader finds it there."""

    id: UUID
    reference: str
    title: str
    kind: str
    status: str
    priority: str
    risk: str
    marking: int
    organisation: str
    officer: str
    why: str
    changed_at: datetime
    status_until: datetime | None
    next_review_on: str | None
    lead_officer_id: UUID

    @property
    def href(self) -> str:
        return f"/cases/{self.id}"

    @property
    def detail(self) -> str:
        return f"{self.reference}, {self.kind}"


@dataclass(frozen=True)
class OpenedCase:
    """One case as its reader may see it, and what the page about it may show."""

    case: Case
    right: Right
    grants: tuple[Grant, ...]
    # None for all sections
    sections: frozenset[str] | None
    person_ids: frozenset[UUID]
    incident_ids: frozenset[UUID]
    last_looked_at: datetime | None


def list_cases(actor: Actor, wanted: CaseFilter, *, cursor: Cursor | None = None) -> Page[CaseRow]:
    """One page of the cases that the actor may read, last changed first. Writes case.listed with all ids shown."""
    actor.check_may(Permission.CASE_READ)
    few = among_candidates(actor, Case.id, RecordKind.CASE, session=db.session())
    statement = sa.select(Case.id).where(*few, *_narrowed(actor, wanted))
    if cursor is not None:
        statement = statement.where(sa.tuple_(Case.changed_at, Case.id) < (cursor.at, cursor.id))
    statement = statement.order_by(Case.changed_at.desc(), Case.id.desc()).limit(PAGE_SIZE + 1)
    ids = list(db.session.scalars(statement))
    shown = ids[:PAGE_SIZE]
    listed(actor, "case.listed", Shown(records=shown))
    rows = find_case_rows(actor, shown)
    withheld(actor, "case.listed", shown, (row.id for row in rows))
    rows.sort(key=lambda row: (row.changed_at, row.id), reverse=True)
    after = str(Cursor(rows[-1].changed_at, rows[-1].id)) if len(ids) > PAGE_SIZE and rows else None
    return Page(rows, after)


def _narrowed(actor: Actor, wanted: CaseFilter) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.scope == "mine":
        conditions.append(Case.lead_officer_id == actor.user_id)
    elif wanted.scope == "team":
        conditions.append(Case.lead_team_id == actor.team_id)
    elif wanted.scope == "colleagues":
        conditions += [Case.lead_team_id == actor.team_id, Case.lead_officer_id != actor.user_id]
    elif wanted.scope == "stranded":
        conditions += without_officer(actor)
    elif wanted.scope == "shared":
        conditions.append(Case.lead_team_id != actor.team_id)
    for column, values in (
        (Case.status, wanted.statuses),
        (Case.kind, wanted.kinds),
        (Case.priority, wanted.priorities),
        (Case.risk_level, wanted.risks),
    ):
        if values:
            conditions.append(column.in_(values))
    if wanted.title:
        conditions.append(_titled(wanted.title))
    return conditions


def without_officer(actor: Actor) -> tuple[sa.ColumnElement[bool], ...]:
    """Open cases of the team in hand whose lead officer's account is closed, or who does not wear the team's hat any more."""
    wears = sa.select(TeamMembership.user_id).where(
        TeamMembership.user_id == Case.lead_officer_id,
        TeamMembership.team_id == Case.lead_team_id,
        sa.or_(TeamMembership.left_at.is_(None), TeamMembership.left_at > clock.now()),
    )
    closed = sa.select(User.id).where(User.id == Case.lead_officer_id, User.disabled_at.is_not(None))
    return (
        Case.lead_team_id == actor.team_id,
        Case.status.not_in([status.value for status in ENDED]),
        sa.or_(closed.exists(), ~wears.exists()),
    )


def _titled(words: str) -> sa.ColumnElement[bool]:
    """Narrows to titles with these words; a title is content, which finding asks the database's functions about."""
    found = sa.func.find_title_candidates(words, FEW + 1).column_valued("candidate")
    ids = list(db.session.scalars(sa.select(found)))
    if len(ids) <= FEW:
        return Case.id.in_(ids)
    return sa.func.title_has(Case.id, words)


def find_case_rows(actor: Actor, ids: Iterable[UUID]) -> list[CaseRow]:
    """Rows by ids, in no order, with names and the reason why each is there. The page that shows them logs them."""
    wanted = list(ids)
    found = db.session.execute(
        sa.select(
            Case.id, Case.reference, Case.title, Case.kind, Case.status, Case.priority, Case.risk_level, Case.marking,
            Case.owner_organisation_id, Case.lead_team_id, Case.lead_officer_id, Case.changed_at, Case.status_until,
            Case.next_review_on, Case.partnership_id,
        ).where(Case.id.in_(wanted))
    ).all()  # fmt: skip
    shares = _shares_of(actor, [row.id for row in found if row.lead_team_id != actor.team_id])
    organisations = organisation_names(row.owner_organisation_id for row in found)
    officers = user_names(row.lead_officer_id for row in found)
    return [
        CaseRow(
            id=row.id,
            reference=row.reference,
            title=row.title,
            kind=CASE_KIND_LABELS[CaseKind(row.kind)],
            status=row.status,
            priority=row.priority,
            risk=row.risk_level,
            marking=row.marking,
            organisation=organisations.get(row.owner_organisation_id, ""),
            officer=officers.get(row.lead_officer_id, ""),
            why=_why(actor, row, shares.get(row.id), organisations.get(row.owner_organisation_id, "")),
            changed_at=row.changed_at,
            status_until=row.status_until,
            next_review_on=row.next_review_on,
            lead_officer_id=row.lead_officer_id,
        )
        for row in found
    ]


def _shares_of(actor: Actor, ids: list[UUID]) -> dict[UUID, Grant]:
    now = clock.now()
    grants = db.session.scalars(
        sa.select(Grant)
        .where(
            Grant.record_id.in_(ids),
            Grant.to_organisation_id == actor.organisation_id,
            sa.or_(Grant.to_team_id.is_(None), Grant.to_team_id == actor.team_id),
            sa.or_(Grant.to_user_id.is_(None), Grant.to_user_id == actor.user_id),
            sa.or_(Grant.agreement_id.is_(None), Grant.purpose == actor.purpose),
            Grant.state == GrantState.ACCEPTED.value,
            Grant.starts_at <= now,
            sa.or_(Grant.ends_at.is_(None), Grant.ends_at > now),
            sa.or_(Grant.revoked_at.is_(None), Grant.revoked_at > now),
        )
        .order_by(Grant.starts_at)
    )
    return {grant.record_id: grant for grant in grants}


def _why(actor: Actor, row: Any, share: Grant | None, owner: str) -> str:
    if row.lead_team_id == actor.team_id:
        return "You lead it" if row.lead_officer_id == actor.user_id else "Your team leads it"
    if share is not None and share.purpose:
        return f"{owner} shares it to {_lower(PURPOSE_LABELS[Purpose(share.purpose)])}"
    if share is not None:
        return "Another team of yours shares it"
    if row.owner_organisation_id == actor.organisation_id:
        return "Open to your organisation"
    return "Emergency access"


def _lower(label: str) -> str:
    return label[:1].lower() + label[1:]


def open_case(actor: Actor, case_id: UUID, part: str) -> OpenedCase:
    """One case, logged with every id that a page about it may show. `NotVisible` where hidden or absent."""
    actor.check_may(Permission.CASE_READ)
    revision = db.session.scalar(sa.select(Case.revision).where(Case.id == case_id))
    right = right_to(actor, case_id, session=db.session()) if revision is not None else None
    if right is None:
        opened(actor, "case.opened", case_id, None, facts={"part": part})
        raise NotVisible
    grants = tuple(live_grants(actor, case_id, session=db.session())) if right.via == "share" else ()
    people = frozenset(find_person_ids(actor, case_id))
    incidents = frozenset(find_incident_ids(actor, case_id))
    looked = last_looked(actor, case_id, act="case.opened")
    shown = Shown(records=[case_id, *incidents], people=people, basis=_basis(right), version=revision)
    opened(actor, "case.opened", case_id, shown, facts={"part": part})
    case = db.session.scalar(
        sa.select(Case).where(Case.id == case_id).execution_options(populate_existing=True)
    )
    if case is None:
        withheld(actor, "case.opened", [case_id], [])
        raise NotVisible
    return OpenedCase(case, right, grants, grantable_sections(right, list(grants)), people, incidents, looked)


def _basis(right: Right) -> Basis:
    grant = right.grant
    return Basis(right.via, grant.agreement_id if grant else None, grant.id if grant else None)


def find_person_ids(actor: Actor, record_id: UUID) -> list[UUID]:
    """Ids of the people involved in a record, as far as the actor may read that they are."""
    found = sa.select(Involvement.person_id).where(
        Involvement.record_id == record_id, Involvement.person_id.is_not(None)
    )
    return [key for key in db.session.scalars(found) if key is not None]


def find_incident_ids(actor: Actor, case_id: UUID) -> list[UUID]:
    """Ids of the incidents of a case that the actor may read both as links and as incidents."""
    found = (
        sa.select(CaseIncident.incident_id)
        .join(Record, Record.id == CaseIncident.incident_id)
        .where(CaseIncident.record_id == case_id)
        .order_by(CaseIncident.id)
    )
    return list(db.session.scalars(found))


def load_for_change(actor: Actor, case_id: UUID) -> Case:
    """The case, locked until the transaction ends. `NotVisible` where hidden, `Denied` where others lead it."""
    right = right_to(actor, case_id, session=db.session())
    if right is None or db.session.scalar(sa.select(Case.id).where(Case.id == case_id)) is None:
        raise NotVisible
    if not right.leads:
        raise Denied(
            "not_lead", "Another team leads this case: only they can change it. Nothing was changed."
        )
    take_up(actor, [case_id])
    case = db.session.scalar(
        sa.select(Case).where(Case.id == case_id).with_for_update().execution_options(populate_existing=True)
    )
    if case is None:
        raise NotVisible
    return case


def find_history(actor: Actor, case_id: UUID) -> list[StatusChange]:
    """The moves of a case, newest first, as far as the actor may read them."""
    found = sa.select(StatusChange).where(StatusChange.record_id == case_id).order_by(StatusChange.id.desc())
    return list(db.session.scalars(found.limit(PAGE_SIZE)))


def find_officers(actor: Actor) -> list[User]:
    """Who may lead a case of the team in hand: its members of the actor's own organisation."""
    members = sa.select(TeamMembership.user_id).where(
        TeamMembership.team_id == actor.team_id,
        sa.or_(TeamMembership.left_at.is_(None), TeamMembership.left_at > clock.now()),
    )
    found = sa.select(User).where(
        User.id.in_(members), User.organisation_id == actor.organisation_id, User.disabled_at.is_(None)
    )
    return list(db.session.scalars(found.order_by(User.name)))


def find_approver_ids(actor: Actor, case: Case) -> list[UUID]:
    """Who may approve the closure of a case of the team in hand."""
    closers = [
        role.value for role, described in ROLES.items() if Permission.CASE_CLOSE in described.permissions
    ]
    held = sa.select(RoleHolding.user_id).where(
        RoleHolding.partnership_id == case.partnership_id,
        RoleHolding.role.in_(closers),
        sa.or_(RoleHolding.ended_at.is_(None), RoleHolding.ended_at > clock.now()),
    )
    members = [user.id for user in find_officers(actor)]
    return list(db.session.scalars(sa.select(User.id).where(User.id.in_(members), User.id.in_(held))))


def find_names_in(actor: Actor, record_id: UUID) -> list[str]:
    """Folded names of the people of a record that the actor may read: a title must not hold one."""
    people = sa.select(Involvement.person_id).where(
        Involvement.record_id == record_id, Involvement.person_id.is_not(None)
    )
    return list(
        db.session.scalars(sa.select(PersonName.words).where(PersonName.person_id.in_(people)).distinct())
    )


def find_related_case_ids(actor: Actor, incident_id: UUID) -> list[UUID]:
    """Open cases with the same person, vehicle or place as an incident, or a place close by.

    Last changed first, at most five. The page that shows them logs them (incident.matched).
    """
    # no aliases: the guard's criteria are not adapted to an aliased item class
    involved = db.session.execute(
        sa.select(Involvement.person_id, Involvement.place_id, Involvement.vehicle_id).where(
            Involvement.record_id == incident_id, Involvement.ended_at.is_(None)
        )
    ).all()
    keys = [key for row in involved for key in row if key is not None]
    # a place typed anew is another row: its neighbours speak for it
    keys += find_near(actor, {row.place_id for row in involved if row.place_id is not None})
    same = sa.or_(
        Involvement.person_id.in_(keys), Involvement.place_id.in_(keys), Involvement.vehicle_id.in_(keys)
    )
    linked = sa.select(CaseIncident.record_id).where(CaseIncident.incident_id == incident_id)
    ended = [status.value for status in CaseStatus if status in ENDED]
    found = (
        sa.select(Case.id, Case.changed_at)
        .join(Involvement, Involvement.record_id == Case.id)
        .where(same, Case.id.not_in(linked), Case.status.not_in(ended))
        .distinct()
        .order_by(Case.changed_at.desc(), Case.id)
        .limit(RELATED_AT_MOST)
    )
    return [row.id for row in db.session.execute(found)]


def open_source_incident(actor: Actor, incident_id: UUID) -> Incident:
    """The incident from which a case is about to be opened; logged as a look at it."""
    found = db.session.scalar(sa.select(Incident.id).where(Incident.id == incident_id))
    opened(actor, "incident.opened", incident_id, Shown(records=[incident_id]) if found else None)
    incident = db.session.scalar(sa.select(Incident).where(Incident.id == incident_id))
    if incident is None:
        withheld(actor, "incident.opened", [incident_id], [])
        raise NotVisible
    return incident
