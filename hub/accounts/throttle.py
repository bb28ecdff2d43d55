"""How often a door may be tried: by account and by source, before any hash is computed (SECURITY N7).

A stranger can slow an account's door for a minute, never lock it; and not at all on a device where the account has
signed in before, which is counted by itself.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from hub.core.errors import Denied
from hub.extensions import db
from hub.web.counting import count

WINDOW = timedelta(minutes=1)
PER_ACCOUNT = 5
PER_SOURCE = 30
# Of a million codes three fit at a time: whoever has the password finds one in a day's tries with odds of 1 in 6,000. Only who
# has it comes so far, so that this locks out nobody whom a stranger dislikes; and a known device is counted by itself.
A_DAY = timedelta(days=1)
CODES_A_DAY = 50
CODES_A_DAY_KNOWN = 200
RESETS_AN_HOUR = 20
WAIT = "There were too many tries. Wait a minute, then try again."
WAIT_LONGER = "There were too many tries today. Ask the administrator (SPOC) of your organisation to reset how you sign in."


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


def check_code(user_id: UUID, source: str | None, *, device: str | None = None) -> None:
    """One try of a code by somebody who has given the password. `Denied` (too_often) past a limit. Commits."""
    check(f"code:{user_id}", source, device=device)
    most = CODES_A_DAY if device is None else CODES_A_DAY_KNOWN
    over = count(f"codes:{user_id}:{device or ''}", A_DAY).tries > most
    db.session.commit()
    if over:
        raise Denied("too_often", WAIT_LONGER)


def check_resets(administrator_id: UUID) -> None:
    """One reset: whoever took over an administrator's session can't reset everybody. Counts with the transaction in hand."""
    if count(f"resets:{administrator_id}", timedelta(hours=1)).tries > RESETS_AN_HOUR:
        raise Denied(
            "too_often", "You have reset many accounts within an hour. Wait an hour, then try again."
        )
