"""Keys and human references. A key is a UUIDv7; a reference tells the organisation and the kind, never how many there are."""

from __future__ import annotations

import secrets
from uuid import UUID

import uuid_utils

# No 0/O, 1/I/L, U: letters that are read out over a radio or copied from paper.
REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
REFERENCE_LENGTH = 6


def new_id() -> UUID:
    """A fresh UUIDv7 (time-ordered, so that indexes stay compact)."""
    return UUID(bytes=uuid_utils.uuid7().bytes)


def new_reference(organisation_code: str, kind: str) -> str:
    """A reference such as `NBC-CS-7KQ4D2`; 730 million per organisation and kind, drawn at random."""
    serial = "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(REFERENCE_LENGTH))
    return f"{organisation_code}-{kind}-{serial}"
