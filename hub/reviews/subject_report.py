"""The report to a data subject, "who has seen my record": its lines in words, as the page and the file show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.accounts.models import User
from hub.accounts.queries import organisation_names
from hub.audit.archived import ArchivedMonths, find_archived_months
from hub.audit.catalogue import Category
from hub.audit.policy import CATEGORY_LABELS, LogPurpose, purpose_label
from hub.audit.queries import Subject, find_subject
from hub.audit.reporting import COMPARED, LINES_AT_MOST, SubjectLine, list_lines_about
from hub.core.errors import NotVisible
from hub.extensions import db

HEADINGS = ("Date", "What was done", "By", "Purpose", "Told to", "Times")
COMPARED_WORDS = (
    "Compared by the hub with somebody being entered, to see whether it is the same person: nothing was shown"
)
NOT_TOLD = "Not in this report"
# of partners' people nothing is told but their organisation: each answers for its own
ELSEWHERE = "Not told by this organisation"


@dataclass(frozen=True)
class Line:
    """What one organisation did on one day for one purpose, in words."""

    day: date
    category: str
    organisation: str
    purpose: str
    told: str
    title: str
    times: int

    def cells(self, titles: bool) -> tuple[object, ...]:
        """As a row of the file."""
        shown = (self.day.isoformat(), self.category, self.organisation, self.purpose, self.told, self.times)
        return (*shown, self.title) if titles else shown


@dataclass(frozen=True)
class Report:
    person: Subject
    lines: Sequence[Line]
    titles: bool
    # more than one report holds
    cut: bool
    # months of which nothing is told here
    archived: ArchivedMonths

    @property
    def rows(self) -> list[tuple[object, ...]]:
        """As the file holds them; the last says what is not in it."""
        rows = [line.cells(self.titles) for line in self.lines]
        if self.archived:
            rows.append((NOT_TOLD, f"{self.archived.words}: kept in the archive of the log only"))
        return rows

    @property
    def headings(self) -> tuple[str, ...]:
        return (*HEADINGS, "Job title") if self.titles else HEADINGS


def make_report(actor: Actor, reference: str, *, purpose: LogPurpose, titles_because: str = "") -> Report:
    """All that the organisation's log tells of a person. `NotVisible` for a reference that it does not know.

    Names of staff are never in it; job titles of the organisation's own people only for a reason, which is logged.
    """
    actor.check_may(Permission.AUDIT_READ)
    person = find_subject(actor, reference)
    if person is None or person.kind != "person":
        raise NotVisible
    titles = bool(titles_because)
    found = list_lines_about(actor, person, purpose=purpose.value, by_user=titles, reason=titles_because)
    cut = len(found) > LINES_AT_MOST
    archived = find_archived_months(actor, None, None)
    return Report(person, _in_words(actor, found[:LINES_AT_MOST], titles), titles, cut, archived)


def _in_words(actor: Actor, found: Sequence[SubjectLine], titles: bool) -> list[Line]:
    names = organisation_names(key for one in found for key in (one.organisation_id, *one.recipients))
    known = _titles(actor, {one.user_id for one in found if one.user_id}) if titles else {}
    counted: dict[tuple[date, str, str, str, str, str], int] = {}
    for one in found:
        told = ", ".join(sorted(names.get(key, "") for key in one.recipients))
        title = known.get(one.user_id, ELSEWHERE) if titles and one.user_id else ""
        line = (
            one.day,
            COMPARED_WORDS if one.kind == COMPARED else CATEGORY_LABELS[Category(one.kind)],
            names.get(one.organisation_id, ""),
            purpose_label(one.purpose),
            told,
            title,
        )
        # people of one job title are not told apart
        counted[line] = counted.get(line, 0) + one.times
    return [Line(*line, times) for line, times in sorted(counted.items())]


def _titles(actor: Actor, users: set[UUID]) -> dict[UUID, str]:
    rows = db.session.execute(
        sa.select(User.id, User.job_title).where(
            User.id.in_(users), User.organisation_id == actor.organisation_id
        )
    )
    return {row.id: row.job_title for row in rows}
