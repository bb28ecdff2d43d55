"""How the state of a share is told: the stored state and the clock together."""

from __future__ import annotations

import enum


class ShareState(enum.StrEnum):
    """What a reader is told. Only ACTIVE opens the record."""

    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REJECTED = "rejected"
    REVOKED = "revoked"
    EXPIRED = "expired"

    @property
    def over(self) -> bool:
        return self in (ShareState.REJECTED, ShareState.REVOKED, ShareState.EXPIRED)


STATE_LABELS = {
    ShareState.PENDING: "Waiting for an answer",
    ShareState.ACTIVE: "Sharing now",
    ShareState.SUSPENDED: "Stopped: no agreement in force",
    ShareState.REJECTED: "Refused",
    ShareState.REVOKED: "Ended early",
    ShareState.EXPIRED: "Ended",
}
