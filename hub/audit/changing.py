"""Reading for a change: under the look by which the actor knows the record, or under one that is written now.

A form is filled in from a page, and that page was logged: within ten minutes the change stands on the same event. Later, or
where a change comes without a page, an event says that the record was taken up.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor, Source
from hub.access.guard import looks_in_hand, remember_look
from hub.access.models import Record
from hub.audit.recording import append_apart
from hub.core.errors import NotVisible
from hub.extensions import db, live_session

_FIND = sa.text(
    "SELECT record_id, event_id, made_here FROM audit.find_looks(:token, CAST(:wanted AS uuid[]))"
)
_LOOK = sa.text("SELECT set_config('hub.looks', :looks, true)")


def take_up(actor: Actor, record_ids: Collection[UUID]) -> None:
    """From here to the end of the request the session reads what is in these records, which the actor may read.

    Whoever calls this has asked the rule. One query, as a rule. `Unavailable` where the log can't be written.
    """
    if not record_ids:
        return
    wanted = "{" + ",".join(str(key) for key in record_ids) + "}"
    found = db.session.execute(_FIND, {"token": actor.token, "wanted": wanted}).all()
    looks = [row.event_id for row in found if row.event_id is not None]
    unseen = [row.record_id for row in found if row.event_id is None and not row.made_here]
    if unseen:
        looks.append(append_apart(actor, "record.taken_up", records=unseen))
    if not looks and actor.source is Source.LOAD:
        # all of it was made in this load, which needs no look: see `record.born`
        return
    session = live_session()
    for key in dict.fromkeys(looks):
        remember_look(session, key)
    db.session.execute(_LOOK, {"looks": looks_in_hand(session)})


def take_up_record(actor: Actor, record_id: UUID) -> None:
    """As `take_up`, and asks the rule itself. Raises `NotVisible`."""
    if db.session.scalar(sa.select(Record.id).where(Record.id == record_id)) is None:
        raise NotVisible
    take_up(actor, [record_id])
