"""States of a partner's assurance (FEATURES T64)."""

from __future__ import annotations

import enum


class AssuranceState(enum.StrEnum):
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    RETURNED = "returned"


STATE_LABELS = {
    AssuranceState.SUBMITTED: "Waiting for review",
    AssuranceState.ACCEPTED: "Accepted",
    AssuranceState.RETURNED: "Returned with a reason",
}


class Answer(enum.StrEnum):
    YES = "yes"
    PARTLY = "partly"
    NO = "no"
    NOT_APPLICABLE = "not_applicable"


ANSWER_LABELS = {
    Answer.YES: "Yes",
    Answer.PARTLY: "Partly",
    Answer.NO: "No",
    Answer.NOT_APPLICABLE: "Does not apply",
}
