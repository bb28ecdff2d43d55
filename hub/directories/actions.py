"""Writes of administrators about their organisation's directory: a token made, a token ended."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.accounts.models import Team
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Conflict, NotVisible
from hub.core.ids import new_id
from hub.directories.models import Directory
from hub.directories.recognising import new_token, working
from hub.extensions import db

# so long the old token goes on working beside a new one
OVERLAP = timedelta(days=1)
LONGEST = timedelta(days=365)


def make_token(actor: Actor, life: timedelta) -> tuple[Directory, str]:
    """A token for the actor's organisation in the partnership in hand, which is told this once. Older ones end in a day.

    Raises `Conflict` where the organisation has no team in the partnership: nobody could act for it there.
    """
    actor.check_may(Permission.ACCOUNT_MANAGE)
    here = sa.select(Team.id).where(
        Team.organisation_id == actor.organisation_id, Team.partnership_id == actor.partnership_id
    )
    if db.session.scalar(here.limit(1)) is None:
        raise Conflict("no_team_here", "Your organisation has no team in this partnership yet.")
    now = clock.now()
    db.session.execute(
        sa.update(Directory)
        .where(*_ours(actor), *working(now), Directory.expires_at > now + OVERLAP)
        .values(expires_at=now + OVERLAP)
        .execution_options(synchronize_session=False)
    )
    token, kept = new_token()
    made = Directory(
        id=new_id(),
        created_at=now,
        organisation_id=actor.organisation_id,
        partnership_id=actor.partnership_id,
        token_hash=kept,
        made_by=actor.user_id,
        expires_at=now + min(life, LONGEST),
    )
    db.session.add(made)
    db.session.flush()
    append(actor, "directory.token_made", object_id=made.id)
    return made, token


def end_token(actor: Actor, token_id: UUID) -> None:
    """Ends a token of one's own organisation at once. `NotVisible` for any other; `Conflict` where it has ended."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    found = db.session.scalar(
        sa.select(Directory).where(Directory.id == token_id, *_ours(actor)).with_for_update()
    )
    if found is None:
        raise NotVisible
    now = clock.now()
    if found.ended_at is not None or found.expires_at <= now:
        raise Conflict("ended_already", "This token has ended already.")
    found.ended_at = now
    db.session.flush()
    append(actor, "directory.token_ended", object_id=found.id)


def _ours(actor: Actor) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        Directory.organisation_id == actor.organisation_id,
        Directory.partnership_id == actor.partnership_id,
    )
