"""How often a user, and an organisation in all, may search or take something out: a bound on who copies by the page.

Past it the answer is 429 with the time to wait, and the first refusal of each window is an event; its repetitions would
only flood the log.
"""

from __future__ import annotations

from datetime import timedelta

from flask import g

from hub.access.actor import Actor
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Denied
from hub.extensions import db
from hub.web.counting import Count, count
from hub.web.routes import Limit

SENTENCES = {
    Limit.SEARCH: "There were more searches than the hub allows in a minute.",
    Limit.EXPORT: "There were more exports than the hub allows in an hour.",
}


def check(actor: Actor, limit: Limit) -> None:
    """Counts one use. `Denied` (too_often) past the bound of the user or of the organisation. Commits."""
    window = timedelta(minutes=limit.minutes)
    own = count(f"{limit.code}:user:{actor.user_id}", window)
    if own.tries > limit.per_user:
        # what one is refused uses up nothing of what the colleagues may do
        _refuse(actor, limit, own, "user", own.tries == limit.per_user + 1)
    everybody = count(f"{limit.code}:organisation:{actor.organisation_id}", window)
    if everybody.tries > limit.per_organisation:
        _refuse(actor, limit, everybody, "organisation", everybody.tries == limit.per_organisation + 1)
    db.session.commit()


def _refuse(actor: Actor, limit: Limit, reached: Count, whose: str, first: bool) -> None:
    if first:
        append(actor, "access.limited", outcome="denied", facts={"what": limit.code, "whose": whose})
    db.session.commit()
    g.retry_after = max(1, round((reached.until - clock.now()).total_seconds()))
    others = " Your organisation’s users count together." if whose == "organisation" else ""
    raise Denied("too_often", SENTENCES[limit] + others)
