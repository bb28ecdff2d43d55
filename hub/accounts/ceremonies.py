"""Proofs in two halves: begun, kept for five minutes, taken once (SECURITY N2).

The token lies in a cookie of the browser that began, so that nobody can finish what another browser began.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from hub.accounts.models import Ceremony
from hub.accounts.vocabulary import CeremonyKind
from hub.core import clock
from hub.core.errors import Denied
from hub.core.ids import new_id
from hub.extensions import db

LASTS = timedelta(minutes=5)
# who sets up an app may have to install it first; there is no challenge in it that somebody else could answer
SETTING_UP_LASTS = timedelta(minutes=15)
CHALLENGE_BYTES = 32
MOST_TRIES = 5
OVER = "This took too long, or was done already. Start again."


def begin(
    kind: CeremonyKind,
    *,
    user_id: UUID | None = None,
    session_id: UUID | None = None,
    about: UUID | None = None,
    address: str = "/",
    lasts: timedelta = LASTS,
) -> tuple[str, Ceremony]:
    """A new one, with the token for the browser's cookie. Flushes, does not commit."""
    token = secrets.token_urlsafe(32)
    now = clock.now()
    ceremony = Ceremony(
        id=new_id(),
        created_at=now,
        token_hash=_hash(token),
        kind=kind.value,
        challenge=secrets.token_bytes(CHALLENGE_BYTES),
        user_id=user_id,
        session_id=session_id,
        about=about,
        address=address,
        tries=0,
        expires_at=now + lasts,
    )
    db.session.add(ceremony)
    db.session.flush()
    return token, ceremony


def find(token: str, kind: CeremonyKind, *, session_id: UUID | None = None) -> Ceremony | None:
    """The one that this browser began, of this kind and in this session, if it may still be finished."""
    return db.session.scalar(sa.select(Ceremony).where(*_open(token, kind, session_id)))


def try_once(token: str, kind: CeremonyKind, *, session_id: UUID | None = None) -> Ceremony:
    """Counts a try that may fail. `Denied` (ceremony_over) where there is none, or after the fifth. Commits."""
    counted = (
        sa.update(Ceremony)
        .where(*_open(token, kind, session_id), Ceremony.tries < MOST_TRIES)
        .values(tries=Ceremony.tries + 1)
        .returning(Ceremony.id)
        .execution_options(synchronize_session=False)
    )
    found = db.session.scalar(counted)
    db.session.commit()
    if found is None:
        raise Denied("ceremony_over", OVER)
    return db.session.get_one(Ceremony, found, populate_existing=True)


def take(token: str, kind: CeremonyKind, *, session_id: UUID | None = None) -> Ceremony:
    """The one that this browser began, which can be taken once. `Denied` (ceremony_over) where there is none. Commits."""
    ceremony = find(token, kind, session_id=session_id)
    if ceremony is not None:
        db.session.expunge(ceremony)
        gone = sa.delete(Ceremony).where(Ceremony.id == ceremony.id).returning(Ceremony.id)
        if db.session.scalar(gone.execution_options(synchronize_session=False)) is None:
            ceremony = None
    db.session.commit()
    if ceremony is None:
        raise Denied("ceremony_over", OVER)
    return ceremony


def drop_of(user_id: UUID) -> None:
    """Whatever this user had begun is over: what they prove themselves by has changed. Does not commit."""
    gone = sa.delete(Ceremony).where(Ceremony.user_id == user_id)
    db.session.execute(gone.execution_options(synchronize_session=False))


def _open(token: str, kind: CeremonyKind, session_id: UUID | None) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        Ceremony.token_hash == _hash(token),
        Ceremony.kind == kind.value,
        Ceremony.session_id.is_(None) if session_id is None else Ceremony.session_id == session_id,
        Ceremony.expires_at > clock.now(),
    )


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
