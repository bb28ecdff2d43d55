"""Counts tries in a window of time, in the database so that all processes count together."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from hub.core import clock
from hub.extensions import db
from hub.web.models import Throttle


@dataclass(frozen=True)
class Count:
    """How many tries there were in this window with the present one, and when a new window begins."""

    tries: int
    until: datetime


def count(key: str, window: timedelta) -> Count:
    """Counts one try. The key is kept as a hash only. The caller commits."""
    now = clock.now()
    hashed = hashlib.sha256(key.encode("utf-8", "replace")).digest()
    fresh = insert(Throttle).values(key=hashed, tries=1, expires_at=now + window)
    expired = Throttle.expires_at < now
    row = db.session.execute(
        fresh.on_conflict_do_update(
            index_elements=["key"],
            set_={
                "tries": sa.case((expired, 1), else_=Throttle.tries + 1),
                "expires_at": sa.case((expired, now + window), else_=Throttle.expires_at),
            },
        ).returning(Throttle.tries, Throttle.expires_at)
    ).one()
    return Count(int(row.tries), row.expires_at)
