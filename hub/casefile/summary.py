"""What the summary of a case tells in ten seconds: what matters now, who is involved, what happened last, who sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.vocabulary import Section
from hub.casefile.page import CasePage
from hub.cases.models import StatusChange
from hub.cases.policy import may_close, needs_another
from hub.cases.queries import find_history
from hub.cases.vocabulary import CLOSURE_REASON_LABELS, CaseStatus, ClosureReason, RiskLevel
from hub.chronology.models import Entry
from hub.chronology.queries import EntryRow, find_entries
from hub.core import clock
from hub.extensions import db
from hub.incidents.queries import IncidentRow, find_incident_rows
from hub.people.queries import PersonInRecord, find_people_of
from hub.places.queries import PlaceInRecord, find_places_of
from hub.sharing.queries import GrantRow, find_grants_of
from hub.sharing.vocabulary import ShareState
from hub.vehicles.queries import VehicleInRecord, find_vehicles_of
from hub.web.filters import count_words, format_date

LAST_ENTRIES = 5
# counted no further: the page says "more than"
NEW_AT_MOST = 100
SOON_DAYS = 7


@dataclass(frozen=True)
class Matter:
    """One thing that matters now: kind is a callout's (info, warning, error), words and where to act on it."""

    kind: str
    title: str
    text: str = ""
    href: str = ""
    link: str = ""


@dataclass(frozen=True)
class Summary:
    """All that the summary shows besides the page's frame."""

    matters: Sequence[Matter]
    people: Sequence[PersonInRecord]
    places: Sequence[PlaceInRecord]
    vehicles: Sequence[VehicleInRecord]
    incidents: Sequence[IncidentRow]
    entries: Sequence[EntryRow]
    more_entries: bool
    history: Sequence[StatusChange]
    shares: Sequence[GrantRow]
    closure_reason: str

    @property
    def markings(self) -> list[int]:
        """The own markings of the items shown."""
        things = [
            *(one.marking for one in self.people),
            *(one.marking for one in self.places),
            *(one.marking for one in self.vehicles),
        ]
        return [*things, *(one.item_marking for one in self.entries)]


def find_summary(actor: Actor, page: CasePage) -> Summary:
    """Reads what the opened page shows. A fixed number of queries; `open_case_page` has logged every id."""
    case = page.case
    people = (
        find_people_of(actor, [case.id]).get(case.id, [])
        if page.reads(Section.PEOPLE, Section.VICTIM)
        else []
    )
    seen = page.reads(Section.PEOPLE)
    log = find_entries(
        actor,
        case.id,
        since=page.opened.last_looked_at,
        ended_at=case.closed_at,
        limit=LAST_ENTRIES,
    ) if page.reads(Section.CHRONOLOGY) else None  # fmt: skip
    history = find_history(actor, case.id)
    shares = (
        [row for row in find_grants_of(actor, case.id) if row.state is ShareState.ACTIVE]
        if page.right.leads
        else []
    )
    return Summary(
        matters=_matters(actor, page, history),
        people=[one for one in people if not one.ended],
        places=find_places_of(actor, [case.id]).get(case.id, []) if seen else [],
        vehicles=find_vehicles_of(actor, [case.id]).get(case.id, []) if seen else [],
        incidents=find_incident_rows(actor, page.opened.incident_ids),
        entries=log.rows if log else [],
        more_entries=bool(log and log.more),
        history=history,
        shares=shares,
        closure_reason=CLOSURE_REASON_LABELS[ClosureReason(case.closure_reason)]
        if case.closure_reason
        else "",
    )


def _matters(actor: Actor, page: CasePage, history: Sequence[StatusChange]) -> list[Matter]:
    found = [*_state(actor, page, history), *_review(page), *_risk(page)]
    new = _count_new(actor, page)
    if new:
        words = f"{count_words(new, 'new entry', 'new entries')} since you last looked"
        found.append(Matter("info", words, href=f"/cases/{page.case.id}/log", link="Read the log"))
    return found


def _state(actor: Actor, page: CasePage, history: Sequence[StatusChange]) -> list[Matter]:
    case = page.case
    status = CaseStatus(case.status)
    why = history[0].reason if history else ""
    move = f"/cases/{case.id}/status" if page.may.move else ""
    if page.ended:
        return [
            Matter(
                "info",
                "This case has ended and can only be read",
                why or "Late notes can still be added to its log.",
            )
        ]
    if status is CaseStatus.CLOSURE_PENDING:
        if may_close(actor, case):
            return [Matter("warning", "Its closure waits for your approval", why, move, "Decide")]
        also = " by somebody other than its lead officer" if needs_another(case) else ""
        return [Matter("info", f"Its closure waits for approval{also}", why)]
    if status in (CaseStatus.ON_HOLD, CaseStatus.MONITORING) and case.status_until is not None:
        late = case.status_until < clock.now()
        title = f"{'On hold' if status is CaseStatus.ON_HOLD else 'Monitoring'} until {format_date(case.status_until)}"
        return [
            Matter(
                "error" if late else "info",
                f"{title}: that has passed" if late else title,
                why,
                move,
                "Change",
            )
        ]
    if status in (CaseStatus.NEW, CaseStatus.TRIAGE):
        text = "Nobody has looked at it yet." if status is CaseStatus.NEW else "Decide whether it is opened."
        return [Matter("warning", "This case waits to be triaged", text, move, "Triage it")]
    return []


def _review(page: CasePage) -> list[Matter]:
    if page.ended or not page.case.next_review_on:
        return []
    due, today = date.fromisoformat(page.case.next_review_on), clock.today()
    edit = f"/cases/{page.case.id}/edit" if page.may.change else ""
    if due < today:
        return [
            Matter(
                "error",
                f"Its review is overdue: it was due on {format_date(due)}",
                "",
                edit,
                "Set the next one",
            )
        ]
    if (due - today).days <= SOON_DAYS:
        return [Matter("warning", f"Its review is due on {format_date(due)}", "", edit, "Change")]
    return []


def _risk(page: CasePage) -> list[Matter]:
    risk = RiskLevel(page.case.risk_level)
    if page.ended:
        return []
    if risk in (RiskLevel.HIGH, RiskLevel.VERY_HIGH):
        words = "very high" if risk is RiskLevel.VERY_HIGH else "high"
        return [
            Matter(
                "warning",
                f"The risk is {words}",
                "" if page.case.next_review_on else "No date for its review is set.",
            )
        ]
    return []


def _count_new(actor: Actor, page: CasePage) -> int:
    since: datetime | None = page.opened.last_looked_at
    if since is None or not page.reads(Section.CHRONOLOGY):
        return 0
    newer = (
        sa.select(Entry.id)
        .where(
            Entry.record_id == page.case.id,
            Entry.contributed_at > since,
            Entry.contributed_by != actor.user_id,
        )
        .limit(NEW_AT_MOST)
    )
    return len(db.session.scalars(newer).all())
