"""Shortens the way of a list for readers who may read few: a hint to the planner, never a right."""

from __future__ import annotations

import functools
import time
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.access.actor import Actor
from hub.access.vocabulary import RecordKind

FEW = 1000
# for so long a team that may read many is not counted again
REMEMBERED_SECONDS = 300.0
_many: dict[tuple[UUID, UUID, RecordKind], float] = {}


def among_candidates(
    actor: Actor, record_id: Any, kind: RecordKind, *, session: Session
) -> list[sa.ColumnElement[bool]]:
    """A condition for a list's first statement, or none where the reader may read many.

    In its own order a list is read until a page is full: soon for whoever reads a tenth of all, never for whoever reads
    none. The candidates are all that the rule could open (`4_lists.sql`); both walls still decide.
    """
    reader = (actor.organisation_id, actor.team_id, kind)
    if _many.get(reader, 0.0) > time.monotonic():
        return []
    if (session.scalar(_counted(kind)) or 0) > FEW:
        _many[reader] = time.monotonic() + REMEMBERED_SECONDS
        return []
    # as an array, so that the planner can't choose the list's order after all
    return [record_id == sa.any_(sa.func.array(_candidates(kind).scalar_subquery()))]


@functools.cache
def _candidates(kind: RecordKind) -> sa.Select[Any]:
    return sa.select(sa.func.find_list_candidates(kind.value, FEW + 1).column_valued("candidate"))


@functools.cache
def _counted(kind: RecordKind) -> sa.Select[int]:
    return sa.select(sa.func.count()).select_from(_candidates(kind).subquery())
