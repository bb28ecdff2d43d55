"""Tables of identity providers and of whom they know."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from hub.core.schema import TEXT_ARRAY, TIMESTAMP, Base, Holds, Keyed, Revised, holds, reference_to


class IdentityProvider(Keyed, Revised, Base):
    """An organisation's own provider. Issuer and algorithms are pinned here, never taken from what is fetched."""

    __tablename__ = "identity_provider"

    organisation_id: Mapped[UUID] = reference_to("organisation.id")
    name: Mapped[str] = holds(Holds.LABEL, sa.Text)
    issuer: Mapped[str] = holds(Holds.REFERENCE, sa.Text)
    client_id: Mapped[str] = holds(Holds.REFERENCE, sa.Text)
    sealed_secret: Mapped[bytes] = holds(Holds.SECRET, sa.LargeBinary)
    secret_key_id: Mapped[UUID] = reference_to("data_key.id")
    # the part of an e-mail address behind the @, by which its people are sent to it
    domains: Mapped[list[str]] = holds(Holds.REFERENCE, TEXT_ARRAY)
    algorithms: Mapped[list[str]] = holds(Holds.CODE, TEXT_ARRAY)
    # a second factor shows in one of these: `acr` is one of them, or `amr` has one of them
    accepted_acr: Mapped[list[str]] = holds(Holds.CODE, TEXT_ARRAY)
    accepted_amr: Mapped[list[str]] = holds(Holds.CODE, TEXT_ARRAY)
    ended_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (
        sa.Index(
            "uq_identity_provider_issuer", "issuer", unique=True, postgresql_where=sa.text("ended_at IS NULL")
        ),
        sa.Index("ix_identity_provider_organisation", "organisation_id"),
    )


class ProviderIdentity(Keyed, Base):
    """Whom a provider means by a subject. Issuer and subject are the identity; an e-mail address is none."""

    __tablename__ = "provider_identity"

    provider_id: Mapped[UUID] = reference_to("identity_provider.id")
    subject: Mapped[str] = holds(Holds.STAFF, sa.Text)
    user_id: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    last_used_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (
        sa.UniqueConstraint("provider_id", "subject"),
        sa.UniqueConstraint("provider_id", "user_id"),
        sa.Index("ix_provider_identity_user", "user_id"),
    )
