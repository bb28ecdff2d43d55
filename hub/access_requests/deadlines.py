"""Until when a request is to be answered (HANDBOOK 3.8). Working days are Monday to Friday; bank holidays count as such."""

from __future__ import annotations

from datetime import datetime, timedelta

from hub.access_requests.vocabulary import Urgency
from hub.core import clock

AT_ONCE = timedelta(hours=1)
ONE_DAY = timedelta(hours=24)
WORKING_DAYS = {Urgency.WITHIN_5_DAYS: 5, Urgency.ROUTINE: 20}
SATURDAY = 5


def due_at(urgency: Urgency, now: datetime) -> datetime:
    """The moment after which the request is late: the same time of day in London where days are counted."""
    if urgency is Urgency.IMMEDIATE_RISK:
        return now + AT_ONCE
    if urgency is Urgency.WITHIN_24_HOURS:
        return now + ONE_DAY
    day = now.astimezone(clock.LONDON)
    left = WORKING_DAYS[urgency]
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < SATURDAY
    return day
