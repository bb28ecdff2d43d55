"""The access tables that stand behind the walls themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from hub.access.models import Emergency, Exclusion, Grant, Involvement, Record, RecordTeam
from hub.access.policy import Rules, change_record, guard_class, item_rules, read_grant, record_rules
from hub.access.sets import Terms
from hub.access.vocabulary import Audience

guard_class(Record, record_rules())
guard_class(
    Involvement,
    replace(
        item_rules(names_person=True, changeable=True),
        opened_by=("record_id", "person_id", "place_id", "vehicle_id"),
    ),
)
guard_class(
    Grant,
    Rules(
        read=read_grant,
        add=lambda row, terms: change_record(row, row.record_id, terms),
        # the lead ends it, the recipient answers it
        change=read_grant,
    ),
)


def _own_row(row: Any, terms: Terms) -> sa.ColumnElement[bool]:
    return row.user_id == terms.user_id  # type: ignore[no-any-return]


def _own_row_of_own_organisation(row: Any, terms: Terms) -> sa.ColumnElement[bool]:
    return sa.and_(row.user_id == terms.user_id, row.organisation_id == terms.organisation_id)


def _by_lead_team(row: Any, terms: Terms) -> sa.ColumnElement[bool]:
    return sa.and_(row.partnership_id == terms.partnership_id, row.lead_team_id == terms.team_id)


def _own_or_by_lead_team(row: Any, terms: Terms) -> sa.ColumnElement[bool]:
    return sa.or_(_own_row(row, terms), _by_lead_team(row, terms))


def own_or_supervised(row: Any, terms: Terms) -> sa.ColumnElement[bool]:
    """One's own row, or for a supervisor that of a colleague: what is confidential between the two."""
    supervises = sa.literal(Audience.SUPERVISOR_ONLY.value) == sa.any_(terms.audiences)
    return sa.or_(_own_row(row, terms), sa.and_(row.organisation_id == terms.organisation_id, supervises))


def _told_of_emergency(row: Any, terms: Terms) -> sa.ColumnElement[bool]:
    """Whoever opened it, and the two organisations that review it: the reason is sealed, the rest is ids and times."""
    ours = sa.or_(
        row.organisation_id == terms.organisation_id, row.owner_organisation_id == terms.organisation_id
    )
    return sa.or_(_own_row(row, terms), ours)


# These three are read by the policies of others: their own must read no table at all, or policies would recurse.
guard_class(RecordTeam, Rules(read=_own_or_by_lead_team, add=_by_lead_team))
guard_class(
    Exclusion, Rules(read=own_or_supervised, add=_own_row_of_own_organisation, change=own_or_supervised)
)
guard_class(
    Emergency,
    Rules(read=_told_of_emergency, add=_own_row_of_own_organisation, change=_told_of_emergency),
)
