"""How often something may be tried, counted in the database so that all processes count together (SECURITY N7).

Two keys a try: the account and the source. A stranger can slow an account's door for a minute, never lock it.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from hub.core import clock
from hub.core.errors import Denied
from hub.extensions import db
from hub.web.models import Throttle

WINDOW = timedelta(minutes=1)
PER_ACCOUNT = 5
PER_SOURCE = 30


def check(account: str, source: str | None) -> None:
    """Counts one try of both keys, before any hash is computed. `Denied` (too_often) past the limit. Commits."""
    over = _count(f"account:{account}", PER_ACCOUNT) | _count(f"source:{source}", PER_SOURCE)
    db.session.commit()
    if over:
        raise Denied("too_often", "There were too many tries. Wait a minute, then try again.")


def _count(key: str, limit: int) -> bool:
    now = clock.now()
    hashed = hashlib.sha256(key.encode("utf-8", "replace")).digest()
    fresh = insert(Throttle).values(key=hashed, tries=1, expires_at=now + WINDOW)
    expired = Throttle.expires_at < now
    tries = db.session.execute(
        fresh.on_conflict_do_update(
            index_elements=["key"],
            set_={
                "tries": sa.case((expired, 1), else_=Throttle.tries + 1),
                "expires_at": sa.case((expired, now + WINDOW), else_=Throttle.expires_at),
            },
        ).returning(Throttle.tries)
    ).scalar_one()
    return int(tries) > limit
