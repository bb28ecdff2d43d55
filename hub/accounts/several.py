"""What holds for an organisation: it sits in each partnership in which it has a team, and they may have set different things."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

import sqlalchemy as sa

from hub.accounts.models import Team
from hub.extensions import db
from hub.settings.values import Values, values_in


def values_by_organisation(organisation_id: UUID | None = None) -> dict[UUID, list[Values]]:
    """What each of its partnerships has in force, for one organisation or for all; organisations without a team are left out."""
    statement = sa.select(Team.organisation_id, Team.partnership_id).distinct()
    if organisation_id is not None:
        statement = statement.where(Team.organisation_id == organisation_id)
    seats = db.session.execute(statement).all()
    values = values_in({one.partnership_id for one in seats})
    found: dict[UUID, list[Values]] = defaultdict(list)
    for one in seats:
        found[one.organisation_id].append(values[one.partnership_id])
    return dict(found)
