"""A user's open sessions: seen, and ended by the user, by an administrator, or with what they stood on."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor, Source
from hub.accounts.models import Team, UserSession
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import NotVisible
from hub.extensions import db


class EndedWhy(enum.StrEnum):
    """Why sessions were ended that nobody signed out of."""

    OWN = "own"
    ADMINISTRATOR = "administrator"
    PASSWORD = "password"
    ROLE = "role"
    RESET = "reset"
    PASSKEY = "passkey"
    PROVIDER = "provider"
    TEAM = "team"


@dataclass(frozen=True)
class OpenSession:
    """One session that is open now, as its user may recognise it."""

    id: UUID
    device: str | None
    network: str | None
    team: str
    started_at: datetime
    last_seen_at: datetime
    own: bool


def find_open_sessions(actor: Actor, current: UUID) -> list[OpenSession]:
    """The actor's own open sessions, the one in hand first, then by when they were last used."""
    rows = db.session.execute(
        sa.select(
            UserSession.id,
            UserSession.device,
            UserSession.network,
            Team.name,
            UserSession.created_at,
            UserSession.last_seen_at,
        )
        .join(Team, Team.id == UserSession.team_id)
        .where(*_open(actor.user_id), UserSession.kind == Source.WEB.value)
        .order_by(UserSession.id != current, UserSession.last_seen_at.desc(), UserSession.id)
    )
    return [OpenSession(*row, own=row.id == current) for row in rows]


def end_own_session(actor: Actor, session_id: UUID) -> None:
    """Ends one of the actor's own sessions, if it has not ended already. `NotVisible` for anybody else's."""
    own = sa.and_(UserSession.id == session_id, UserSession.user_id == actor.user_id)
    if db.session.scalar(sa.select(UserSession.id).where(own)) is None:
        raise NotVisible
    if db.session.scalar(sa.select(UserSession.id).where(*_open(actor.user_id), own)) is None:
        return
    # before it ends: it may be the one in hand, and an ended session writes no event
    append(actor, "session.revoked", object_id=actor.user_id, counted=1, facts={"why": EndedWhy.OWN.value})
    _end(actor.user_id, own)


def end_own_others(actor: Actor, current: UUID) -> int:
    """Ends all the actor's sessions but the one in hand; how many."""
    count = len(_end(actor.user_id, UserSession.id != current))
    append(
        actor, "session.revoked", object_id=actor.user_id, counted=count, facts={"why": EndedWhy.OWN.value}
    )
    return count


def end_sessions_of(
    actor: Actor,
    user_id: UUID,
    why: EndedWhy,
    *,
    but: UUID | None = None,
    which: sa.ColumnElement[bool] | None = None,
) -> int:
    """Ends a user's sessions, or `which` of them; how many. Writes an event where there were any.

    That the actor may is the caller's to check.
    """
    kept = UserSession.id != but if but else sa.true()
    count = len(_end(user_id, kept if which is None else sa.and_(kept, which)))
    if count or why is EndedWhy.ADMINISTRATOR:
        append(actor, "session.revoked", object_id=user_id, counted=count, facts={"why": why.value})
    return count


def end_unasked(user_id: UUID) -> None:
    """Ends all of a user's sessions while nobody is there to sign an event: the refusal that led to it is written before."""
    _end(user_id, sa.true())


def _open(user_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        UserSession.user_id == user_id,
        UserSession.ended_at.is_(None),
        UserSession.expires_at > clock.now(),
    )


def _end(user_id: UUID, which: sa.ColumnElement[bool]) -> Sequence[UUID]:
    """Those that ran out are ended too: they can keep no draft any more."""
    return db.session.scalars(
        sa.update(UserSession)
        .where(UserSession.user_id == user_id, UserSession.ended_at.is_(None), which)
        .values(ended_at=clock.now())
        .returning(UserSession.id)
        .execution_options(synchronize_session=False)
    ).all()
