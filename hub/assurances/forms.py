"""The forms of an assurance: the answered questionnaire, and a partner's review."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.assurances.policy import longest_until
from hub.assurances.questions import questionnaire
from hub.assurances.vocabulary import Answer, AssuranceState
from hub.core import clock
from hub.core.errors import Invalid
from hub.core.partial_dates import BadPartialDate, earliest_day, partial_date
from hub.core.text import clean

MAX_EVIDENCE = 2_000
MAX_NOTE = 2_000


@dataclass(frozen=True)
class AnswersForm:
    """Question code → answer and evidence, for every question of that version."""

    version: int
    answers: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class ReviewForm:
    outcome: AssuranceState
    note: str
    # the midnight after the last day
    until: datetime | None


def parse_answers(given: Mapping[str, str]) -> AnswersForm:
    """Every question needs an answer, and evidence where it is yes or partly. Raises `Invalid` with all that is wrong."""
    errors: dict[str, str] = {}
    answers: dict[str, dict[str, str]] = {}
    asked = questionnaire()
    for number, question in enumerate(asked.questions, 1):
        answer, evidence = given.get(question.code, ""), clean(given.get(f"{question.code}-evidence", ""))
        if answer not in set(Answer):
            errors[question.code] = f"Question {number}: choose an answer"
        elif answer in (Answer.YES, Answer.PARTLY) and not evidence:
            errors[f"{question.code}-evidence"] = f"Question {number}: enter the evidence"
        if len(evidence) > MAX_EVIDENCE:
            errors[f"{question.code}-evidence"] = (
                f"Question {number}: enter {MAX_EVIDENCE:,} characters or fewer"
            )
        answers[question.code] = {"answer": answer, "evidence": evidence}
    if errors:
        raise Invalid("bad_answers", errors=errors)
    return AnswersForm(asked.version, answers)


def parse_review(given: Mapping[str, str]) -> ReviewForm:
    """Accepted until a day within a year, or returned with a reason. Raises `Invalid`."""
    errors: dict[str, str] = {}
    outcome, note, until = given.get("outcome", ""), clean(given.get("note", "")), None
    if outcome not in (AssuranceState.ACCEPTED, AssuranceState.RETURNED):
        errors["outcome"] = "Choose whether you accept the answers or return them"
    if outcome == AssuranceState.RETURNED and not note:
        errors["note"] = "Enter what is missing"
    if len(note) > MAX_NOTE:
        errors["note"] = f"Enter {MAX_NOTE:,} characters or fewer"
    if outcome == AssuranceState.ACCEPTED:
        try:
            until = _until(given)
        except BadPartialDate as bad:
            errors["until"] = str(bad)
    if errors:
        raise Invalid("bad_review", errors=errors)
    return ReviewForm(AssuranceState(outcome), note, until)


def _until(given: Mapping[str, str]) -> datetime:
    text = partial_date(*(given.get(f"until-{part}", "") for part in ("day", "month", "year"))) or ""
    if len(text) != len("2026-11-21"):
        raise BadPartialDate("Enter the last day on which the answers hold")
    day = earliest_day(text)
    until = datetime(day.year, day.month, day.day, tzinfo=clock.LONDON) + timedelta(days=1)
    now = clock.now()
    if until <= now:
        raise BadPartialDate("The last day must be today or later")
    if until > longest_until(now):
        raise BadPartialDate("The last day must be within a year from today")
    return until
