"""Keys and short texts sealed under another key: AES-256-GCM, bound to their purpose and their owners.

The associated data is the kind (key or text), the purpose and the ids, each with its length in front, so that
no two different lists read alike. A sealed value is one byte of format, a random 96-bit nonce, the ciphertext
and its tag.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.crypto.errors import Unsealable
from hub.crypto.randomness import KEY_BYTES

Ids = tuple[UUID | str, ...]

FORMAT = b"\x01"
NONCE_BYTES = 12
TAG_BYTES = 16
_KEY = "hub/wrap/v1"
_TEXT = "hub/text/v1"


@dataclass(frozen=True)
class RootWrapped:
    """A key as a root key keeper wrapped it, and the generation of the root key that did."""

    generation: str
    sealed: bytes = field(repr=False)


def wrap(key: bytes, secret: bytes, *, purpose: str, ids: Ids) -> bytes:
    """Seal a key under `key`. It opens only with the same purpose and the same ids in the same order."""
    return _seal(key, secret, _bound_to(_KEY, purpose, ids))


def unwrap(key: bytes, wrapped: bytes, *, purpose: str, ids: Ids) -> bytes:
    """The key that `wrap` sealed, or Unsealable."""
    return _open(key, wrapped, _bound_to(_KEY, purpose, ids))


def seal_text(key: bytes, text: str, *, purpose: str, ids: Ids) -> bytes:
    """Seal a short text, kept to the letter. ValueError for lone surrogates, which are not text."""
    return _seal(key, text.encode(), _bound_to(_TEXT, purpose, ids))


def open_text(key: bytes, sealed: bytes, *, purpose: str, ids: Ids) -> str:
    """The text that `seal_text` sealed, or Unsealable."""
    return _open(key, sealed, _bound_to(_TEXT, purpose, ids)).decode()


def bound_to(purpose: str, ids: Ids) -> bytes:
    """The associated data of a wrapped key, for keepers that seal it elsewhere."""
    return _bound_to(_KEY, purpose, ids)


def _seal(key: bytes, plain: bytes, associated: bytes) -> bytes:
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes")
    nonce = secrets.token_bytes(NONCE_BYTES)
    return FORMAT + nonce + AESGCM(key).encrypt(nonce, plain, associated)


def _open(key: bytes, sealed: bytes, associated: bytes) -> bytes:
    body = len(FORMAT) + NONCE_BYTES
    if len(key) != KEY_BYTES or len(sealed) < body + TAG_BYTES or not sealed.startswith(FORMAT):
        raise Unsealable
    try:
        return AESGCM(key).decrypt(sealed[len(FORMAT) : body], sealed[body:], associated)
    except InvalidTag:
        raise Unsealable from None


def _bound_to(kind: str, purpose: str, ids: Ids) -> bytes:
    parts: list[UUID | str] = [kind, purpose, *ids]
    return b"".join(_part(part) for part in parts)


def _part(part: UUID | str) -> bytes:
    tag, value = (b"u", part.bytes) if isinstance(part, UUID) else (b"s", part.encode())
    return tag + len(value).to_bytes(4) + value
