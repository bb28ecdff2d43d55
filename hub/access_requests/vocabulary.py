"""Requests for personal data (HANDBOOK 3.8): how soon, and how they end."""

from __future__ import annotations

import enum


class Urgency(enum.StrEnum):
    IMMEDIATE_RISK = "immediate_risk"
    WITHIN_24_HOURS = "24_hours"
    WITHIN_5_DAYS = "5_working_days"
    ROUTINE = "routine_20_working_days"


# without numbers: what the days were when a request was made stands in when it is due
URGENCY_LABELS = {
    Urgency.IMMEDIATE_RISK: "Someone is at immediate risk",
    Urgency.WITHIN_24_HOURS: "Within 24 hours",
    Urgency.WITHIN_5_DAYS: "Soon",
    Urgency.ROUTINE: "Routine",
}


class RequestState(enum.StrEnum):
    WAITING = "waiting"
    SUPPLIED = "supplied"
    PART = "part"
    REFUSED = "refused"
    NOT_HELD = "not_held"
    WITHDRAWN = "withdrawn"


STATE_LABELS = {
    RequestState.WAITING: "Waiting for an answer",
    RequestState.SUPPLIED: "Supplied",
    RequestState.PART: "Supplied in part",
    RequestState.REFUSED: "Refused",
    RequestState.NOT_HELD: "Not held",
    RequestState.WITHDRAWN: "Withdrawn",
}
