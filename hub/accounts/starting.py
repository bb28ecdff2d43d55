"""A session begins: for somebody who has proved, one way or another, who they are."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from hub.access.actor import Actor, RequestFacts
from hub.access.guard import enter
from hub.accounts import admitting, hats, known_devices, queries, sessions, telling
from hub.accounts.closing import is_closed
from hub.accounts.models import Team, User
from hub.accounts.vocabulary import Method
from hub.audit.recording import append, append_nobody
from hub.core.errors import Denied
from hub.extensions import db

REFUSED = "The email address or password is not right."


def begin(
    user: User,
    team: Team,
    method: Method,
    request: RequestFacts,
    *,
    provider_id: UUID | None = None,
    provider_session: str | None = None,
    device_bound: bool = False,
    enrolling: bool = False,
    proved_at: datetime | None = None,
) -> tuple[str, Actor]:
    """A session for somebody who has proved who they are: its token, and the actor. Commits.

    It begins in the hat worn last, or in `team`. `enrolling`: by a link, so that a first passkey can be added.

    `Denied`: bad_credentials for a closed account or one past its last day, and for one that was reset and not set up anew,
    however it was proved; what a rule of `admitting` says, such as passkey_required.
    """
    team, purpose = _admitted(user, team, request, device_bound=device_bound, enrolling=enrolling)
    elsewhere = queries.has_signed_in(user) and not known_devices.mark_of(request.known_device, user.id)
    token = sessions.start(
        user,
        team,
        method=method,
        purpose=purpose,
        request=request,
        provider_id=provider_id,
        provider_session=provider_session,
        device_bound=device_bound,
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


def _admitted(
    user: User, first: Team, request: RequestFacts, *, device_bound: bool, enrolling: bool
) -> tuple[Team, str]:
    """The hat to begin in. A refusal by a rule is an event; it commits."""
    if is_closed(user) or user.reset_at is not None:
        raise Denied("bad_credentials", REFUSED)
    try:
        team, purpose = _hat(user, first, device_bound or enrolling)
        if not enrolling:
            admitting.check(user, team, device_bound)
    except Denied as denied:
        append_nobody(request, "session.refused", user_id=user.id, facts={"why": denied.code})
        db.session.commit()
        raise
    return team, purpose


def _hat(user: User, first: Team, proved_most: bool) -> tuple[Team, str]:
    """The hat that the user wore last; the first team's where there is none, or where it asks for more than was proved."""
    worn = hats.worn_last(user)
    if worn is None:
        return first, first.default_purpose
    if not proved_most:
        try:
            admitting.check(user, worn[0], False)
        except Denied:
            return first, first.default_purpose
    return worn


def session_of(token: str, request: RequestFacts) -> UUID | None:
    """The id of a session by its token."""
    visit = sessions.identify(token, request, False)
    return visit.session_id if visit is not None else None
