"""Sealing and storing together: what a thief, a mix-up or a change in the bucket does to an attachment."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Iterator
from uuid import uuid4

import pytest

from hub.crypto.errors import Unsealable
from hub.crypto.randomness import new_key
from hub.crypto.stream import (
    RangeReader,
    attachment_context,
    ciphertext_length,
    decrypt_chunks,
    encrypt_chunks,
)
from hub.launcher.objectstore import S3Address, client_for
from hub.storage.errors import ObjectChanged
from hub.storage.s3 import ObjectStore, new_object_key
from hub.storage.uploads import StoredObject

CANARY = b"canary-7f3a-in-every-block"
PLAIN = CANARY * 400_000  # over one part


class Attachment:
    """One sealed attachment, as a row of the database would know it."""

    def __init__(self, store: ObjectStore, plain: bytes) -> None:
        self.store = store
        self.key = new_key()
        self.context = attachment_context(uuid4(), uuid4(), 1)
        blocks = (plain[at : at + 65_536] for at in range(0, len(plain), 65_536))
        self.stored: StoredObject = store.put_stream(
            new_object_key(), encrypt_chunks(self.key, self.context, blocks)
        )

    def open(self, version_id: str | None = None) -> Iterator[bytes]:
        version = version_id or self.stored.version_id
        sealed = self.store.stream(self.stored.key, version, self.stored.size)
        return decrypt_chunks(self.key, self.context, sealed)

    def part(self, start: int, end: int, version_id: str | None = None) -> bytes:
        version = version_id or self.stored.version_id
        ranges = RangeReader(
            self.key,
            self.context,
            self.stored.size,
            lambda offset, length: self.store.read(self.stored.key, version, offset, length),
        )
        return b"".join(ranges.read(start, end))


@pytest.fixture(scope="module")
def attachment(store: ObjectStore) -> Attachment:
    return Attachment(store, PLAIN)


def sealed_bytes(attachment: Attachment) -> bytes:
    stored = attachment.stored
    return b"".join(attachment.store.stream(stored.key, stored.version_id, stored.size))


def test_an_attachment_comes_back_whole_and_in_parts(attachment: Attachment) -> None:
    assert b"".join(attachment.open()) == PLAIN
    for start, end in [(0, 1), (0, 5_000_000), (16_384, 16_385), (len(PLAIN) - 1, len(PLAIN)), (3, 3)]:
        assert attachment.part(start, end) == PLAIN[start:end]


def test_the_stored_size_is_the_announced_one(attachment: Attachment) -> None:
    assert attachment.stored.size == ciphertext_length(len(PLAIN))


def test_a_thief_of_the_bucket_reads_nothing(attachment: Attachment) -> None:
    sealed = sealed_bytes(attachment)
    assert len(sealed) > len(PLAIN)
    assert CANARY not in sealed and CANARY[:8] not in sealed


@pytest.mark.parametrize("position", [0, 30, 60, 16_384 * 300, -1])
def test_a_changed_object_is_refused_before_a_wrong_byte(
    versioned: ObjectStore, versioned_address: S3Address, position: int
) -> None:
    attachment = Attachment(versioned, PLAIN)
    changed = bytearray(sealed_bytes(attachment))
    changed[position] ^= 1
    forged = client_for(versioned_address).put_object(
        Bucket=versioned_address.bucket, Key=attachment.stored.key, Body=bytes(changed)
    )
    released = bytearray()
    with pytest.raises(Unsealable):
        for block in attachment.open(forged["VersionId"]):
            released += block
    assert PLAIN.startswith(released)
    with pytest.raises(Unsealable):
        attachment.part(0, len(PLAIN), forged["VersionId"])
    assert b"".join(attachment.open()) == PLAIN, "the pinned version is untouched"


def test_an_object_in_the_place_of_another_is_refused(
    versioned: ObjectStore, versioned_address: S3Address
) -> None:
    first, second = Attachment(versioned, PLAIN), Attachment(versioned, PLAIN)
    forged = client_for(versioned_address).put_object(
        Bucket=versioned_address.bucket, Key=first.stored.key, Body=sealed_bytes(second)
    )
    with pytest.raises(Unsealable):
        list(first.open(forged["VersionId"]))
    second.context = first.context  # a stolen key does not help either: another attachment's context
    with pytest.raises(Unsealable):
        list(second.open())


@pytest.mark.parametrize("size", [-1, 1])
def test_an_object_of_another_size_is_refused_unread(
    versioned: ObjectStore, versioned_address: S3Address, size: int
) -> None:
    attachment = Attachment(versioned, b"short")
    sealed = sealed_bytes(attachment)
    body = sealed[:size] if size < 0 else sealed + bytes(size)
    forged = client_for(versioned_address).put_object(
        Bucket=versioned_address.bucket, Key=attachment.stored.key, Body=body
    )
    with pytest.raises(ObjectChanged):
        attachment.open(forged["VersionId"])


def test_sealing_storing_and_opening_64_mib_hold_little_memory(versioned: ObjectStore) -> None:
    size, block = 64 * 1024 * 1024, os.urandom(65_536)
    key, context, name = new_key(), attachment_context(uuid4(), uuid4(), 1), new_object_key()
    tracemalloc.start()
    try:
        stored = versioned.put_stream(
            name, encrypt_chunks(key, context, (block for _ in range(size // len(block))))
        )
        sealed = versioned.stream(name, stored.version_id, stored.size)
        assert sum(len(piece) for piece in decrypt_chunks(key, context, sealed)) == size
        ranges = RangeReader(
            key, context, stored.size, lambda at, length: versioned.read(name, stored.version_id, at, length)
        )
        assert sum(len(piece) for piece in ranges.read(0, size)) == size
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 32 * 1024 * 1024
