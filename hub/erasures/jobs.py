"""Removes the objects of erased records from the store. Broken off, the next run goes on; what it misses the sweep finds."""

from __future__ import annotations

from threading import Event

import sqlalchemy as sa
import structlog

from hub.accounts import service
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Unavailable
from hub.erasures.models import RecordErasure
from hub.extensions import db
from hub.web.store import object_store

log = structlog.get_logger("hub.erasures")


def finish_erasures(stop: Event) -> int:
    """Every version of every object of the records that were erased; how many objects."""
    waiting = db.session.scalars(
        sa.select(RecordErasure).where(
            RecordErasure.approved_at.is_not(None), RecordErasure.objects_gone_at.is_(None)
        )
    ).all()
    db.session.commit()
    removed = 0
    for erasure in waiting:
        if stop.is_set():
            break
        try:
            removed += _finish(erasure)
        except Unavailable as error:  # the store's trouble with one keeps no other from going
            db.session.rollback()
            log.error("erasure_not_finished", erasure=str(erasure.id), kind=error.code)
    return removed


def _finish(erasure: RecordErasure) -> int:
    keys = db.session.scalars(sa.select(sa.func.find_erased_objects(erasure.id))).all()
    db.session.commit()
    for key in keys:
        object_store().delete(key, None)
    with service.acting_for(erasure.organisation_id) as actor:
        done = sa.update(RecordErasure).where(
            RecordErasure.id == erasure.id, RecordErasure.objects_gone_at.is_(None)
        )
        db.session.execute(
            done.values(objects_gone_at=clock.now()).execution_options(synchronize_session=False)
        )
        append(
            actor,
            "erasure.finished",
            object_id=erasure.record_id,
            counted=len(keys),
            facts={"objects": len(keys)},
        )
        db.session.commit()
    return len(keys)
