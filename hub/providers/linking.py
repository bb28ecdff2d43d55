"""The link between a provider's subject and an account: one of each. Its events are the caller's to write."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from hub.core import clock
from hub.core.errors import Conflict
from hub.core.ids import new_id
from hub.extensions import db
from hub.providers.models import IdentityProvider, ProviderIdentity

LINKED, UNLINKED = "identity.linked", "identity.unlinked"


def insert_identity(provider: IdentityProvider, user_id: UUID, subject: str) -> None:
    """`Conflict` where the subject or the user is linked already. The caller writes the event."""
    now = clock.now()
    made = insert(ProviderIdentity).values(
        id=new_id(),
        created_at=now,
        provider_id=provider.id,
        subject=subject,
        user_id=user_id,
        last_used_at=now,
    )
    if db.session.scalar(made.on_conflict_do_nothing().returning(ProviderIdentity.id)) is None:
        raise Conflict(
            "linked_already",
            "This sign-in, or this account, is linked to another already. Nothing was changed.",
        )
