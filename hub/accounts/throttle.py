"""How often a door may be tried: by account and by source, before any hash is computed (SECURITY N7).

A stranger can slow an account's door for a minute, never lock it; and not at all on a device where the account has
signed in before, which is counted by itself.
"""

from __future__ import annotations

from datetime import timedelta

from hub.core.errors import Denied
from hub.extensions import db
from hub.web.counting import count

WINDOW = timedelta(minutes=1)
PER_ACCOUNT = 5
PER_SOURCE = 30
WAIT = "There were too many tries. Wait a minute, then try again."


def check(account: str, source: str | None, *, device: str | None = None) -> None:
    """Counts one try. `Denied` (too_often) past the limit. `device` is the mark of a known one. Commits."""
    if device is not None:
        over = count(f"device:{account}:{device}", WINDOW).tries > PER_ACCOUNT
    else:
        # both are counted, whatever the first says
        over = (count(f"account:{account}", WINDOW).tries > PER_ACCOUNT) | (
            count(f"source:{source}", WINDOW).tries > PER_SOURCE
        )
    db.session.commit()
    if over:
        raise Denied("too_often", WAIT)


def check_source(source: str | None) -> None:
    """One try of a door that belongs to nobody in particular, such as an enrolment link. Commits."""
    over = count(f"source:{source}", WINDOW).tries > PER_SOURCE
    db.session.commit()
    if over:
        raise Denied("too_often", WAIT)
