"""Dates of which a part may be unknown, kept as ISO 8601 text of reduced precision: `2026`, `2026-03`, `2026-03-14`."""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime, time, timedelta

from hub.core import clock

PATTERN = re.compile(r"^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$")
EARLIEST_YEAR = 1900


class BadPartialDate(ValueError):
    """The parts make no date. The text is a sentence for the person who typed it."""


def partial_date(day: str, month: str, year: str) -> str | None:
    """Parts as typed → ISO text; None where all are blank. A day needs its month, a month its year."""
    day, month, year = day.strip(), month.strip(), year.strip()
    if not (day or month or year):
        return None
    if not year:
        raise BadPartialDate("The date must include a year")
    if day and not month:
        raise BadPartialDate("The date must include a month when it has a day")
    if not all(part.isascii() and part.isdigit() for part in (day, month, year) if part):
        raise BadPartialDate("The date must be in numbers, for example 14 3 2026")
    if len(year) != 4 or int(year) < EARLIEST_YEAR:
        raise BadPartialDate(f"The year must have 4 numbers and be {EARLIEST_YEAR} or later")
    if month and not 1 <= int(month) <= 12:
        raise BadPartialDate("The month must be between 1 and 12")
    if day and not 1 <= int(day) <= calendar.monthrange(int(year), int(month))[1]:
        raise BadPartialDate("There is no such day in that month")
    parts = [year, *(f"{int(part):02d}" for part in (month, day) if part)]
    return "-".join(parts)


def earliest_day(text: str) -> date:
    """The first day that the partial date may mean. Raises `BadPartialDate`."""
    found = PATTERN.match(text)
    if not found:
        raise BadPartialDate(f"not a partial date: {text!r}")
    year, month, day = (int(part) if part else 1 for part in found.groups())
    try:
        return date(year, month, day)
    except ValueError as error:
        raise BadPartialDate(f"not a date: {text!r}") from error


def latest_day(text: str) -> date:
    """The last day that the partial date may mean. Raises `BadPartialDate`."""
    first = earliest_day(text)
    if len(text) == 4:
        return date(first.year, 12, 31)
    if len(text) == 7:
        return date(first.year, first.month, calendar.monthrange(first.year, first.month)[1])
    return first


def start_of_day(text: str) -> datetime:
    """The midnight in London at which an ISO day begins."""
    return datetime.combine(earliest_day(text), time(), clock.LONDON)


def end_of_day(text: str) -> datetime:
    """The midnight in London at which an ISO day ends: what ends then holds for the whole of that day."""
    try:
        return datetime.combine(earliest_day(text) + timedelta(days=1), time(), clock.LONDON)
    except OverflowError as error:
        raise BadPartialDate("That day is too far away") from error
