"""Salted commitments: proof of a text that reveals nothing once its salt is erased."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata

from hub.crypto.randomness import SALT_BYTES


def commitment(salt: bytes, text: str) -> str:
    """HMAC-SHA-256 under the salt, in hex, over the text in NFC and UTF-8.

    ValueError for a salt of another length and for lone surrogates, which are not text.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes")
    return hmac.new(salt, unicodedata.normalize("NFC", text).encode(), hashlib.sha256).hexdigest()
