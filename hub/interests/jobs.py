"""Tells supervisors of looks that a declared interest stopped: whose it was, never what it was aimed at.

The refused look itself only leaves a mark (`note_refused_look`), because its answer must take as long as any other's.
"""

from __future__ import annotations

from threading import Event
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.accounts import service
from hub.audit.recording import append
from hub.extensions import db
from hub.interests.queries import supervisors_of
from hub.notifications.actions import notify
from hub.notifications.vocabulary import NotificationKind

REFERENCE = "declared-interests"


def tell_of_stopped_looks(stop: Event) -> int:
    """One event and one notice to each supervisor for each look; returns how many looks were told of."""
    told = 0
    waiting = list(db.session.scalars(sa.select(sa.func.find_stopped_looks())))
    db.session.commit()
    for organisation_id in waiting:
        if stop.is_set():
            break
        with service.acting_for(organisation_id) as actor:
            looks = sa.func.take_stopped_looks(organisation_id).table_valued("user_id", "partnership_id")
            for user_id, partnership_id in db.session.execute(sa.select(looks)).all():
                _tell(actor, user_id, partnership_id)
                told += 1
            db.session.commit()
    return told


def _tell(actor: Actor, user_id: UUID, partnership_id: UUID) -> None:
    append(actor, "interest.met", counted=1)
    supervisors = db.session.scalars(supervisors_of(user_id, actor.organisation_id, partnership_id)).all()
    notify(
        actor,
        supervisors,
        NotificationKind.INTEREST_MET,
        reference=REFERENCE,
        address=f"/interests/colleagues?user={user_id}",
    )
