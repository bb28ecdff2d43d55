"""What a share must be, whoever asks for it; and in what state one may be answered or ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from hub.access.actor import Actor
from hub.access.models import Grant
from hub.access.vocabulary import GrantState
from hub.core.errors import Conflict, Denied
from hub.sharing.vocabulary import ShareState

# offered when nobody says otherwise: long enough to work, short enough to be looked at again
USUAL_LENGTH = timedelta(days=90)
# when a page begins to say that a share ends
ENDS_SOON = timedelta(days=14)


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
    """Is the share made to this user, to the team in hand, or to the whole organisation?"""
    return (
        grant.to_organisation_id == actor.organisation_id
        and grant.to_team_id in (None, actor.team_id)
        and grant.to_user_id in (None, actor.user_id)
    )


def check_may_answer(actor: Actor, grant: Grant, now: datetime) -> None:
    """Who: the recipient. In what state: waiting, and not yet over. Raises `Denied` or `Conflict`."""
    if not is_recipient(actor, grant):
        raise Denied("not_recipient", "This was shared with somebody else, who must answer it.")
    _check_open(grant, now)
    if grant.state != GrantState.PENDING.value:
        raise Conflict("answered_already", "This share has been accepted already.")


def check_may_revoke(leads: bool, grant: Grant, now: datetime) -> None:
    """Who: whoever leads the record. In what state: not over yet. Raises `Denied` or `Conflict`."""
    if not leads:
        raise Denied("not_lead", "Only the team that leads this record can end a share of it.")
    _check_open(grant, now)


def _check_open(grant: Grant, now: datetime) -> None:
    state = state_of(grant, now)
    if state is ShareState.REVOKED:
        raise Conflict("revoked_already", "This share has been ended already.")
    if state is ShareState.REJECTED:
        raise Conflict("rejected_already", "This share was refused already.")
    if state is ShareState.EXPIRED:
        raise Conflict("ended_already", "This share has reached its end already.")


def same_recipient(grant: Grant, organisation_id: UUID, team_id: UUID | None, user_id: UUID | None) -> bool:
    return (grant.to_organisation_id, grant.to_team_id, grant.to_user_id) == (
        organisation_id,
        team_id,
        user_id,
    )
