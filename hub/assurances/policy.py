"""How an organisation's assurance stands, and when its lack blocks new users (FEATURES T64)."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.core.clock import LONDON
from hub.settings.catalogue import ASSURANCE_GRACE, ASSURANCE_WARNING
from hub.settings.values import Values

# no review holds longer
LONGEST = timedelta(days=366)


class Standing(enum.StrEnum):
    ACCEPTED = "accepted"
    ENDS_SOON = "ends_soon"
    LAPSED = "lapsed"
    NEW = "new"
    MISSING = "missing"

    @property
    def blocks(self) -> bool:
        return self in (Standing.LAPSED, Standing.MISSING)


STANDING_LABELS = {
    Standing.ACCEPTED: "Accepted",
    Standing.ENDS_SOON: "Accepted, ends soon",
    Standing.LAPSED: "Lapsed",
    Standing.NEW: "Not accepted yet",
    Standing.MISSING: "Missing",
}
STANDING_TONES = {
    Standing.ACCEPTED: "green",
    Standing.ENDS_SOON: "yellow",
    Standing.LAPSED: "red",
    Standing.NEW: "grey",
    Standing.MISSING: "red",
}


@dataclass(frozen=True)
class Position:
    """What decides how an organisation stands: since when it is here, and until when its answers are accepted."""

    since: datetime
    accepted_until: datetime | None

    def standing(self, now: datetime, values: Values) -> Standing:
        """As the values of a partnership have it."""
        if self.accepted_until is None:
            grace = timedelta(days=values[ASSURANCE_GRACE])
            return Standing.NEW if now < self.since + grace else Standing.MISSING
        if self.accepted_until <= now:
            return Standing.LAPSED
        warned = now + timedelta(days=values[ASSURANCE_WARNING])
        return Standing.ENDS_SOON if self.accepted_until <= warned else Standing.ACCEPTED


def longest_until(now: datetime) -> datetime:
    """The midnight after the last day until which answers may be accepted now: a year from today."""
    today = now.astimezone(LONDON).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + LONGEST + timedelta(days=1)
