"""Which months of a period lie in the log's archive only: whatever is read from the database leaves them out, and says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.extensions import db

_MONTHS = sa.text("""
    SELECT month FROM audit.archived_month
    WHERE (month + interval '1 month') AT TIME ZONE 'UTC' > coalesce(CAST(:since AS timestamptz), '-infinity')
        AND month::timestamp AT TIME ZONE 'UTC' < coalesce(CAST(:before AS timestamptz), 'infinity')
    ORDER BY month
""")


@dataclass(frozen=True)
class ArchivedMonths:
    """The first days of the months, in order."""

    months: Sequence[date]

    def __bool__(self) -> bool:
        return bool(self.months)

    @property
    def words(self) -> str:
        """'January 2024, March 2024 to June 2024'."""
        runs: list[list[date]] = []
        for month in self.months:
            if runs and _number(month) == _number(runs[-1][-1]) + 1:
                runs[-1].append(month)
            else:
                runs.append([month])
        return ", ".join(f"{run[0]:%B %Y}" + (f" to {run[-1]:%B %Y}" if len(run) > 1 else "") for run in runs)

    @property
    def first_code(self) -> str:
        """As the command takes it."""
        return f"{self.months[0]:%Y-%m}"


def find_archived_months(actor: Actor, since: datetime | None, before: datetime | None) -> ArchivedMonths:
    """Those that the period reaches into; None is without an end. Of the whole log: no number of any organisation is told."""
    actor.check_may(Permission.AUDIT_READ)
    return ArchivedMonths(db.session.execute(_MONTHS, {"since": since, "before": before}).scalars().all())


def _number(month: date) -> int:
    return month.year * 12 + month.month
