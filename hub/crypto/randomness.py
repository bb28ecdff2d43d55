"""Random bytes for keys and salts, only ever from the operating system."""

from __future__ import annotations

import secrets

KEY_BYTES = 32
SALT_BYTES = 32


def new_key() -> bytes:
    """A fresh 256-bit key."""
    return secrets.token_bytes(KEY_BYTES)


def new_salt() -> bytes:
    """A fresh salt for one commitment; whoever has it can test guesses, so it is erased with the text."""
    return secrets.token_bytes(SALT_BYTES)
