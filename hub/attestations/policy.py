"""Where a line of the access list stands, until when a list is to be confirmed, and who may confirm whom."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta

import sqlalchemy as sa

from hub.accounts.models import User
from hub.attestations.models import AttestationLine
from hub.core.clock import LONDON
from hub.settings.catalogue import ATTESTATION_DAYS

# a list that is made late in the month is not due before so many days, unless the partnership says otherwise
AT_LEAST = ATTESTATION_DAYS.default


class LineState(enum.StrEnum):
    CONFIRMED = "confirmed"
    WAITING = "waiting"
    SUSPENDED = "suspended"
    CLOSED = "closed"


LINE_STATE_LABELS = {
    LineState.CONFIRMED: "Still needs it",
    LineState.WAITING: "Not confirmed yet",
    LineState.SUSPENDED: "Suspended",
    LineState.CLOSED: "Account closed",
}


def line_state() -> sa.ColumnElement[str]:
    """The state of a line, joined with its user, as the database reads it."""
    return sa.case(
        (AttestationLine.suspended_at.is_not(None), LineState.SUSPENDED.value),
        (User.disabled_at.is_not(None), LineState.CLOSED.value),
        (AttestationLine.confirmed_at.is_not(None), LineState.CONFIRMED.value),
        else_=LineState.WAITING.value,
    )


def month_of(now: datetime) -> str:
    return now.astimezone(LONDON).strftime("%Y-%m")


def due_of(now: datetime, at_least: int = AT_LEAST) -> datetime:
    """The midnight after the last day of the month, or after so many days from now."""
    today = now.astimezone(LONDON)
    first = today.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    next_month = (first + timedelta(days=32)).replace(day=1)
    later = (today + timedelta(days=at_least + 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return max(next_month, later)
