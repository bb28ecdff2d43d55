"""The one clock of the application: aware, in UTC. (Event times are the database's own, never this one.)"""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def now() -> datetime:
    return datetime.now(UTC)


def today() -> date:
    """The day that it is in London."""
    return now().astimezone(LONDON).date()
