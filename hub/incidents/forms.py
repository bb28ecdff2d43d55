"""The form by which an incident is logged."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from hub.access.vocabulary import Marking
from hub.core import clock
from hub.core.errors import Invalid
from hub.core.partial_dates import BadPartialDate, earliest_day, latest_day, partial_date
from hub.core.text import MAX_TEXT, clean
from hub.incidents.vocabulary import IncidentKind, IncidentSource
from hub.places.forms import PlaceForm, has_place, parse_place

PLACE = "place-"
_TIME = re.compile(r"^(\d{1,2})(?:[:.](\d{2}))? ?(am|pm)?$")
WRONG_TIME = "Enter a time such as 9:30pm or 21:30, or leave it out"


@dataclass(frozen=True)
class IncidentForm:
    """What happened. Dates are ISO text of which a part may be missing; the time of day is `HH:MM`."""

    kind: IncidentKind
    description: str
    occurred_from: str
    occurred_to: str | None = None
    occurred_time: str | None = None
    source: IncidentSource = IncidentSource.PUBLIC_REPORT
    told_by: str = ""
    place: PlaceForm | None = None
    marking: Marking = Marking.OFFICIAL
    source_system: str | None = None
    source_reference: str | None = None
    outcome: str = ""


def parse_incident(form: Mapping[str, str]) -> IncidentForm:
    """All errors at once. Raises `Invalid`."""
    errors: dict[str, str] = {}
    kind, source = form.get("kind", ""), form.get("source", "")
    if kind not in set(IncidentKind):
        errors["kind"] = "Select what kind of thing happened"
    occurred_from, occurred_to, occurred_time = _when(form, errors)
    description = clean(form.get("description", ""))
    if not description:
        errors["description"] = "Enter what happened"
    elif len(description) > MAX_TEXT:
        errors["description"] = f"Enter {MAX_TEXT:,} characters or fewer"
    place = _place(form, errors)
    if source not in set(IncidentSource) or source == IncidentSource.IMPORTED:
        errors["source"] = "Select who told us"
    told_by = clean(form.get("told_by", ""))
    if len(told_by) > 500:
        errors["told_by"] = "Enter 500 characters or fewer"
    elif told_by and source == IncidentSource.ANONYMOUS:
        errors["told_by"] = "Leave this blank when the report is anonymous"
    marking = form.get("marking", "0") or "0"
    if marking not in ("0", "1"):
        errors["marking"] = "Select a marking"
    if errors:
        raise Invalid("bad_incident", errors=errors)
    return IncidentForm(
        kind=IncidentKind(kind),
        description=description,
        occurred_from=occurred_from or "",
        occurred_to=occurred_to,
        occurred_time=occurred_time,
        source=IncidentSource(source),
        told_by=told_by,
        place=place,
        marking=Marking(int(marking)),
    )


def check_when(
    occurred_from: str, occurred_to: str | None, occurred_time: str | None, today: date
) -> dict[str, str]:
    """Errors of field → sentence: not in the future, the end not before the start, a time only with a whole date."""
    errors: dict[str, str] = {}
    if earliest_day(occurred_from) > today:
        errors["occurred_from"] = "The date it happened must be today or in the past"
    if occurred_to and earliest_day(occurred_to) > today:
        errors["occurred_to"] = "The last date must be today or in the past"
    elif occurred_to and latest_day(occurred_to) < earliest_day(occurred_from):
        errors["occurred_to"] = "The last date must not be before the first"
    if occurred_time and len(occurred_from) != 10:
        errors["occurred_time"] = "Enter the whole date, or leave the time out"
    return errors


def parse_time(text: str) -> str | None:
    """`9:30pm`, `21.30` → `21:30`; None for blank. Raises `ValueError` with the sentence to show."""
    typed = " ".join(text.lower().split())
    if not typed:
        return None
    found = _TIME.match(typed)
    if not found or not (found.group(2) or found.group(3)):
        raise ValueError(WRONG_TIME)
    hour, minute, half = int(found.group(1)), int(found.group(2) or 0), found.group(3)
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(WRONG_TIME)
        hour = hour % 12 + (12 if half == "pm" else 0)
    if hour > 23 or minute > 59:
        raise ValueError(WRONG_TIME)
    return f"{hour:02d}:{minute:02d}"


def _when(form: Mapping[str, str], errors: dict[str, str]) -> tuple[str | None, str | None, str | None]:
    dates: dict[str, str | None] = {}
    for name in ("occurred_from", "occurred_to"):
        try:
            dates[name] = partial_date(*(form.get(f"{name}-{part}", "") for part in ("day", "month", "year")))
        except BadPartialDate as bad:
            errors[name] = str(bad)
    time = None
    try:
        time = parse_time(form.get("occurred_time", ""))
    except ValueError as bad_time:
        errors["occurred_time"] = str(bad_time)
    first, last = dates.get("occurred_from"), dates.get("occurred_to")
    if first:
        today = clock.today()
        for name, sentence in check_when(first, last, time, today).items():
            errors.setdefault(name, sentence)
    else:
        errors.setdefault("occurred_from", "Enter when it happened; the year alone is enough")
    return first, last, time


def _place(form: Mapping[str, str], errors: dict[str, str]) -> PlaceForm | None:
    if not has_place(form, prefix=PLACE):
        return None
    try:
        return parse_place(form, prefix=PLACE)
    except Invalid as invalid:
        errors.update(invalid.errors)
        return None
