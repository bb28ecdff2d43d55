"""What *My work* shows: what is due, what waits for the team, what partners added, all in one logged look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.accounts.queries import organisation_names
from hub.audit.reading import Shown, listed, withheld
from hub.cases.models import Case, CaseIncident
from hub.cases.queries import CaseRow, find_case_rows
from hub.cases.vocabulary import ENDED, CaseStatus
from hub.chronology.models import Entry
from hub.chronology.vocabulary import ENTRY_KIND_LABELS, EntryKind
from hub.core import clock
from hub.extensions import db
from hub.incidents.models import Incident
from hub.incidents.queries import IncidentRow, find_incident_rows
from hub.notifications.queries import unread_count
from hub.sharing.queries import waiting_count

MINE_AT_MOST, TRAY_AT_MOST, INCIDENTS_AT_MOST, NEWS_AT_MOST = 200, 20, 10, 8
SOON = timedelta(days=7)
RECENT = timedelta(days=14)


@dataclass(frozen=True)
class DueCase:
    """A case that the reader leads, and what falls due next on it."""

    row: CaseRow
    due_on: date | None
    what: str


@dataclass(frozen=True)
class News:
    """Something that others added to a case of the reader's, without its text."""

    case: CaseRow
    kind: str
    organisation: str
    at: datetime

    @property
    def href(self) -> str:
        return f"{self.case.href}/log"


@dataclass(frozen=True)
class Work:
    """All that the page shows."""

    mine: Sequence[DueCase]
    tray: Sequence[CaseRow]
    closures: Sequence[CaseRow]
    incidents: Sequence[IncidentRow]
    news: Sequence[News]
    waiting: int
    unread: int
    today: date

    @property
    def overdue(self) -> int:
        return sum(1 for one in self.mine if one.due_on is not None and one.due_on < self.today)

    @property
    def soon(self) -> int:
        return sum(
            1 for one in self.mine if one.due_on is not None and self.today <= one.due_on <= self.today + SOON
        )

    @property
    def marking(self) -> int:
        cases = [*(one.row for one in self.mine), *self.tray, *self.closures]
        return max([*(one.marking for one in cases), *(one.marking for one in self.incidents)], default=0)


def open_work(actor: Actor) -> Work:
    """The reader's day. A fixed number of queries; one event work.viewed with every record shown."""
    actor.check_may(Permission.WORK_READ)
    mine = _ids(Case.lead_officer_id == actor.user_id, Case.status.not_in(_ENDED), limit=MINE_AT_MOST)
    tray = _ids(Case.lead_team_id == actor.team_id, Case.status.in_(_NEW), limit=TRAY_AT_MOST)
    closing = Case.status == CaseStatus.CLOSURE_PENDING.value
    others = sa.and_(Case.lead_team_id == actor.team_id, Case.lead_officer_id != actor.user_id, closing)
    closures = _ids(others, limit=TRAY_AT_MOST) if actor.may(Permission.CASE_CLOSE) else []
    incidents = _incident_ids(actor)
    shown = list(dict.fromkeys([*mine, *tray, *closures, *incidents]))
    listed(actor, "work.viewed", Shown(records=shown))
    rows = {row.id: row for row in find_case_rows(actor, {*mine, *tray, *closures})}
    seen = find_incident_rows(actor, incidents)
    withheld(actor, "work.viewed", shown, [*rows, *(row.id for row in seen)])
    return Work(
        mine=sorted((_due(rows[key]) for key in mine if key in rows), key=_order),
        tray=[rows[key] for key in tray if key in rows],
        closures=[rows[key] for key in closures if key in rows],
        incidents=sorted(seen, key=lambda row: row.reported_at, reverse=True),
        news=_news(actor, {key: rows[key] for key in mine if key in rows}),
        waiting=waiting_count(actor) if actor.may(Permission.SHARE_READ) else 0,
        unread=unread_count(actor),
        today=_today(),
    )


_ENDED = [status.value for status in ENDED]
_NEW = [CaseStatus.NEW.value, CaseStatus.TRIAGE.value]


def _today() -> date:
    return clock.now().astimezone(clock.LONDON).date()


def _ids(*conditions: sa.ColumnElement[bool], limit: int) -> list[UUID]:
    return list(
        db.session.scalars(
            sa.select(Case.id)
            .where(*conditions)
            .order_by(Case.changed_at.desc(), Case.id.desc())
            .limit(limit)
        )
    )


def _incident_ids(actor: Actor) -> list[UUID]:
    """Incidents of the team from the last 14 days that belong to no case."""
    linked = sa.select(CaseIncident.id).where(CaseIncident.incident_id == Incident.id)
    found = (
        sa.select(Incident.id)
        .where(
            Incident.lead_team_id == actor.team_id,
            Incident.reported_at > clock.now() - RECENT,
            ~linked.exists(),
        )
        .order_by(Incident.reported_at.desc(), Incident.id.desc())
        .limit(INCIDENTS_AT_MOST)
    )
    return list(db.session.scalars(found))


def _due(row: CaseRow) -> DueCase:
    found: list[tuple[date, str]] = []
    if row.status_until is not None:
        what = "Monitoring ends" if row.status == CaseStatus.MONITORING else "Hold ends"
        found.append((row.status_until.astimezone(clock.LONDON).date(), what))
    if row.next_review_on:
        found.append((date.fromisoformat(row.next_review_on), "Review"))
    if not found:
        return DueCase(row, None, "")
    due_on, what = min(found)
    return DueCase(row, due_on, what)


def _order(one: DueCase) -> tuple[bool, date, float]:
    return one.due_on is None, one.due_on or date.max, -one.row.changed_at.timestamp()


def _news(actor: Actor, mine: dict[UUID, CaseRow]) -> list[News]:
    found = db.session.execute(
        sa.select(Entry.record_id, Entry.kind, Entry.contributor_organisation_id, Entry.contributed_at)
        .where(
            Entry.record_id.in_(mine),
            Entry.contributed_by != actor.user_id,
            Entry.contributed_at > clock.now() - SOON,
        )
        .order_by(Entry.contributed_at.desc())
        .limit(NEWS_AT_MOST)
    ).all()
    names = organisation_names(row.contributor_organisation_id for row in found)
    return [
        News(
            case=mine[row.record_id],
            kind=ENTRY_KIND_LABELS[EntryKind(row.kind)],
            organisation=names.get(row.contributor_organisation_id, ""),
            at=row.contributed_at,
        )
        for row in found
    ]
