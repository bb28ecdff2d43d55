"""Days from which something is to hold: never before today, as London counts days, and not so far that the year is mistyped."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from hub.core import clock

LATEST_YEARS = 10
TOO_EARLY = "The date must be today or later"


def parse_coming_day(given: Mapping[str, Any], name: str, errors: dict[str, str]) -> date | None:
    """The day in a field. What is wrong with it is put into `errors`."""
    try:
        day = date.fromisoformat(str(given.get(name, "")).strip())
    except ValueError:
        errors[name] = "Enter a real date"
        return None
    if day < clock.today():
        errors[name] = TOO_EARLY
    elif day.year > clock.today().year + LATEST_YEARS:
        errors[name] = f"The date must be within the next {LATEST_YEARS} years"
    return day
