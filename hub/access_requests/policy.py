"""Requests behind both walls: the asking team reads its own, and those who lead what is asked for read and answer them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from hub.access.policy import Rules, change_record, guard_class
from hub.access.sets import Expression, Terms, actor_set, core
from hub.access_requests.models import AccessRequest, SoughtRecord


def _by_lead(row: Any, terms: Terms) -> Expression:
    return change_record(row, row.record_id, terms)


def _my_answerable(terms: Terms) -> sa.Select[Any]:
    sought = core(SoughtRecord)
    return sa.select(sought.c.access_request_id).where(_by_lead(sought.c, terms))


my_answerable_requests = actor_set("my_answerable_request", (("request_id", "uuid"),), _my_answerable)


def _asked(row: Any, terms: Terms) -> Expression:
    return sa.and_(row.from_organisation_id == terms.organisation_id, row.from_team_id == terms.team_id)


def _read(row: Any, terms: Terms) -> Expression:
    return sa.or_(_asked(row, terms), row.id.in_(my_answerable_requests(terms)))


def _ask(row: Any, terms: Terms) -> Expression:
    return sa.and_(_asked(row, terms), row.requested_by == terms.user_id)


guard_class(AccessRequest, Rules(read=_read, add=_ask, change=_read))
# put there by the database's own function, which looks past the walls for the asker
guard_class(SoughtRecord, Rules(read=_by_lead))
