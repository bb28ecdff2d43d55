"""What this process last met when it wrote an event: the health page tells of a log that takes none."""

from __future__ import annotations

import time

import sqlalchemy as sa

# as long as nobody has tried again
REMEMBERED_SECONDS = 60.0
# no live session, or an event of a wrong shape: the fault is the caller's, not the log's
_CALLERS = frozenset({"28000", "22023", "22003"})
_failed_at: list[float] = []


def note_failure(error: sa.exc.SQLAlchemyError) -> None:
    if getattr(getattr(error, "orig", None), "sqlstate", None) not in _CALLERS:
        _failed_at[:] = [time.monotonic()]


def note_success() -> None:
    _failed_at.clear()


def is_refusing() -> bool:
    """Whether the last event of the last minute could not be written."""
    return any(time.monotonic() - moment < REMEMBERED_SECONDS for moment in _failed_at)
