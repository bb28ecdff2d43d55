"""What *My work* shows: what is due, what waits for the team, what partners added, all in one logged look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.audit.reading import Shown, listed, withheld
from hub.casefile.work_lists import News, led_by, news_rows, without_case
from hub.cases.models import Case
from hub.cases.queries import CaseRow, find_case_rows, without_officer
from hub.cases.vocabulary import STATUS_GROUPS, CaseStatus
from hub.chronology.models import Entry
from hub.core import clock
from hub.extensions import db
from hub.incidents.models import Incident
from hub.incidents.queries import IncidentRow, find_incident_rows
from hub.notifications.queries import unread_count
from hub.sharing.queries import waiting_count

# of each block; a list behind it has them all. All cases that fall due are shown, so far more of these are looked at
MINE_AT_MOST, SHOWN_AT_MOST, INCIDENTS_AT_MOST, NEWS_AT_MOST = 200, 15, 10, 8
# a tile says 99+ beyond this
COUNT_CAP = 100
SOON = timedelta(days=7)
RECENT = timedelta(days=14)


@dataclass(frozen=True)
class DueCase:
    """A case that the reader leads, and what falls due next on it."""

    row: CaseRow
    due_on: date | None
    what: str


@dataclass(frozen=True)
class Work:
    """All that the page shows."""

    mine: Sequence[DueCase]
    tray: Sequence[CaseRow]
    closures: Sequence[CaseRow]
    # left behind by officers who can't work on them any more
    stranded: Sequence[CaseRow]
    incidents: Sequence[IncidentRow]
    news: Sequence[News]
    tray_number: int
    incidents_number: int
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
        cases = [*(one.row for one in self.mine), *self.tray, *self.closures, *self.stranded]
        return max([*(one.marking for one in cases), *(one.marking for one in self.incidents)], default=0)


def open_work(actor: Actor) -> Work:
    """The reader's day. A fixed number of queries; one event work.viewed with every record shown."""
    actor.check_may(Permission.WORK_READ)
    mine = _ids(*led_by(actor), limit=MINE_AT_MOST, due_first=True)
    in_tray = (Case.lead_team_id == actor.team_id, Case.status.in_(_TRAY))
    tray = _ids(*in_tray, limit=SHOWN_AT_MOST)
    closing = Case.status == CaseStatus.CLOSURE_PENDING.value
    others = sa.and_(Case.lead_team_id == actor.team_id, Case.lead_officer_id != actor.user_id, closing)
    closures = _ids(others, limit=SHOWN_AT_MOST) if actor.may(Permission.CASE_CLOSE) else []
    stranded = _ids(*without_officer(actor), limit=SHOWN_AT_MOST) if actor.may(Permission.CASE_CLOSE) else []
    incidents = _incident_ids(actor)
    shown = list(dict.fromkeys([*mine, *tray, *closures, *stranded, *incidents]))
    listed(actor, "work.viewed", Shown(records=shown))
    rows = {row.id: row for row in find_case_rows(actor, {*mine, *tray, *closures, *stranded})}
    seen = find_incident_rows(actor, incidents)
    withheld(actor, "work.viewed", shown, [*rows, *(row.id for row in seen)])
    return Work(
        mine=sorted((_due(rows[key]) for key in mine if key in rows), key=_order),
        tray=[rows[key] for key in tray if key in rows],
        closures=[rows[key] for key in closures if key in rows],
        stranded=[rows[key] for key in stranded if key in rows],
        incidents=sorted(seen, key=lambda row: row.reported_at, reverse=True),
        news=_news(actor, {key: rows[key] for key in mine if key in rows}),
        tray_number=_number(sa.select(Case.id).where(*in_tray)),
        incidents_number=_number(sa.select(Incident.id).where(*without_case(actor, RECENT))),
        waiting=waiting_count(actor) if actor.may(Permission.SHARE_READ) else 0,
        unread=unread_count(actor),
        today=clock.today(),
    )


_TRAY = [status.value for status in STATUS_GROUPS["tray"][1]]


def _ids(*conditions: sa.ColumnElement[bool], limit: int, due_first: bool = False) -> list[UUID]:
    """Last changed first, or before that what falls due first, so that a limit never cuts off what is overdue."""
    found = sa.select(Case.id).where(*conditions)
    if due_first:
        until = sa.func.to_char(sa.func.timezone("Europe/London", Case.status_until), "YYYY-MM-DD")
        found = found.order_by(sa.func.least(until, Case.next_review_on).asc().nulls_last())
    return list(db.session.scalars(found.order_by(Case.changed_at.desc(), Case.id.desc()).limit(limit)))


def _number(ids: sa.Select[UUID]) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(ids.limit(COUNT_CAP).subquery())) or 0


def _incident_ids(actor: Actor) -> list[UUID]:
    """Incidents of the team from the last 14 days that belong to no case."""
    found = sa.select(Incident.id).where(*without_case(actor, RECENT))
    found = found.order_by(Incident.reported_at.desc(), Incident.id.desc()).limit(INCIDENTS_AT_MOST)
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
    newest = sa.select(Entry.id).where(
        Entry.record_id.in_(mine),
        Entry.contributed_by != actor.user_id,
        Entry.contributed_at > clock.now() - SOON,
    )
    newest = newest.order_by(Entry.contributed_at.desc(), Entry.id.desc()).limit(NEWS_AT_MOST)
    return news_rows(db.session.scalars(newest).all(), mine)
