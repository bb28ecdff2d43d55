"""How a role that was asked for has ended, and how each stands in words."""

from __future__ import annotations

import enum
from datetime import timedelta

# so long somebody may decide; and so long whoever was an administrator counts as one who could have
LASTS = timedelta(days=14)
SINCE = timedelta(days=7)
# so long what was decided stays on the list
SHOWN = timedelta(days=90)


class Outcome(enum.StrEnum):
    """What became of it. `alone`: there was no other administrator, so it acted at once."""

    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    ALONE = "alone"


class State(enum.StrEnum):
    """How it stands: it waits, it was decided, or nobody can decide it any more, and why."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    ALONE = "alone"
    EXPIRED = "expired"
    CLOSED = "closed"
    ASKER_GONE = "asker_gone"
    LAPSED = "lapsed"


STATE_LABELS = {
    State.WAITING: "Waiting",
    State.APPROVED: "Approved",
    State.REFUSED: "Refused",
    State.WITHDRAWN: "Withdrawn",
    State.ALONE: "Given by one",
    State.EXPIRED: "Ran out",
    State.CLOSED: "Lapsed",
    State.ASKER_GONE: "Lapsed",
    State.LAPSED: "Lapsed",
}
# why nobody can decide it
DEAD = {
    State.EXPIRED: "Nobody decided it in 14 days. It can be asked for again.",
    State.CLOSED: "The account of the person was closed before it was decided.",
    State.ASKER_GONE: "Whoever asked is not an administrator here any more. Another administrator can ask again.",
    State.LAPSED: "It could not be decided any more, and was asked for again.",
}
