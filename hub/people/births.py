"""Dates of birth: what may be entered, what two have in common, and the age they make."""

from __future__ import annotations

from datetime import date

from hub.core.partial_dates import BadPartialDate, earliest_day, latest_day

OLDEST = 120


def check_birth(text: str, today: date) -> None:
    """Not in the future, not over 120 years ago. Raises `BadPartialDate` with the sentence to show."""
    first = earliest_day(text)
    if first > today:
        raise BadPartialDate("The date of birth must be in the past")
    if latest_day(text).year < today.year - OLDEST:
        raise BadPartialDate(f"The date of birth must be less than {OLDEST} years ago")


def other_way_round(text: str) -> str | None:
    """Day and month exchanged (`2013-03-04` → `2013-04-03`); None where that is no other day."""
    if len(text) != 10:
        return None
    year, month, day = text.split("-")
    if int(day) > 12 or day == month:
        return None
    return f"{year}-{day}-{month}"


def agree(one: str, other: str) -> bool:
    """Neither says anything that the other denies: `2013-03` and `2013-03-14` agree."""
    return one.startswith(other) or other.startswith(one)


def age_words(text: str, today: date) -> str:
    """`Aged 13`, `Aged 12 or 13` where a part of the date is unknown."""
    youngest, oldest = _age(latest_day(text), today), _age(earliest_day(text), today)
    if oldest < 0:
        return ""
    youngest = max(youngest, 0)
    return f"Aged {oldest}" if youngest == oldest else f"Aged {youngest} or {oldest}"


def _age(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
