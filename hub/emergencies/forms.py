"""Emergency access as it is typed, and its review: every mistake is told at once, beside its field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hub.core.errors import Invalid
from hub.core.text import clean
from hub.emergencies.vocabulary import LONGEST, USUAL, Outcome

MINUTE = timedelta(minutes=1)
LEAST_WORDS, MAX_REASON, MAX_NOTE = 20, 2_000, 2_000
_REFERENCE = re.compile(r"[A-Z0-9-]{4,20}")


@dataclass(frozen=True)
class EmergencyForm:
    """Which record, why now, and for how long."""

    reference: str
    reason: str
    minutes: int = int(USUAL / MINUTE)


@dataclass(frozen=True)
class ReviewForm:
    outcome: Outcome
    note: str


def parse_emergency(form: Mapping[str, Any]) -> EmergencyForm:
    """Raises `Invalid` with every error at once. Whether there is such a record is told by the act alone."""
    errors: dict[str, str] = {}
    reference = re.sub(r"\s+", "", clean(str(form.get("reference", "")))).upper()
    if not _REFERENCE.fullmatch(reference):
        errors["reference"] = "Enter the reference of the record, such as NBC-CS-7KQ4D2"
    reason = clean(str(form.get("reason", "")))
    if len(reason) < LEAST_WORDS:
        errors["reason"] = f"Write why this cannot wait, in {LEAST_WORDS} characters or more"
    elif len(reason) > MAX_REASON:
        errors["reason"] = f"The reason must be {MAX_REASON:,} characters or fewer"
    minutes, most = _minutes(str(form.get("minutes", ""))), int(LONGEST / MINUTE)
    if not 1 <= minutes <= most:
        errors["minutes"] = f"Enter a number of minutes from 1 to {most}"
    if errors:
        raise Invalid("bad_emergency", errors=errors)
    return EmergencyForm(reference, reason, minutes)


def _minutes(given: str) -> int:
    text = given.strip()
    return int(text) if re.fullmatch(r"[0-9]{1,4}", text, re.ASCII) else 0


def parse_review(form: Mapping[str, Any]) -> ReviewForm:
    """Raises `Invalid` with every error at once."""
    errors: dict[str, str] = {}
    outcome = str(form.get("outcome", ""))
    if outcome not in set(Outcome):
        errors["outcome"] = "Choose how the review ends"
    note = clean(str(form.get("note", "")))
    if not note:
        errors["note"] = "Write what you looked at and what you found"
    elif len(note) > MAX_NOTE:
        errors["note"] = f"The note must be {MAX_NOTE:,} characters or fewer"
    if errors:
        raise Invalid("bad_review", errors=errors)
    return ReviewForm(Outcome(outcome), note)
