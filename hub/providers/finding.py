"""Looks at the door, where nobody is signed in yet: which provider leads a domain's people in, whom it knows."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from hub.accounts.models import User
from hub.extensions import db
from hub.providers.models import IdentityProvider, ProviderIdentity


def find_live(provider_id: UUID | None) -> IdentityProvider | None:
    """A provider that has not ended."""
    if provider_id is None:
        return None
    return db.session.scalar(
        sa.select(IdentityProvider).where(
            IdentityProvider.id == provider_id, IdentityProvider.ended_at.is_(None)
        )
    )


def find_by_domain(domain: str) -> IdentityProvider | None:
    return db.session.scalar(
        sa.select(IdentityProvider).where(
            IdentityProvider.domains.contains([domain]), IdentityProvider.ended_at.is_(None)
        )
    )


def find_by_issuer(issuer: str) -> IdentityProvider | None:
    return db.session.scalar(
        sa.select(IdentityProvider).where(
            IdentityProvider.issuer == issuer, IdentityProvider.ended_at.is_(None)
        )
    )


def find_of_organisation(organisation_id: UUID) -> IdentityProvider | None:
    return db.session.scalar(
        sa.select(IdentityProvider).where(
            IdentityProvider.organisation_id == organisation_id, IdentityProvider.ended_at.is_(None)
        )
    )


def live_issuers() -> Sequence[str]:
    """The issuers of all providers, for the content policy of the sign-in page."""
    return db.session.scalars(
        sa.select(IdentityProvider.issuer)
        .where(IdentityProvider.ended_at.is_(None))
        .order_by(IdentityProvider.issuer)
    ).all()


def find_identity(provider_id: UUID, subject: str) -> tuple[ProviderIdentity, User] | None:
    """The account that a provider's subject is linked to."""
    row = db.session.execute(
        sa.select(ProviderIdentity, User)
        .join(User, User.id == ProviderIdentity.user_id)
        .where(ProviderIdentity.provider_id == provider_id, ProviderIdentity.subject == subject)
    ).one_or_none()
    return (row[0], row[1]) if row is not None else None
