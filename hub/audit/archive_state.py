"""How far the log's second place is behind: for the health page and for `hub archive status`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

_LAG = sa.text("SELECT waiting, oldest, copied_at FROM audit.archive_lag()")


@dataclass(frozen=True)
class Lag:
    """`waiting` events are not in the archive, the oldest since then; None where nothing waits, or was ever copied."""

    waiting: int
    oldest: datetime | None
    copied_at: datetime | None

    def seconds(self, now: datetime) -> float:
        """The age of the oldest event that has no copy."""
        return max(0.0, (now - self.oldest).total_seconds()) if self.oldest else 0.0


def archive_lag(connection: sa.Connection) -> Lag:
    """As any role of the service. Meaningful only where HUB_ARCHIVE_BUCKET is set."""
    return Lag(*connection.execute(_LAG).one())
