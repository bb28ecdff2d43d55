"""Reminds those who owe an answer, once, when the time of a request is over."""

from __future__ import annotations

from threading import Event

import sqlalchemy as sa

from hub.access_requests.actions import find_answerers
from hub.accounts import service
from hub.audit.recording import append
from hub.extensions import db
from hub.notifications.actions import notify
from hub.notifications.vocabulary import NotificationKind

_TAKEN = (
    sa.column("request_id", sa.Uuid),
    sa.column("reference", sa.Text),
    sa.column("revision", sa.Integer),
)


def remind_late(stop: Event) -> int:
    """How many requests were found late. Two workers at once remind once: the taking is the database's."""
    owing = list(
        db.session.scalars(sa.select(sa.func.find_late_organisations().column_valued("organisation")))
    )
    db.session.rollback()
    reminded = 0
    for organisation_id in owing:
        if stop.is_set():
            break
        with service.acting_for(organisation_id) as actor:
            late = sa.func.take_late_requests(organisation_id).table_valued(*_TAKEN)
            for row in db.session.execute(sa.select(*late.c)).all():
                append(actor, "request.late", object_id=row.request_id, version=row.revision)
                notify(
                    actor,
                    find_answerers(actor, row.request_id),
                    NotificationKind.REQUEST_LATE,
                    reference=row.reference,
                    address=f"/requests/{row.request_id}",
                )
                reminded += 1
            db.session.commit()
    return reminded
