"""What a directory calls one of our users or teams, and that it has to do with it."""

from __future__ import annotations

from uuid import UUID

from hub.access.actor import Actor
from hub.core import clock
from hub.directories.models import DirectoryLink
from hub.extensions import db


def keep_link(actor: Actor, about: UUID, external_id: str | None, *, gone: bool = False) -> DirectoryLink:
    """Notes a change by the actor's directory. The event of the change itself is the caller's. Flushes."""
    now = clock.now()
    link = db.session.get(DirectoryLink, about)
    if link is None:
        link = DirectoryLink(id=about, organisation_id=actor.organisation_id)
        db.session.add(link)
    link.external_id, link.changed_at = external_id, now
    if gone:
        link.gone_at = now
    db.session.flush()
    return link
