"""The hub's own account in each organisation, by which background work acts and is written down.

It is made at first need, holds no role and is in no team, has no password and no enrolment: nobody can sign in as it, and
it reads nothing. Its sessions are of kind `job` (or `cli`, for a command of the operator's), last minutes and end with the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.dialects.postgresql import insert

from hub.access.actor import NOBODY, Actor, RequestFacts, Source
from hub.access.guard import enter
from hub.accounts import sessions
from hub.accounts.models import Organisation, Team, User
from hub.accounts.naming import SERVICE_DOMAIN
from hub.accounts.vocabulary import Method
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Unavailable
from hub.core.ids import new_id
from hub.extensions import db

NAME = "Hub service"
LASTS = timedelta(minutes=10)


@contextmanager
def acting_for(
    organisation_id: UUID,
    *,
    source: Source = Source.JOB,
    partnership_id: UUID | None = None,
    request: RequestFacts | None = None,
) -> Iterator[Actor]:
    """The service account of one organisation, in a short session. Commits at both ends; the caller's work is its own.

    It acts in the partnership of the organisation's first team, unless one is given; `request` is what led to the work.

    The database session stays without an access context: the actor is there to sign events, not to read.
    """
    enter(db.session(), NOBODY)
    team = _team_of(organisation_id, partnership_id)
    user, made = _find_or_make(organisation_id)
    token = sessions.start(user, team, method=Method.OPERATOR, kind=source, lasts=LASTS)
    db.session.commit()
    facts = request or RequestFacts(build=str(current_app.config["HUB_SETTINGS"].build))
    visit = sessions.identify(token, facts, False)
    if visit is None or visit.actor is None:
        raise Unavailable("no_service_session", "Background work could not start its session.")
    try:
        if made:
            append(visit.actor, "service.created", object_id=user.id)
            db.session.commit()
        yield visit.actor
    finally:
        db.session.rollback()
        sessions.end(visit.session_id)
        db.session.commit()


def _team_of(organisation_id: UUID, partnership_id: UUID | None) -> Team:
    """Events name a team and its partnership: the organisation's first stands for it."""
    there = Team.partnership_id == partnership_id if partnership_id else sa.true()
    team = db.session.scalar(
        sa.select(Team)
        .where(Team.organisation_id == organisation_id, there)
        .order_by(Team.created_at, Team.id)
        .limit(1)
    )
    if team is None:
        raise Unavailable("no_team", "This organisation has no team yet, so nothing can be done for it.")
    return team


def _find_or_make(organisation_id: UUID) -> tuple[User, bool]:
    code = db.session.scalar(sa.select(Organisation.code).where(Organisation.id == organisation_id))
    email = f"service.{code}@{SERVICE_DOMAIN}".lower()
    values = {
        "id": new_id(),
        "created_at": clock.now(),
        "organisation_id": organisation_id,
        "email": email,
        "name": NAME,
        "job_title": "Background work",
        "clearance": 0,
        "revision": 1,
    }
    # two workers may come here at once: one of them makes it
    made = db.session.execute(
        insert(User).values(**values).on_conflict_do_nothing().returning(User.id)
    ).scalar()
    user = db.session.scalar(sa.select(User).where(User.email == email))
    if user is None:
        raise Unavailable("no_service_user", "The service account could not be made.")
    return user, made is not None
