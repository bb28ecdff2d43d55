"""What auditors and users write in reviews: every mistake is told at once, beside its field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from hub.audit.catalogue import EVENTS, Category
from hub.core import clock
from hub.core.clock import LONDON
from hub.core.errors import Invalid
from hub.core.text import clean
from hub.reviews.rules import Rule
from hub.reviews.vocabulary import MOST_SAMPLED, Decision, Verdict

MAX_NOTE = 2_000
# events are written until the moment that they are read: what is drawn from has ended
SETTLED = timedelta(minutes=1)
Value = TypeVar("Value", Decision, Verdict)


@dataclass(frozen=True)
class ReviewForm:
    decision: Decision
    note: str
    revision: int


@dataclass(frozen=True)
class VerdictForm:
    verdict: Verdict
    note: str


@dataclass(frozen=True)
class ThresholdForm:
    """`newest` is the setting that the page was made from, if there was any."""

    threshold: int
    valid_from: date
    newest: UUID | None


@dataclass(frozen=True)
class SampleForm:
    """The days are whole ones in London; where the last is today, it is as much of it as has passed."""

    since: datetime
    before: datetime
    size: int
    category: Category | None
    act: str | None


def parse_review(form: Mapping[str, Any]) -> ReviewForm:
    """Raises `Invalid` with every error at once."""
    errors: dict[str, str] = {}
    decision = _chosen(form, "decision", Decision, "Choose how the review ends", errors)
    note = _text(form, "note", "Write what you looked at and what you found", errors)
    if errors or decision is None:
        raise Invalid("bad_review", errors=errors)
    revision = str(form.get("revision", ""))
    return ReviewForm(decision, note, int(revision) if revision.isdecimal() and len(revision) < 10 else 0)


def parse_verdict(form: Mapping[str, Any]) -> VerdictForm:
    """Raises `Invalid` with every error at once."""
    errors: dict[str, str] = {}
    verdict = _chosen(form, "verdict", Verdict, "Choose whether you accept the answer", errors)
    note = _text(form, "note", "Write why you accept it or not", errors)
    if errors or verdict is None:
        raise Invalid("bad_verdict", errors=errors)
    return VerdictForm(verdict, note)


def parse_answer(form: Mapping[str, Any]) -> str:
    """Why the user looked. `Invalid` for none, and for too long a one."""
    errors: dict[str, str] = {}
    answer = _text(form, "answer", "Write why you looked", errors)
    if errors:
        raise Invalid("bad_answer", errors=errors)
    return answer


def parse_threshold(form: Mapping[str, Any], rule: Rule) -> ThresholdForm:
    """Within the bounds of its rule, from today or later. Raises `Invalid` with every error at once."""
    errors: dict[str, str] = {}
    text = str(form.get("threshold", "")).strip()
    number = int(text) if text.isdecimal() and text.isascii() and len(text) < 6 else 0
    if not rule.lowest <= number <= rule.highest:
        errors["threshold"] = f"Enter a number from {rule.lowest} to {rule.highest}"
    day = _day(form, "valid_from", errors)
    if day and day < clock.today():
        errors["valid_from"] = "It must be today or later: what has been judged stays as it is"
    if errors or day is None:
        raise Invalid("bad_threshold", errors=errors)
    try:
        newest = UUID(str(form.get("newest", "")))
    except ValueError:
        newest = None
    return ThresholdForm(number, day, newest)


def parse_titles_reason(form: Mapping[str, Any]) -> str:
    """Why the report shows job titles. `Invalid` for none."""
    errors: dict[str, str] = {}
    reason = _text(form, "reason", "Write why job titles are shown", errors)
    if errors:
        raise Invalid("no_reason", errors=errors)
    return reason


def parse_sample(form: Mapping[str, Any]) -> SampleForm:
    """Raises `Invalid` with every error at once."""
    errors: dict[str, str] = {}
    first, last = _day(form, "from", errors), _day(form, "to", errors)
    now = clock.now()
    if first and last and last < first:
        errors["to"] = "The last day must be the first day or later"
    elif first and first > now.astimezone(LONDON).date():
        errors["from"] = "The first day must be today or earlier"
    size = str(form.get("size", "")).strip()
    number = int(size) if size.isdecimal() and len(size) < 4 else 0
    if not 1 <= number <= MOST_SAMPLED:
        errors["size"] = f"Enter a number from 1 to {MOST_SAMPLED}"
    category = str(form.get("category", ""))
    if category and category not in set(Category):
        errors["category"] = "Choose from the list"
    act = str(form.get("act", ""))
    if act and act not in EVENTS:
        errors["act"] = "Choose from the list"
    if errors or first is None or last is None:
        raise Invalid("bad_sample", errors=errors)
    since, before = _midnight(first), min(_midnight(last + timedelta(days=1)), now - SETTLED)
    if before <= since:
        raise Invalid("bad_sample", errors={"from": "This day has only just begun: choose an earlier one"})
    return SampleForm(
        since=since,
        before=before,
        size=number,
        category=Category(category) if category else None,
        act=act or None,
    )


def _chosen(
    form: Mapping[str, Any], name: str, known: type[Value], missing: str, errors: dict[str, str]
) -> Value | None:
    given = str(form.get(name, ""))
    if given not in {one.value for one in known}:
        errors[name] = missing
        return None
    return known(given)


def _text(form: Mapping[str, Any], name: str, missing: str, errors: dict[str, str]) -> str:
    text = clean(str(form.get(name, "")))
    if not text:
        errors[name] = missing
    elif len(text) > MAX_NOTE:
        errors[name] = f"It must be {MAX_NOTE:,} characters or fewer"
    return text


def _day(form: Mapping[str, Any], name: str, errors: dict[str, str]) -> date | None:
    try:
        day = date.fromisoformat(str(form.get(name, "")).strip())
    except ValueError:
        day = date.min
    if not 2000 <= day.year <= 2999:
        errors[name] = "Enter a day such as 2026-11-21"
        return None
    return day


def _midnight(day: date) -> datetime:
    """The beginning of a day in London."""
    return datetime(day.year, day.month, day.day, tzinfo=LONDON)
