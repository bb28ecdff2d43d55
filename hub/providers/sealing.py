"""The client secret, sealed under the partnership's data key and opened only to be sent to the provider."""

from __future__ import annotations

from hub.access.actor import Actor
from hub.crypto import keyring, wrapping
from hub.extensions import db
from hub.providers.models import IdentityProvider

PURPOSE = "provider-secret"


def seal_secret(actor: Actor, provider: IdentityProvider, secret: str) -> None:
    """Bound to the provider and its issuer: sealed for one, it opens for no other."""
    held = keyring.data_key(db.session(), actor.partnership_id)
    provider.secret_key_id = held.id
    provider.sealed_secret = wrapping.seal_text(
        held.key, secret, purpose=PURPOSE, ids=(held.id, provider.id, provider.issuer)
    )


def open_secret(provider: IdentityProvider) -> str:
    """`Unavailable` or `Unsealable` where the key is gone."""
    held = keyring.key_by_id(db.session(), provider.secret_key_id)
    return wrapping.open_text(
        held.key, provider.sealed_secret, purpose=PURPOSE, ids=(held.id, provider.id, provider.issuer)
    )
