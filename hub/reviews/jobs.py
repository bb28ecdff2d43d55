"""Reads what has come to the log by the rules of alerts, and tells the auditors how many there are.

It may run twice, or in two workers at once: the database makes one alert of one rule, user and day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from uuid import UUID

import sqlalchemy as sa
import structlog

from hub.access.actor import Actor
from hub.accounts import service
from hub.audit.recording import Written, append_each
from hub.core import clock
from hub.core.errors import Unavailable
from hub.extensions import db, live_session
from hub.notifications.actions import notify
from hub.notifications.vocabulary import NotificationKind
from hub.reviews.queries import find_auditors

ADDRESS = "/audit/alerts?state=waiting"
log = structlog.get_logger("hub.reviews")


@dataclass(frozen=True)
class Raised:
    """An alert that is new."""

    id: UUID
    user_id: UUID
    rule: str


def raise_alerts(stop: Event, *, until: datetime | None = None) -> int:
    """Applies every rule to each organisation's new events, up to now; returns how many alerts were made."""
    until = until or clock.now()
    waiting = db.session.scalars(sa.select(sa.func.audit.find_organisations_to_watch(until))).all()
    db.session.commit()
    made = 0
    for organisation_id in waiting:
        if stop.is_set():
            break
        try:
            made += _watch(organisation_id, until)
        except Unavailable as error:  # one organisation's trouble keeps nobody else from being watched
            log.error("alerts_not_raised", organisation=str(organisation_id), kind=error.code)
            db.session.rollback()
    return made


def _watch(organisation_id: UUID, until: datetime) -> int:
    """A quiet organisation costs no session: only where there is something to tell is it found again and written down."""
    if not _raised(organisation_id, until):
        db.session.commit()
        return 0
    db.session.rollback()
    with service.acting_for(organisation_id) as actor:
        raised = _raised(organisation_id, until)
        append_each(actor, "alert.raised", [Written(one.id, 1, (), {"rule": one.rule}) for one in raised])
        _tell(actor, raised)
        db.session.commit()
    return len(raised)


def _raised(organisation_id: UUID, until: datetime) -> list[Raised]:
    found = sa.func.audit.raise_alerts(organisation_id, until).table_valued(
        "alert_id", "about", "code", "is_new"
    )
    rows = db.session.execute(sa.select(found)).all()
    live_session().mark_written()
    return [Raised(row.alert_id, row.about, row.code) for row in rows if row.is_new]


def _tell(actor: Actor, raised: Sequence[Raised]) -> None:
    """The number alone; nobody is told of an alert about themselves."""
    for auditor in find_auditors(actor):
        count = sum(1 for one in raised if one.user_id != auditor)
        if count:
            notify(
                actor,
                [auditor],
                NotificationKind.ALERTS_RAISED,
                reference=f"{count}-new",
                address=ADDRESS,
            )
