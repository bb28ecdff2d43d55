"""What a share must be, whoever asks for it; and in what state one may be answered or ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_

from hub.access.actor import Actor
from hub.access.models import Grant
from hub.access.permissions import Permission
from hub.access.policy import Rules, change_record, guard_class, not_excluded
from hub.access.sets import Expression, Terms, my_live_grants, named
from hub.access.vocabulary import GrantState
from hub.core.errors import Conflict, Denied
from hub.settings.catalogue import SHARE_DAYS
from hub.settings.values import value_of
from hub.sharing.models import SharedFact
from hub.sharing.vocabulary import ShareState


def read_fact(fact: Any, terms: Terms) -> Expression:
    """The one fact of a minimum share: read by those who lead the record, and by the recipient while the share lives."""
    told = and_(
        named("fact_granted", fact.grant_id.in_(my_live_grants(terms))),
        named("fact_clearance", fact.marking <= terms.clearance),
        not_excluded(fact, fact.record_id, terms, "fact"),
    )
    return or_(told, change_record(fact, fact.record_id, terms))


guard_class(
    SharedFact,
    Rules(
        read=read_fact,
        add=lambda row, terms: change_record(row, row.record_id, terms),
        opened_by=("record_id",),
    ),
)

# when a page begins to say that a share ends
ENDS_SOON = timedelta(days=14)


def usual_length(actor: Actor) -> timedelta:
    """Offered when nobody says otherwise: long enough to work, short enough to be looked at again."""
    return timedelta(days=value_of(actor.partnership_id, SHARE_DAYS))


def state_of(grant: Grant, now: datetime, *, agreement_live: bool = True) -> ShareState:
    """The stored state and the clock, in the order in which they end access."""
    if grant.state == GrantState.REJECTED.value:
        return ShareState.REJECTED
    if grant.revoked_at is not None and grant.revoked_at <= now:
        return ShareState.REVOKED
    if grant.ends_at is not None and grant.ends_at <= now:
        return ShareState.EXPIRED
    if not agreement_live:
        return ShareState.SUSPENDED
    return ShareState.PENDING if grant.state == GrantState.PENDING.value else ShareState.ACTIVE


def is_recipient(actor: Actor, grant: Grant) -> bool:
    """Is the share made to this user, to the team in hand (co-located ones too), or to the whole organisation?"""
    if grant.to_team_id is not None:
        return grant.to_team_id == actor.team_id
    return grant.to_organisation_id == actor.organisation_id and grant.to_user_id in (None, actor.user_id)


def check_may_answer(actor: Actor, grant: Grant, now: datetime) -> None:
    """Who: the recipient. In what state: waiting, and not yet over. Raises `Denied` or `Conflict`."""
    if not is_recipient(actor, grant):
        raise Denied("not_recipient", "This was shared with somebody else, who must answer it.")
    if not grant.fact_only and not actor.may(Permission.CASE_READ):
        raise Denied("facts_only", "You are told single facts. Somebody who reads cases answers this.")
    _check_open(grant, now)
    if grant.state != GrantState.PENDING.value:
        raise Conflict("answered_already", "This share has been accepted already.")


def check_may_revoke(leads: bool, grant: Grant, now: datetime) -> None:
    """Who: whoever leads the record. In what state: not over yet. Raises `Denied` or `Conflict`."""
    if not leads:
        raise Denied("not_lead", "Only the team that leads this record can end a share of it.")
    _check_open(grant, now)


def check_may_change(leads: bool, grant: Grant, now: datetime, *, agreement_live: bool) -> None:
    """Who: whoever leads the record. In what state: waiting or live, on an agreement in force. `Denied` or `Conflict`."""
    if not leads:
        raise Denied("not_lead", "Only the team that leads this record can change a share of it.")
    _check_open(grant, now)
    if grant.fact_only:
        raise Conflict("one_fact", "This share tells one fact. End it, and share anew what is needed.")
    if not agreement_live:
        raise Conflict("no_agreement", "The agreement that this share stands on is not in force.")


def _check_open(grant: Grant, now: datetime) -> None:
    state = state_of(grant, now)
    if state is ShareState.REVOKED:
        raise Conflict("revoked_already", "This share has been ended already.")
    if state is ShareState.REJECTED:
        raise Conflict("rejected_already", "This share was refused already.")
    if state is ShareState.EXPIRED:
        raise Conflict("ended_already", "This share has reached its end already.")
