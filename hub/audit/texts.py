"""Opens the texts that are sealed beside events: for whoever may read the event, and whose page has logged that look."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.audit.models import EventText
from hub.core.errors import Unavailable
from hub.crypto import keyring, wrapping
from hub.extensions import db

ERASED = "This text was erased."


def open_texts(actor: Actor, event_ids: Iterable[UUID | None], name: str) -> dict[UUID, str]:
    """The text of that name beside each of the events; row security leaves out those of other organisations."""
    rows = db.session.scalars(
        sa.select(EventText).where(
            EventText.event_id.in_({one for one in event_ids if one}), EventText.name == name
        )
    )
    return {row.event_id: _opened(row) for row in rows}


def _opened(row: EventText) -> str:
    try:
        held = keyring.key_by_id(db.session(), row.data_key_id)
    except Unavailable:
        return ERASED
    return wrapping.open_text(held.key, row.sealed, purpose="event", ids=(held.id, row.name))
