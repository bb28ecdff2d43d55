"""Warns the administrators of an organisation once that its accepted assurance ends: how long before, the partnership says."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Event
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.accounts import service
from hub.accounts.queries import administrators_of
from hub.accounts.several import values_by_organisation
from hub.assurances.actions import reference_of
from hub.assurances.models import Assurance
from hub.assurances.queries import accepted
from hub.audit.recording import append
from hub.core import clock
from hub.extensions import db
from hub.notifications.actions import notify
from hub.notifications.models import Notification
from hub.notifications.vocabulary import NotificationKind
from hub.settings.catalogue import ASSURANCE_WARNING


def warn_of_ending(stop: Event) -> int:
    """How many organisations were warned now. A second run warns nobody again."""
    warned = 0
    now = clock.now()
    ending = accepted().subquery()
    rows = db.session.execute(
        sa.select(ending.c.organisation_id, ending.c.id, ending.c.valid_until).where(
            ending.c.valid_until > now
        )
    ).all()
    values = values_by_organisation()
    found = [
        (row.organisation_id, row.id)
        for row in rows
        # in several partnerships the longest time counts; without a team nobody could be told
        if any(
            row.valid_until <= now + timedelta(days=one[ASSURANCE_WARNING])
            for one in values.get(row.organisation_id, ())
        )
    ]
    db.session.commit()
    for organisation_id, assurance_id in found:
        if stop.is_set():
            break
        with service.acting_for(organisation_id) as actor:
            warned += _warn(actor, assurance_id)
            db.session.commit()
    return warned


def _warn(actor: Actor, assurance_id: UUID) -> int:
    # two workers may come here at once: the second waits, and finds that it was done
    row = db.session.scalar(sa.select(Assurance).where(Assurance.id == assurance_id).with_for_update())
    if row is None or row.valid_until is None:
        return 0
    reference = f"{reference_of(actor.organisation_code)}-{_day(row.valid_until)}"
    told = sa.select(Notification.id).where(
        Notification.kind == NotificationKind.ASSURANCE_ENDING.value, Notification.reference == reference
    )
    if db.session.scalar(told.limit(1)) is not None:
        return 0
    administrators = db.session.scalars(administrators_of([actor.organisation_id])).all()
    if not notify(
        actor,
        administrators,
        NotificationKind.ASSURANCE_ENDING,
        reference=reference,
        address="/assurance",
    ):
        return 0
    append(actor, "assurance.warned", object_id=row.id, version=row.revision)
    return 1


def _day(until: datetime) -> str:
    return until.astimezone(clock.LONDON).strftime("%Y-%m-%d")
