"""How long emergency access may last, and how its review ends."""

from __future__ import annotations

import enum
from datetime import timedelta

USUAL, LONGEST = timedelta(hours=1), timedelta(hours=4)


class Outcome(enum.StrEnum):
    """Review states of HANDBOOK 12.3 that end a review."""

    EXPLAINED = "explained"
    CONCERN = "concern"
    REFERRED = "referred_to_PSD_or_HR"
    NO_ACTION = "no_action"


OUTCOME_LABELS = {
    Outcome.EXPLAINED: "Explained: it was needed",
    Outcome.NO_ACTION: "No action",
    Outcome.CONCERN: "Concern: to be followed up",
    Outcome.REFERRED: "Referred to professional standards or HR",
}
