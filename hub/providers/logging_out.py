"""Signing out at both ends: the hub sends the browser on to the provider, and the provider tells the hub (back-channel).

The ID token of the sign-in is not kept only to hint at it later: the provider is told the client, and knows its own session by
its own cookie. Some ask the user once more for that; less is lost than by keeping tokens about people for hours.
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

import sqlalchemy as sa

from hub.access.guard import enter
from hub.accounts import sessions
from hub.accounts.ending import EndedWhy
from hub.accounts.models import UserSession
from hub.audit.recording import append
from hub.extensions import db
from hub.providers import flow
from hub.providers.fetching import Unreachable
from hub.providers.finding import find_by_issuer, find_identity, find_live
from hub.providers.models import IdentityProvider
from hub.providers.tokens import LOGOUT_LASTS, BadToken, LoggedOut, issuer_named_by, read_logout_token
from hub.providers.vocabulary import Why
from hub.web.counting import count
from hub.web.gate import request_facts
from hub.web.identity import Visit

# a token is remembered for longer than it could be taken for fresh
REMEMBERED = 2 * LOGOUT_LASTS + timedelta(minutes=1)


def onward(visit: Visit) -> str | None:
    """Where the browser goes to end the provider's session too; None where the provider offers no such place."""
    provider = find_live(visit.provider_id)
    if provider is None:
        return None
    db.session.commit()
    try:
        end = flow.metadata_of(provider).end_session_endpoint
    except Unreachable:
        return None
    if end is None:
        return None
    asked = urlencode(
        {
            "client_id": provider.client_id,
            "post_logout_redirect_uri": flow.address_to(flow.AFTERWARDS),
        }
    )
    return f"{end}{'&' if '?' in end else '?'}{asked}"


def end_as_told(raw: object) -> int:
    """Ends the sessions that a provider's logout token is about; how many. `BadToken` for any other token. Commits."""
    provider = find_by_issuer(issuer_named_by(raw))
    db.session.commit()
    if provider is None:
        raise BadToken(Why.ISSUER)
    told = read_logout_token(raw, flow.pinned_of(provider))
    seen = count(f"logout:{provider.id}:{told.token_id}", REMEMBERED).tries
    db.session.commit()
    if seen > 1:
        raise BadToken(Why.LOGOUT)
    which = _which(provider, told)
    found = db.session.scalars(
        sa.select(UserSession.id).where(
            UserSession.provider_id == provider.id, UserSession.ended_at.is_(None), which
        )
    ).all()
    for session_id in found:
        _end(session_id)
    return len(found)


def _end(session_id: UUID) -> None:
    """Dead for the browser first, then written down in the session's own name, then ended. Commits."""
    token = sessions.take_over(session_id)
    db.session.commit()
    visit = sessions.identify(token, request_facts(), False)
    # one that has run out writes no event, and one whose user is closed has had its own
    if visit is not None and visit.actor is not None:
        enter(db.session(), visit.actor)
        why = {"why": EndedWhy.PROVIDER.value}
        append(visit.actor, "session.revoked", object_id=visit.user_id, counted=1, facts=why)
    sessions.end(session_id)
    db.session.commit()


def _which(provider: IdentityProvider, told: LoggedOut) -> sa.ColumnElement[bool]:
    """The session that is named; of a user who is named, also those of which the provider never said what it calls them."""
    which: sa.ColumnElement[bool] = sa.false()
    found = find_identity(provider.id, told.subject) if told.subject else None
    if told.session is not None:
        which |= UserSession.provider_session == told.session
    if found is not None:
        of_user = UserSession.user_id == found[1].id
        which |= of_user if told.session is None else of_user & UserSession.provider_session.is_(None)
    return which
