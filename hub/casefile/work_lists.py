"""The lists behind *My work* that no other list holds: what others added to our cases, and incidents without a case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.accounts.queries import organisation_names
from hub.audit.reading import Shown, listed, withheld
from hub.cases.models import Case, CaseIncident
from hub.cases.queries import CaseRow, find_case_rows
from hub.cases.vocabulary import ENDED
from hub.chronology.models import Entry
from hub.chronology.vocabulary import ENTRY_KIND_LABELS, EntryKind
from hub.core import clock
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.extensions import db
from hub.incidents.models import Incident
from hub.incidents.queries import IncidentRow, find_incident_rows
from hub.incidents.vocabulary import IncidentKind


@dataclass(frozen=True)
class News:
    """Something that others added to a case of the reader's, without its text."""

    id: UUID
    case: CaseRow
    kind: str
    organisation: str
    at: datetime

    @property
    def href(self) -> str:
        return f"{self.case.href}/log"

    @property
    def title(self) -> str:
        return self.case.title

    @property
    def reference(self) -> str:
        return self.case.reference


def led_by(actor: Actor) -> tuple[sa.ColumnElement[bool], ...]:
    """Cases that the actor leads and that have not ended."""
    return (
        Case.lead_officer_id == actor.user_id,
        Case.status.not_in([status.value for status in ENDED]),
    )


def without_case(actor: Actor, within: timedelta | None) -> tuple[sa.ColumnElement[bool], ...]:
    """Incidents that the team in hand logged and that belong to no case."""
    linked = sa.select(CaseIncident.id).where(CaseIncident.incident_id == Incident.id)
    conditions = (Incident.lead_team_id == actor.team_id, ~linked.exists())
    return conditions if within is None else (*conditions, Incident.reported_at > clock.now() - within)


def list_news(
    actor: Actor,
    *,
    kind: EntryKind | None = None,
    within: timedelta | None = None,
    cursor: Cursor | None = None,
) -> Page[News]:
    """A page of what others added to the cases that the actor leads, newest first."""
    actor.check_may(Permission.WORK_READ)
    statement = sa.select(Entry.id, Entry.record_id, Entry.contributed_at).where(
        Entry.record_id.in_(sa.select(Case.id).where(*led_by(actor))), Entry.contributed_by != actor.user_id
    )
    if kind is not None:
        statement = statement.where(Entry.kind == kind.value)
    if within is not None:
        statement = statement.where(Entry.contributed_at > clock.now() - within)
    if cursor is not None:
        statement = statement.where(sa.tuple_(Entry.contributed_at, Entry.id) < (cursor.at, cursor.id))
    statement = statement.order_by(Entry.contributed_at.desc(), Entry.id.desc()).limit(PAGE_SIZE + 1)
    found = db.session.execute(statement).all()
    page = found[:PAGE_SIZE]
    records = list(dict.fromkeys(row.record_id for row in page))
    listed(actor, "work.viewed", Shown(records=records))
    cases = {row.id: row for row in find_case_rows(actor, records)}
    withheld(actor, "work.viewed", records, cases)
    last = page[-1] if len(found) > PAGE_SIZE else None
    rows = news_rows([row.id for row in page], cases)
    return Page(rows, str(Cursor(last.contributed_at, last.id)) if last else None)


def news_rows(ids: Sequence[UUID], cases: Mapping[UUID, CaseRow]) -> list[News]:
    """Rows by ids, newest first, of those whose case is given."""
    found = db.session.execute(
        sa.select(
            Entry.id, Entry.record_id, Entry.kind, Entry.contributor_organisation_id, Entry.contributed_at
        )
        .where(Entry.id.in_(ids))
        .order_by(Entry.contributed_at.desc(), Entry.id.desc())
    ).all()
    names = organisation_names(row.contributor_organisation_id for row in found)
    return [
        News(
            id=row.id,
            case=cases[row.record_id],
            kind=ENTRY_KIND_LABELS[EntryKind(row.kind)],
            organisation=names.get(row.contributor_organisation_id, ""),
            at=row.contributed_at,
        )
        for row in found
        if row.record_id in cases
    ]


def list_without_case(
    actor: Actor,
    *,
    kind: IncidentKind | None = None,
    within: timedelta | None = None,
    cursor: Cursor | None = None,
) -> Page[IncidentRow]:
    """A page of the incidents that the team in hand logged and that belong to no case, the last logged first."""
    actor.check_may(Permission.INCIDENT_READ)
    statement = sa.select(Incident.id, Incident.reported_at).where(*without_case(actor, within))
    if kind is not None:
        statement = statement.where(Incident.kind == kind.value)
    if cursor is not None:
        statement = statement.where(sa.tuple_(Incident.reported_at, Incident.id) < (cursor.at, cursor.id))
    statement = statement.order_by(Incident.reported_at.desc(), Incident.id.desc()).limit(PAGE_SIZE + 1)
    found = db.session.execute(statement).all()
    page = found[:PAGE_SIZE]
    ids = [row.id for row in page]
    listed(actor, "incident.listed", Shown(records=ids))
    rows = {row.id: row for row in find_incident_rows(actor, ids)}
    withheld(actor, "incident.listed", ids, rows)
    last = page[-1] if len(found) > PAGE_SIZE else None
    return Page(
        [rows[key] for key in ids if key in rows],
        str(Cursor(last.reported_at, last.id)) if last else None,
    )
