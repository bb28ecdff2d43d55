"""States of a hand-over."""

from __future__ import annotations

import enum


class HandOverState(enum.StrEnum):
    OFFERED = "offered"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


STATE_LABELS = {
    HandOverState.OFFERED: "Waiting for an answer",
    HandOverState.ACCEPTED: "Handed over",
    HandOverState.REFUSED: "Refused",
    HandOverState.WITHDRAWN: "Withdrawn",
}
