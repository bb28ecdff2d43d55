"""Who may read a place: whoever may read an involvement that names it. Its own organisation enters it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from hub.access.policy import Rules, guard_class, named_by
from hub.access.sets import Terms
from hub.places.models import Place


def _read(row: Any, terms: Terms) -> sa.ColumnElement[bool]:
    return named_by(row.id, "place_id", terms)


def _add(row: Any, terms: Terms) -> sa.ColumnElement[bool]:
    return row.organisation_id == terms.organisation_id  # type: ignore[no-any-return]


guard_class(Place, Rules(read=_read, add=_add, opened_by=()))
