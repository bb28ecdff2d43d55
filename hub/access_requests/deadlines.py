"""Until when a request is to be answered (HANDBOOK 3.8). Working days are Monday to Friday; bank holidays count as such."""

from __future__ import annotations

from datetime import datetime, timedelta

from hub.access_requests.vocabulary import Urgency
from hub.core import clock
from hub.settings.catalogue import REQUEST_ROUTINE_DAYS, REQUEST_SOON_DAYS, REQUEST_URGENT_HOURS
from hub.settings.values import Values

ONE_DAY = timedelta(hours=24)
WORKING_DAYS = {Urgency.WITHIN_5_DAYS: REQUEST_SOON_DAYS, Urgency.ROUTINE: REQUEST_ROUTINE_DAYS}
SATURDAY = 5


def due_at(urgency: Urgency, now: datetime, values: Values) -> datetime:
    """The moment after which the request is late: the same time of day in London where days are counted."""
    if urgency is Urgency.IMMEDIATE_RISK:
        return now + timedelta(hours=values[REQUEST_URGENT_HOURS])
    if urgency is Urgency.WITHIN_24_HOURS:
        return now + ONE_DAY
    day = now.astimezone(clock.LONDON)
    left = values[WORKING_DAYS[urgency]]
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < SATURDAY
    return day


def offered(values: Values) -> list[tuple[str, str, str]]:
    """Each urgency for a form: its code, its words, and what it means for whoever is asked."""
    hours, soon, routine = (
        values[one] for one in (REQUEST_URGENT_HOURS, REQUEST_SOON_DAYS, REQUEST_ROUTINE_DAYS)
    )
    at_once = REQUEST_URGENT_HOURS.kind.words(hours)
    return [
        (
            Urgency.IMMEDIATE_RISK.value,
            "Someone is at immediate risk",
            f"Due within {at_once}. Call them too. Where life is in danger, call 999.",
        ),
        (Urgency.WITHIN_24_HOURS.value, "Within 24 hours", "Due at this time tomorrow, weekends too."),
        (
            Urgency.WITHIN_5_DAYS.value,
            f"Within {soon} working days",
            f"Due after {soon} days from Monday to Friday.",
        ),
        (
            Urgency.ROUTINE.value,
            f"Routine: within {routine} working days",
            f"Due after {routine} days from Monday to Friday.",
        ),
    ]
