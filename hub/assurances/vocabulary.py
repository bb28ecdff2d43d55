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
