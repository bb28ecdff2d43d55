"""What the forms about a case hold, and how they are read: every mistake is told at once, beside its field."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TypeVar
from uuid import UUID

from hub.access.vocabulary import Marking
from hub.cases.vocabulary import (
    CaseKind,
    CaseOutcome,
    CaseSource,
    CaseStatus,
    ClosureReason,
    Priority,
    RiskLevel,
    VictimTold,
)
from hub.core import clock
from hub.core.errors import Invalid
from hub.core.partial_dates import BadPartialDate, earliest_day, partial_date
from hub.core.text import MAX_TEXT, clean

MAX_TITLE = 120
Code = TypeVar("Code", bound=enum.StrEnum)


@dataclass(frozen=True)
class CaseForm:
    """A new case. `reported_on` is a partial date as ISO text; None means today. The lead officer is the actor if None."""

    kind: CaseKind
    title: str
    priority: Priority = Priority.ROUTINE
    marking: Marking = Marking.OFFICIAL
    source: CaseSource = CaseSource.SELF_GENERATED
    summary: str = ""
    reported_on: str | None = None
    lead_officer_id: UUID | None = None
    restricted: bool = False
    restricted_reason: str = ""
    risk_level: RiskLevel = RiskLevel.NOT_ASSESSED
    # the writer has seen the warning that the title may name somebody
    keep_title: bool = False


@dataclass(frozen=True)
class ChangeForm:
    """The details of a case as they are to be."""

    title: str
    priority: Priority
    risk_level: RiskLevel
    marking: Marking
    summary: str
    lead_officer_id: UUID
    next_review_on: str | None
    marking_reason: str = ""
    keep_title: bool = False


@dataclass(frozen=True)
class MoveForm:
    """A move along the state table."""

    to: CaseStatus
    reason: str = ""
    until: datetime | None = None
    closure_reason: ClosureReason | None = None
    outcome: CaseOutcome | None = None
    victim_told: VictimTold | None = None


class Reader:
    """Reads fields one by one and keeps what is wrong with each."""

    def __init__(self, form: Mapping[str, str]) -> None:
        self.form = form
        self.errors: dict[str, str] = {}

    def text(self, name: str, *, most: int = MAX_TEXT, missing: str = "") -> str:
        value = clean(self.form.get(name, ""))
        if missing and not value:
            self.errors[name] = missing
        elif len(value) > most:
            self.errors[name] = f"This must be {most:,} characters or fewer. You wrote {len(value):,}"
        return value

    def code(self, name: str, codes: type[Code], *, missing: str) -> Code | None:
        try:
            return codes(self.form.get(name, ""))
        except ValueError:
            self.errors[name] = missing
            return None

    def flag(self, name: str) -> bool:
        return self.form.get(name) == "yes"

    def marking(self) -> Marking:
        try:
            return Marking(int(self.form.get("marking", "")))
        except ValueError:
            self.errors["marking"] = "Choose a marking"
            return Marking.OFFICIAL

    def uuid(self, name: str, *, missing: str) -> UUID | None:
        try:
            return UUID(self.form.get(name, ""))
        except ValueError:
            self.errors[name] = missing
            return None

    def date(self, name: str, *, past: bool, whole: bool = False) -> str | None:
        """A partial date as ISO text; `past` ones may not lie in the future, others not in the past."""
        try:
            given = partial_date(*(self.form.get(f"{name}-{part}", "") for part in ("day", "month", "year")))
            first = earliest_day(given) if given else None
        except BadPartialDate as wrong:
            self.errors[name] = str(wrong)
            return None
        today = clock.today()
        if first is not None and past and first > today:
            self.errors[name] = "The date must be today or in the past"
        elif first is not None and not past and first <= today:
            self.errors[name] = "The date must be in the future"
        elif given is not None and whole and len(given) != len("2026-03-14"):
            self.errors[name] = "The date must include a day, a month and a year"
        return given

    def done(self, code: str) -> None:
        if self.errors:
            raise Invalid(code, errors=self.errors)


def _title(read: Reader) -> str:
    title = " ".join(read.text("title", most=MAX_TITLE, missing="Write a short title").split())
    return title


def parse_case(form: Mapping[str, str]) -> CaseForm:
    """Raises `Invalid` with all that is wrong."""
    read = Reader(form)
    kind = read.code("kind", CaseKind, missing="Choose the type of case")
    title = _title(read)
    priority = read.code("priority", Priority, missing="Choose a priority")
    source = read.code("source", CaseSource, missing="Choose how the case came to you")
    marking = read.marking()
    summary = read.text("summary")
    reported_on = read.date("reported_on", past=True)
    officer = read.uuid("lead_officer_id", missing="Choose who leads the case")
    restricted = read.flag("restricted")
    why = read.text(
        "restricted_reason", most=2_000, missing="Write why it is restricted" if restricted else ""
    )
    read.done("bad_case")
    assert kind and priority and source  # noqa: S101 - what is missing was raised above
    return CaseForm(
        kind=kind,
        title=title,
        priority=priority,
        marking=marking,
        source=source,
        summary=summary,
        reported_on=reported_on,
        lead_officer_id=officer,
        restricted=restricted,
        restricted_reason=why if restricted else "",
        keep_title=read.flag("keep_title"),
    )


def parse_change(form: Mapping[str, str]) -> ChangeForm:
    """Raises `Invalid` with all that is wrong."""
    read = Reader(form)
    title = _title(read)
    priority = read.code("priority", Priority, missing="Choose a priority")
    risk = read.code("risk_level", RiskLevel, missing="Choose a risk level")
    marking = read.marking()
    summary = read.text("summary")
    officer = read.uuid("lead_officer_id", missing="Choose who leads the case")
    review = read.date("next_review_on", past=False, whole=True)
    reason = read.text("marking_reason", most=2_000)
    read.done("bad_change")
    assert priority and risk and officer  # noqa: S101 - what is missing was raised above
    return ChangeForm(
        title, priority, risk, marking, summary, officer, review, reason, read.flag("keep_title")
    )


def parse_revision(form: Mapping[str, str]) -> int:
    """The revision that the form was made from."""
    try:
        return int(form.get("revision", ""))
    except ValueError:
        raise Invalid(
            "bad_revision", "This form is incomplete. Go back, reload the page and send it again."
        ) from None


def parse_move(form: Mapping[str, str]) -> MoveForm:
    """Raises `Invalid` with all that is wrong with the fields; what a state needs is the action's to check."""
    read = Reader(form)
    to = read.code("to", CaseStatus, missing="Choose the new status")
    reason = read.text("reason")
    until = read.date("until", past=False, whole=True)
    closing = to is CaseStatus.CLOSURE_PENDING
    why = (
        read.code("closure_reason", ClosureReason, missing="Choose why the case is to be closed")
        if closing
        else None
    )
    outcome = read.code("outcome", CaseOutcome, missing="Choose the outcome") if closing else None
    told = (
        read.code("victim_told", VictimTold, missing="Choose whether the victim was told")
        if closing
        else None
    )
    read.done("bad_move")
    assert to  # noqa: S101 - what is missing was raised above
    return MoveForm(to, reason, last_second_of(until) if until else None, why, outcome, told)


def last_second_of(iso: str) -> datetime:
    """The last second of that day in London."""
    return datetime.combine(date.fromisoformat(iso), time(23, 59, 59), clock.LONDON)
