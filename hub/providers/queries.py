"""Reads of identity providers by those whom they concern: the organisation's people and its administrators."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.core.errors import NotVisible
from hub.extensions import db
from hub.providers.finding import find_of_organisation
from hub.providers.models import IdentityProvider, ProviderIdentity


def find_own(actor: Actor) -> tuple[IdentityProvider | None, ProviderIdentity | None]:
    """The provider of the actor's organisation, and how it knows the actor."""
    provider = find_of_organisation(actor.organisation_id)
    if provider is None:
        return None, None
    return provider, db.session.scalar(
        sa.select(ProviderIdentity).where(
            ProviderIdentity.provider_id == provider.id, ProviderIdentity.user_id == actor.user_id
        )
    )


def load_for_change(actor: Actor, provider_id: UUID) -> IdentityProvider:
    """A live provider of the actor's organisation, locked; `NotVisible` for any other."""
    provider = db.session.scalar(
        sa.select(IdentityProvider)
        .where(
            IdentityProvider.id == provider_id,
            IdentityProvider.organisation_id == actor.organisation_id,
            IdentityProvider.ended_at.is_(None),
        )
        .with_for_update()
    )
    if provider is None:
        raise NotVisible
    return provider


def count_linked(actor: Actor, provider_id: UUID) -> int:
    """How many of the own organisation's people are linked."""
    linked = (
        sa.select(sa.func.count())
        .select_from(ProviderIdentity)
        .join(IdentityProvider, IdentityProvider.id == ProviderIdentity.provider_id)
        .where(
            ProviderIdentity.provider_id == provider_id,
            IdentityProvider.organisation_id == actor.organisation_id,
        )
    )
    return db.session.scalar(linked) or 0


def is_linked(actor: Actor) -> bool:
    """Is there a provider in use that knows the actor?"""
    provider, identity = find_own(actor)
    return provider is not None and identity is not None
