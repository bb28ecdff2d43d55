"""Attachments sealed as streams: Cobblestone-256 (C2SP chunked encryption with AES-256-GCM and SHA-512).

A sealed stream is a header (salt 24, commitment 32) and chunks of 16,384 bytes, each with a tag of 16; the
last chunk is always shorter, so a cut is found. Key, base nonce and commitment come from HKDF-Expand over
key, salt and context.

Whole streams go through `cryptography.cobblestone`. That reads from the start only, so `RangeReader` opens
single chunks, written from the specification and tested against the library. Note: the vectors in the
`cryptography-vectors` package are for SHA-256, which the library does not offer; the published ones for
SHA-512 are Project Wycheproof's.
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

Fetch = Callable[[int, int], Iterable[bytes]]


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
    """Seal blocks of any sizes as one stream. Use a key once. ValueError for a key of another length."""
    return _encrypted(Cobblestone256Encryptor(key, context), blocks)


def decrypt_chunks(key: bytes, context: bytes, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Open a sealed stream from its start. Every byte given out is verified; Unsealable at the first other.

    A cut shows only at the end: what came before is true, but whole only when the iterator ends by itself.
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

    `fetch(offset, length)` gives exactly those bytes of the sealed stream as blocks of any sizes; the
    stream's full size must come from a source that is trusted. Before the first byte is released the header
    and the last chunk are verified, and with them the size. Readings share nothing that changes, so one
    reader may serve several requests.
    """

    digest: ClassVar[hashes.HashAlgorithm] = hashes.SHA512()

    def __init__(self, key: bytes, context: bytes, sealed_size: int, fetch: Fetch) -> None:
        self.size = plaintext_length(sealed_size)
        self._sealed_size = sealed_size
        self._key = key
        self._context = context
        self._fetch = fetch
        self._cipher: _ChunkCipher | None = None

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """Plaintext bytes `[start, end)` as verified pieces; ValueError for a range outside the stream.

        Header and size are verified before this returns. Unsealable here, or at the first changed chunk.
        """
        if not 0 <= start <= end <= self.size:
            raise ValueError(f"no range {start} to {end} in {self.size} bytes")
        if self._cipher is None:
            cipher = self._derived()
            last = self.size // CHUNK
            for _ in self._opened(cipher, last, last + 1):
                pass
            self._cipher = cipher
        return self._pieces(self._cipher, start, end)

    def _derived(self) -> _ChunkCipher:
        header = b"".join(self._fetch(0, HEADER))
        if len(self._key) != KEY_BYTES or len(header) != HEADER:
            raise Unsealable
        info = LABEL + header[:SALT] + self._context
        derived = HKDFExpand(self.digest, KEY_BYTES + NONCE + COMMITMENT, info).derive(self._key)
        if not hmac.compare_digest(derived[KEY_BYTES + NONCE :], header[SALT:]):
            raise Unsealable
        return _ChunkCipher(derived[:KEY_BYTES], derived[KEY_BYTES : KEY_BYTES + NONCE])

    def _pieces(self, cipher: _ChunkCipher, start: int, end: int) -> Iterator[bytes]:
        if start == end:
            return
        first = start // CHUNK
        skip, wanted = start - first * CHUNK, end - start
        for plain in self._opened(cipher, first, (end - 1) // CHUNK + 1):
            piece = plain[skip : skip + wanted]
            skip = max(0, skip - len(plain))
            wanted -= len(piece)
            if piece:
                yield piece

    def _opened(self, cipher: _ChunkCipher, first: int, beyond: int) -> Iterator[bytes]:
        """The plaintext of the chunks `[first, beyond)` as they arrive, all verified."""
        offset = HEADER + first * SEALED_CHUNK
        missing = min(HEADER + beyond * SEALED_CHUNK, self._sealed_size) - offset
        index, waiting = first, bytearray()
        for block in self._fetch(offset, missing):
            waiting += block
            missing -= len(block)
            if missing < 0:
                raise Unsealable
            whole = len(waiting) - len(waiting) % SEALED_CHUNK if missing else len(waiting)
            yield cipher.open(index, bytes(memoryview(waiting)[:whole]))
            index += whole // SEALED_CHUNK
            del waiting[:whole]
        if missing:
            raise Unsealable


class _ChunkCipher:
    """Opens single chunks: the nonce of each is the base nonce XOR its number."""

    def __init__(self, key: bytes, base_nonce: bytes) -> None:
        self.aead = AESGCM(key)
        self.base_nonce = int.from_bytes(base_nonce)

    def open(self, index: int, sealed: bytes) -> bytes:
        """The plaintext of neighbouring sealed chunks, of which `index` is the first."""
        view = memoryview(sealed)
        try:
            return b"".join(
                self.aead.decrypt(
                    (self.base_nonce ^ (index + number)).to_bytes(NONCE), view[at : at + SEALED_CHUNK], None
                )
                for number, at in enumerate(range(0, len(sealed), SEALED_CHUNK))
            )
        except InvalidTag:
            raise Unsealable from None
