"""Why something is disclosed: sealed under the record's key, like every typed reason of an export."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from hub.crypto import keyring, wrapping
from hub.crypto.errors import KeyDestroyed
from hub.disclosures.models import Disclosure
from hub.extensions import db

SEAL = "disclosure-reason"


def sealed(partnership_id: UUID, record_id: UUID, disclosure_id: UUID, reason: str) -> Mapping[str, Any]:
    """The two columns that keep the reason."""
    held = keyring.data_key(db.session(), partnership_id, record_id)
    text = wrapping.seal_text(held.key, reason, purpose=SEAL, ids=(held.id, disclosure_id))
    return {"sealed_reason": text, "data_key_id": held.id}


def reason_of(disclosure: Disclosure) -> str:
    """The reason, or the sentence that says that it was erased."""
    try:
        held = keyring.key_by_id(db.session(), disclosure.data_key_id)
    except KeyDestroyed as erased:
        return erased.message
    return wrapping.open_text(held.key, disclosure.sealed_reason, purpose=SEAL, ids=(held.id, disclosure.id))
