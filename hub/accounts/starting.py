"""A session begins: for somebody who has proved, one way or another, who they are."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from hub.access.actor import Actor, RequestFacts
from hub.access.guard import enter
from hub.accounts import known_devices, queries, sessions, telling
from hub.accounts.models import Team, User
from hub.accounts.vocabulary import Method
from hub.audit.recording import append
from hub.extensions import db


def begin(
    user: User,
    team: Team,
    method: Method,
    request: RequestFacts,
    *,
    provider_id: UUID | None = None,
    provider_session: str | None = None,
    proved_at: datetime | None = None,
) -> tuple[str, Actor]:
    """A session for somebody who has proved who they are: its token, and the actor. Commits."""
    elsewhere = queries.has_signed_in(user) and not known_devices.mark_of(request.known_device, user.id)
    token = sessions.start(
        user,
        team,
        method=method,
        request=request,
        provider_id=provider_id,
        provider_session=provider_session,
        proved_at=proved_at,
    )
    db.session.commit()
    actor = sessions.actor_of(token, request)
    enter(db.session(), actor)
    append(actor, "session.started", object_id=actor.user_id, facts={"method": method.value})
    # everybody is everybody in a demonstration: there it would tell of each click
    if elsewhere and method is not Method.DEMO:
        telling.tell(actor, telling.NEW_DEVICE)
    db.session.commit()
    return token, actor
