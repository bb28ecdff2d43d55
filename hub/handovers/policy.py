"""Hand-overs behind both walls: read by those who lead the record, by the team that offered it and by the one it is offered to."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from hub.access.policy import Rules, change_record, guard_class, not_excluded
from hub.access.sets import Expression, Terms
from hub.handovers.models import HandOver


def _read(row: Any, terms: Terms) -> Expression:
    sides = sa.or_(row.to_team_id == terms.team_id, row.from_team_id == terms.team_id)
    side = sa.and_(
        sides, row.marking <= terms.clearance, not_excluded(row, row.record_id, terms, "hand_over")
    )
    return sa.or_(side, change_record(row, row.record_id, terms))


guard_class(
    HandOver,
    Rules(read=_read, add=lambda row, terms: change_record(row, row.record_id, terms), change=_read),
)
