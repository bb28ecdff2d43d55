"""Declared interests behind both walls: one's own, and for supervisors those of their organisation's people."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from hub.access.guarded import own_or_supervised
from hub.access.policy import Rules, guard_class
from hub.access.sets import Expression, Terms
from hub.interests.models import DeclaredInterest


def _own(row: Any, terms: Terms) -> Expression:
    return sa.and_(row.user_id == terms.user_id, row.organisation_id == terms.organisation_id)


guard_class(DeclaredInterest, Rules(read=own_or_supervised, add=_own, change=own_or_supervised))
