"""The table of passkeys."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from hub.core.schema import TIMESTAMP, Base, Holds, Keyed, holds, reference_to


class Passkey(Keyed, Base):
    """A public key that a user's device or key holder proves to hold the other half of."""

    __tablename__ = "passkey"

    user_id: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    credential_id: Mapped[bytes] = holds(Holds.STAFF, sa.LargeBinary, unique=True)
    public_key: Mapped[bytes] = holds(Holds.STAFF, sa.LargeBinary)
    # how often it signed, as it says itself: one that counts back is a copy
    sign_count: Mapped[int] = holds(Holds.COUNT, sa.BigInteger, default=0)
    # bound to one piece of hardware, so that no copy of it lies in a cloud
    device_bound: Mapped[bool] = holds(Holds.ACCESS_FACT, sa.Boolean)
    label: Mapped[str] = holds(Holds.STAFF, sa.Text)
    last_used_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    removed_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (sa.Index("ix_passkey_user", "user_id"),)
