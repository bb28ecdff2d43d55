"""Attachments sealed as streams: Cobblestone-256, the C2SP chunked-encryption scheme with AES-256-GCM and SHA-512.

A sealed stream is a header (salt 24, commitment 32) and chunks of 16,384 bytes, each with a tag of 16; the last chunk
is always shorter, so a cut is found. Key, base nonce and commitment come from HKDF-Expand over key, salt and context.

Whole streams go through `cryptography.cobblestone`. That reads from the start only, so `RangeReader` opens single
chunks, written from the specification and tested against the library. Note: the vectors in the `cryptography-vectors`
package are for SHA-256, which the library does not offer; the published ones for SHA-512 are Project Wycheproof's.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar
from uuid import UUID

from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from hub.crypto.errors import Unsealable
from hub.crypto.randomness import KEY_BYTES

CHUNK = 16_384
TAG = 16
SEALED_CHUNK = CHUNK + TAG
SALT = 24
COMMITMENT = 32
HEADER = SALT + COMMITMENT
NONCE = 12
MAX_CHUNKS = 2**38
LABEL = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"
ATTACHMENT_LABEL = b"hub/att/v1\0"
# What a range read fetches and holds at once: 1 MiB of plaintext
WINDOW_CHUNKS = 64

Fetch = Callable[[int, int], bytes]


def attachment_context(partnership_id: UUID, attachment_id: UUID, version: int) -> bytes:
    """What a sealed attachment is bound to. Every part has a fixed length, so no two triples read alike."""
    return ATTACHMENT_LABEL + partnership_id.bytes + attachment_id.bytes + version.to_bytes(8)


def ciphertext_length(plain: int) -> int:
    """The sealed size of `plain` bytes."""
    return HEADER + plain + TAG * (plain // CHUNK + 1)


def plaintext_length(cipher: int) -> int:
    """The plain size of a sealed stream, or Unsealable when no stream has that size."""
    full, last = divmod(cipher - HEADER, SEALED_CHUNK)
    if full < 0 or last < TAG or full >= MAX_CHUNKS:
        raise Unsealable
    return full * CHUNK + last - TAG


def encrypt_chunks(key: bytes, context: bytes, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Seal a stream of blocks of any sizes. A key seals one stream only; ValueError for a key of another length."""
    return _encrypted(Cobblestone256Encryptor(key, context), blocks)


def decrypt_chunks(key: bytes, context: bytes, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Open a sealed stream from its start. Every byte given out is verified; Unsealable at the first that is not.

    A cut shows only at the end: what came before is true, but it is whole only when the iterator ends by itself.
    """
    if len(key) != KEY_BYTES:
        raise Unsealable
    return _decrypted(Cobblestone256Decryptor(key, context), blocks)


def _encrypted(encryptor: Cobblestone256Encryptor, blocks: Iterable[bytes]) -> Iterator[bytes]:
    for block in blocks:
        if sealed := encryptor.update(block):
            yield sealed
    yield encryptor.finalize()


def _decrypted(decryptor: Cobblestone256Decryptor, blocks: Iterable[bytes]) -> Iterator[bytes]:
    for block in blocks:
        try:
            plain = decryptor.update(block)
        except InvalidTag:
            raise Unsealable from None
        if plain:
            yield plain
    try:
        rest = decryptor.finalize()
    except InvalidTag:
        raise Unsealable from None
    if rest:
        yield rest


class RangeReader:
    """Any part of a sealed stream, without reading what comes before it.

    `fetch(offset, length)` gives exactly those bytes of the sealed stream, whose full size the caller knows from a
    source it trusts. Before the first byte is released the header and the last chunk are verified, and with them the
    size. Two readings of one reader share nothing that changes, so it may serve several requests.
    """

    digest: ClassVar[hashes.HashAlgorithm] = hashes.SHA512()

    def __init__(self, key: bytes, context: bytes, sealed_size: int, fetch: Fetch) -> None:
        self.size = plaintext_length(sealed_size)
        self._sealed_size = sealed_size
        self._key = key
        self._context = context
        self._fetch = fetch
        self._cipher: tuple[AESGCM, int] | None = None

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """Plaintext bytes `[start, end)` as verified pieces; ValueError for a range outside the stream.

        The check of header and size is done before this returns; Unsealable there, or at the first changed chunk.
        """
        if not 0 <= start <= end <= self.size:
            raise ValueError(f"no range {start} to {end} in {self.size} bytes")
        if self._cipher is None:
            cipher = self._derived()
            self._verify_last_chunk(*cipher)
            self._cipher = cipher
        return self._pieces(*self._cipher, start, end)

    def _derived(self) -> tuple[AESGCM, int]:
        header = self._exactly(0, HEADER)
        if len(self._key) != KEY_BYTES:
            raise Unsealable
        info = LABEL + header[:SALT] + self._context
        derived = HKDFExpand(self.digest, KEY_BYTES + NONCE + COMMITMENT, info).derive(self._key)
        if not hmac.compare_digest(derived[KEY_BYTES + NONCE :], header[SALT:]):
            raise Unsealable
        return AESGCM(derived[:KEY_BYTES]), int.from_bytes(derived[KEY_BYTES : KEY_BYTES + NONCE])

    def _verify_last_chunk(self, aead: AESGCM, base_nonce: int) -> None:
        last = self.size // CHUNK
        self._opened(aead, base_nonce, last, last + 1)

    def _pieces(self, aead: AESGCM, base_nonce: int, start: int, end: int) -> Iterator[bytes]:
        while start < end:
            first = start // CHUNK
            beyond = min(first + WINDOW_CHUNKS, (end - 1) // CHUNK + 1)
            plain = self._opened(aead, base_nonce, first, beyond)
            piece = plain[start - first * CHUNK : end - first * CHUNK]
            yield piece
            start += len(piece)

    def _opened(self, aead: AESGCM, base_nonce: int, first: int, beyond: int) -> bytes:
        """The plaintext of the chunks `[first, beyond)`, all verified."""
        offset = HEADER + first * SEALED_CHUNK
        length = min(beyond * SEALED_CHUNK + HEADER, self._sealed_size) - offset
        sealed = memoryview(self._exactly(offset, length))
        opened = []
        for index in range(first, beyond):
            at = (index - first) * SEALED_CHUNK
            nonce = (base_nonce ^ index).to_bytes(NONCE)
            try:
                opened.append(aead.decrypt(nonce, sealed[at : at + SEALED_CHUNK], None))
            except InvalidTag:
                raise Unsealable from None
        return b"".join(opened)

    def _exactly(self, offset: int, length: int) -> bytes:
        fetched = self._fetch(offset, length)
        if len(fetched) != length:
            raise Unsealable
        return fetched
