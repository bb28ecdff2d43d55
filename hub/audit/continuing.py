"""Going on with what is open: range reads of one opening are one event (SECURITY F12).

The first reading of a file writes the event. What the same session reads of it in the next minutes, in the same hat and by the
same right, stands on that event; the rule and the gate are asked each time all the same.
"""

from __future__ import annotations

import json
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.guard import remember_look
from hub.audit.reading import Shown
from hub.extensions import db, live_session

_FIND = sa.text(
    "SELECT audit.find_opening(:token, :act, CAST(:object_id AS uuid), CAST(:version AS integer), CAST(:basis AS jsonb))"
)


def goes_on(actor: Actor, act: str, object_id: UUID, shown: Shown) -> bool:
    """Whether the actor's own session has it open: then what is read next stands on the event of that opening.

    Whoever calls this has asked the rule. Ends the transaction, as `opened` does, which is to be called where this is False.
    """
    found: UUID | None = db.session.execute(
        _FIND,
        {
            "token": actor.token,
            "act": act,
            "object_id": object_id,
            "version": shown.version,
            "basis": json.dumps(shown.basis.as_json() if shown.basis else {}),
        },
    ).scalar_one()
    if found is None:
        return False
    remember_look(live_session(), found)
    # the next transaction tells the database of the look
    db.session.commit()
    return True
