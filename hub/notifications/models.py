"""Tables of notifications in the hub and of e-mails to send. Neither ever holds personal data of a case."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from hub.core import clock
from hub.core.schema import TIMESTAMP, Base, Holds, Keyed, holds, reference_to


class Notification(Keyed, Base):
    """Something a user should know: a kind, a reference and an address in the hub."""

    __tablename__ = "notification"

    user_id: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    kind: Mapped[str] = holds(Holds.CODE, sa.Text)
    reference: Mapped[str] = holds(Holds.REFERENCE, sa.Text)
    address: Mapped[str] = holds(Holds.REFERENCE, sa.Text)
    read_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (sa.Index("ix_notification_user", "user_id", "created_at", "id"),)


class OutboxMessage(Keyed, Base):
    """An e-mail to send, written in the transaction of the act that it tells of."""

    __tablename__ = "outbox_message"

    user_id: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    to_address: Mapped[str] = holds(Holds.STAFF, sa.Text)
    kind: Mapped[str] = holds(Holds.CODE, sa.Text)
    subject: Mapped[str] = holds(Holds.LABEL, sa.Text)
    body: Mapped[str] = holds(Holds.LABEL, sa.Text)
    sent_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    tries: Mapped[int] = holds(Holds.COUNT, sa.Integer, default=0)
    # when it may be tried (again): later after each failure, and while a worker has it in hand
    due_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP, default=clock.now)
    failed_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (
        sa.Index("ix_outbox_message_user", "user_id", "id"),
        sa.Index(
            "ix_outbox_message_due",
            "due_at",
            postgresql_where=sa.text("sent_at IS NULL AND failed_at IS NULL"),
        ),
    )
