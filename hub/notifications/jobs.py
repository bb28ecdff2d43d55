"""Sends what waits in the outbox. No transaction is held while the mail server is spoken to.

A message is taken by moving its due time a few minutes on; who dies with it in hand loses nothing, it is due again. A
message that the server took just before such a death is sent twice, with the same Message-ID.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from threading import Event
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa
import structlog
from flask import current_app

from hub.access.actor import Actor
from hub.accounts import service
from hub.accounts.models import User
from hub.audit.recording import append
from hub.config import Settings
from hub.core import clock
from hub.extensions import db
from hub.notifications.mail import NotSent, Postbox
from hub.notifications.models import OutboxMessage

BATCH = 50
IN_HAND = timedelta(minutes=5)
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)
GIVE_UP_AFTER = timedelta(days=3)

log = structlog.get_logger("hub.mail")


def send_due(stop: Event) -> int:
    """Sends every message that is due; returns how many went. In a demonstration they only count as sent."""
    settings: Settings = current_app.config["HUB_SETTINGS"]
    if settings.smtp_url is None and not settings.demo:
        return 0
    sent = 0
    while not stop.is_set():
        batch = _take()
        if not batch:
            break
        sent += _send(batch, _postbox(settings), stop)
    return sent


def _postbox(settings: Settings) -> Postbox | None:
    """None in a demonstration: nothing may leave it, whatever its settings say."""
    if settings.demo or settings.smtp_url is None:
        return None
    return Postbox.parse(
        settings.smtp_url, service_host=urlsplit(settings.public_url).hostname or "localhost"
    )


def _take() -> list[tuple[UUID, OutboxMessage]]:
    """The next messages with their users' organisations, due again in a few minutes unless settled before."""
    now = clock.now()
    due = (
        sa.select(OutboxMessage.id)
        .where(
            OutboxMessage.sent_at.is_(None), OutboxMessage.failed_at.is_(None), OutboxMessage.due_at <= now
        )
        .order_by(OutboxMessage.due_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    taken = (
        sa.update(OutboxMessage)
        .where(OutboxMessage.id.in_(due.scalar_subquery()))
        .values(due_at=now + IN_HAND, tries=OutboxMessage.tries + 1)
        .returning(OutboxMessage.id)
        .execution_options(synchronize_session=False)
    )
    ids = db.session.scalars(taken).all()
    db.session.commit()
    rows = db.session.execute(
        sa.select(User.organisation_id, OutboxMessage)
        .join(User, User.id == OutboxMessage.user_id)
        .where(OutboxMessage.id.in_(ids))
        .order_by(User.organisation_id, OutboxMessage.id)
        .execution_options(populate_existing=True)
    ).all()
    db.session.commit()
    return [(organisation_id, message) for organisation_id, message in rows]


def _send(batch: Sequence[tuple[UUID, OutboxMessage]], postbox: Postbox | None, stop: Event) -> int:
    sent = 0
    for organisation_id in dict.fromkeys(organisation_id for organisation_id, _ in batch):
        with service.acting_for(organisation_id) as actor:
            for message in (one for owner, one in batch if owner == organisation_id):
                if stop.is_set():
                    return sent
                sent += _send_one(actor, message, postbox)
    return sent


def _send_one(actor: Actor, message: OutboxMessage, postbox: Postbox | None) -> bool:
    """One message, settled in a transaction of its own."""
    now = clock.now()
    settled = sa.update(OutboxMessage).where(OutboxMessage.id == message.id)
    try:
        if postbox is not None:
            postbox.send(message.id, message.to_address, message.subject, message.body, at=message.created_at)
    except NotSent as why:
        # neither address nor subject: the log of the service holds nothing about anybody
        log.warning("mail_not_sent", reason=why.reason, tries=message.tries, message=str(message.id))
        if why.forever or now - message.created_at > GIVE_UP_AFTER:
            db.session.execute(settled.values(failed_at=now))
        else:
            wait = min(FIRST_WAIT * 2 ** min(message.tries - 1, 12), LONGEST_WAIT)
            db.session.execute(settled.values(due_at=now + wait))
        db.session.commit()
        return False
    db.session.execute(settled.values(sent_at=clock.now()))
    append(actor, "notification.mailed", object_id=message.user_id, facts={"kind": message.kind})
    db.session.commit()
    return True
