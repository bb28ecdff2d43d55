"""Whose directory asks: the token, which is kept as a hash only, names an organisation and a partnership."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa

from hub.core import clock
from hub.directories.models import Directory
from hub.extensions import db

# named so that whoever finds one in a file knows what it opens
PREFIX = "hubscim_"
_TOKEN = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")
# the time of the last use is written at most this often
TOUCH = timedelta(minutes=1)


def new_token() -> tuple[str, bytes]:
    """A token of 256 random bits, and the hash that is kept of it."""
    token = PREFIX + secrets.token_urlsafe(32)
    return token, _hash(token)


def find_directory(authorization: str) -> Directory | None:
    """The directory whose token this `Authorization` header holds, if it works now."""
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not _TOKEN.fullmatch(token):
        return None
    return db.session.scalar(
        sa.select(Directory).where(Directory.token_hash == _hash(token), *working(clock.now()))
    )


def note_use(directory: Directory) -> None:
    """Flushes nothing and commits nothing; the row may be used by several requests at once."""
    now = clock.now()
    if directory.last_used_at is None or now - directory.last_used_at > TOUCH:
        used = sa.update(Directory).where(Directory.id == directory.id).values(last_used_at=now)
        db.session.execute(used.execution_options(synchronize_session=False))


def working(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    """Neither ended nor run out."""
    return (Directory.ended_at.is_(None), Directory.expires_at > now)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("ascii")).digest()
