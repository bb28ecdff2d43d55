"""Sealed streams: the published vectors, ranges against the library as the oracle, and every way to tamper."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import cryptography_vectors
import pytest
from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.crypto.errors import Unsealable
from hub.crypto.stream import (
    CHUNK,
    HEADER,
    LABEL,
    SALT,
    SEALED_CHUNK,
    TAG,
    Fetch,
    RangeReader,
    attachment_context,
    ciphertext_length,
    decrypt_chunks,
    encrypt_chunks,
    plaintext_length,
)

KEY = bytes(range(32))
CONTEXT = b"context"
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5000]
# Sealed once by `cryptography` 50.0.2: what is stored today must open after every upgrade
GOLDEN = (
    "iwRY8VAfFlJQ4t/E7htY1irhTdei2jFEASWvFlqP0Hdv2kyT1GFVs1ktPE3ogdRk7VFvj3Av"
    "NKlzDR+O0iU1fK3JfV8zbtht+6kdE2yWBHw+H70CxAliyXsrO6u+"
)


def seal(plain: bytes, key: bytes = KEY, context: bytes = CONTEXT) -> bytes:
    return b"".join(encrypt_chunks(key, context, [plain]))


def open_whole(sealed: bytes, key: bytes = KEY, context: bytes = CONTEXT) -> bytes:
    return b"".join(decrypt_chunks(key, context, [sealed]))


def reader(
    sealed: bytes, key: bytes = KEY, context: bytes = CONTEXT, kind: type[RangeReader] = RangeReader
) -> RangeReader:
    return kind(key, context, len(sealed), fetching(sealed))


def fetching(sealed: bytes, sizes: list[int] | None = None) -> Fetch:
    """A store that holds `sealed` and gives it out in blocks of the given sizes."""
    return lambda offset, length: cut(sealed[offset : offset + length], sizes or [])


def open_by_ranges(sealed: bytes, key: bytes = KEY, context: bytes = CONTEXT) -> bytes:
    ranges = reader(sealed, key, context)
    return b"".join(ranges.read(0, ranges.size))


def cut(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    """The data in blocks of the given sizes, then the rest."""
    for size in sizes:
        yield data[:size]
        data = data[size:]
    yield data


# --- the format


class PublishedVectorReader(RangeReader):
    """The vectors that `cryptography-vectors` carries derive with SHA-256; all else is the same."""

    digest = hashes.SHA256()


def published_vectors() -> list[dict[str, Any]]:
    file = Path(cryptography_vectors.__file__).parent / "chunked-encryption" / "vectors.json"
    vectors: list[dict[str, Any]] = json.loads(file.read_text())["vectors"]
    return [vector for vector in vectors if vector["aead"] == "AEAD_AES_256_GCM"]


def sealed_of(vector: dict[str, Any]) -> bytes:
    sealed = base64.b64decode(vector["ciphertext"] or "")
    return zlib.decompress(sealed) if vector.get("compressed") else sealed


def vector_plaintext(vector: dict[str, Any]) -> bytes:
    key, context = bytes.fromhex(vector["key"]), vector["context"].encode()
    ranges = reader(sealed_of(vector), key, context, PublishedVectorReader)
    return b"".join(ranges.read(0, ranges.size))


def test_the_published_vectors_are_all_there() -> None:
    results = [vector["expect"] for vector in published_vectors()]
    assert (results.count("success"), results.count("failure")) == (9, 25)


@pytest.mark.parametrize("vector", published_vectors(), ids=lambda vector: vector["name"])
def test_a_range_reader_agrees_with_the_published_vectors(vector: dict[str, Any]) -> None:
    if vector["expect"] == "failure":
        with pytest.raises(Unsealable):
            vector_plaintext(vector)
    else:
        plain = vector_plaintext(vector)
        assert len(plain) == vector["payload_length"]
        assert hashlib.sha256(plain).hexdigest() == vector["payload_sha256"]


@pytest.mark.parametrize(
    "vector", [v for v in published_vectors() if v["expect"] == "success"], ids=lambda vector: vector["name"]
)
def test_both_readers_open_a_published_message_resealed_with_sha512(vector: dict[str, Any]) -> None:
    """Same key, salt, context and message as published; the chunks sealed here by the letter of the specification."""
    plain, key, context = vector_plaintext(vector), bytes.fromhex(vector["key"]), vector["context"].encode()
    salt = sealed_of(vector)[:SALT]
    derived = HKDFExpand(hashes.SHA512(), 32 + 12 + 32, LABEL + salt + context).derive(key)
    chunks = [plain[at : at + CHUNK] for at in range(0, len(plain) + 1, CHUNK)]
    nonces = [
        bytes(a ^ b for a, b in zip(derived[32:44], i.to_bytes(12), strict=True)) for i in range(len(chunks))
    ]
    body = [
        AESGCM(derived[:32]).encrypt(nonce, chunk, None) for nonce, chunk in zip(nonces, chunks, strict=True)
    ]
    sealed = salt + derived[44:] + b"".join(body)
    assert open_whole(sealed, key, context) == plain == open_by_ranges(sealed, key, context)


def test_what_was_sealed_by_an_earlier_version_still_opens() -> None:
    sealed = base64.b64decode(GOLDEN)
    assert open_whole(sealed) == b"Kept for seven years." == open_by_ranges(sealed)


@pytest.mark.parametrize("size", SIZES)
def test_what_is_sealed_opens_by_both_readers_and_by_the_library(size: int) -> None:
    plain = os.urandom(size)
    sealed = seal(plain)
    library = Cobblestone256Decryptor(KEY, CONTEXT)
    assert library.update(sealed) + library.finalize() == plain
    assert open_whole(sealed) == plain == open_by_ranges(sealed)


@given(
    plain=st.binary(max_size=3 * CHUNK),
    into=st.lists(st.integers(0, CHUNK)),
    out=st.lists(st.integers(0, CHUNK)),
)
@settings(max_examples=60, deadline=None)
def test_the_sizes_of_blocks_do_not_matter(plain: bytes, into: list[int], out: list[int]) -> None:
    sealed = b"".join(encrypt_chunks(KEY, CONTEXT, cut(plain, into)))
    assert b"".join(decrypt_chunks(KEY, CONTEXT, cut(sealed, out))) == plain


@given(size=st.integers(0, 40 * CHUNK))
def test_lengths_follow_from_each_other(size: int) -> None:
    assert plaintext_length(ciphertext_length(size)) == size


@pytest.mark.parametrize("size", SIZES)
def test_the_announced_length_is_the_real_one(size: int) -> None:
    assert len(seal(bytes(size))) == ciphertext_length(size)


@pytest.mark.parametrize(
    "length",
    [-1, 0, HEADER, HEADER + TAG - 1, HEADER + SEALED_CHUNK, HEADER + SEALED_CHUNK + TAG - 1, 2**53],
)
def test_a_length_that_no_sealed_stream_has_is_refused(length: int) -> None:
    with pytest.raises(Unsealable):
        plaintext_length(length)


def test_two_sealings_of_the_same_bytes_share_nothing() -> None:
    assert seal(b"same")[:HEADER] != seal(b"same")[:HEADER]


# --- ranges


LONG = os.urandom(20 * CHUNK + 77)
LONG_SEALED = seal(LONG)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_range_is_exactly_those_bytes(data: st.DataObject) -> None:
    edges = [0, CHUNK - 1, CHUNK, CHUNK + 1, 16 * CHUNK, 16 * CHUNK + 1, len(LONG)]
    positions = st.one_of(st.sampled_from(edges), st.integers(0, len(LONG)))
    start, end = sorted((data.draw(positions), data.draw(positions)))
    sizes = data.draw(st.lists(st.integers(0, 3 * CHUNK), max_size=8))
    pieces = list(RangeReader(KEY, CONTEXT, len(LONG_SEALED), fetching(LONG_SEALED, sizes)).read(start, end))
    assert b"".join(pieces) == LONG[start:end]
    assert all(pieces)


@pytest.mark.parametrize(("start", "end"), [(-1, 3), (3, 2), (0, len(LONG) + 1)])
def test_a_range_outside_the_stream_is_an_error(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="no range"):
        reader(LONG_SEALED).read(start, end)


def test_a_range_fetches_little_more_than_it_needs() -> None:
    fetched: list[int] = []

    def fetch(offset: int, length: int) -> list[bytes]:
        fetched.append(length)
        return [LONG_SEALED[offset : offset + length]]

    ranges = RangeReader(KEY, CONTEXT, len(LONG_SEALED), fetch)
    assert b"".join(ranges.read(5 * CHUNK + 3, 5 * CHUNK + 9)) == LONG[5 * CHUNK + 3 : 5 * CHUNK + 9]
    assert sum(fetched) <= HEADER + 2 * SEALED_CHUNK
    before = len(fetched)
    assert b"".join(ranges.read(0, 1)) == LONG[:1]
    assert len(fetched) == before + 1, "header and last chunk are fetched once"


WRONG_FETCHES: dict[str, Fetch] = {
    "too little": lambda offset, length: [LONG_SEALED[offset : offset + length - 1]],
    "too much": lambda offset, length: [LONG_SEALED[offset : offset + length + 1]],
    "more, later": lambda offset, length: [LONG_SEALED[offset : offset + length], b"x"],
    "everything": lambda *_: [LONG_SEALED],
    "nothing": lambda *_: [],
}


@pytest.mark.parametrize("fetch", WRONG_FETCHES.values(), ids=list(WRONG_FETCHES))
def test_a_fetch_of_the_wrong_length_is_refused(fetch: Fetch) -> None:
    with pytest.raises(Unsealable):
        RangeReader(KEY, CONTEXT, len(LONG_SEALED), fetch).read(0, 1)
    # ... and where only the fetch of the range itself goes wrong
    fetches = iter([fetching(LONG_SEALED), fetching(LONG_SEALED), fetch])

    def in_turn(offset: int, length: int) -> Iterable[bytes]:
        return next(fetches)(offset, length)

    ranges = RangeReader(KEY, CONTEXT, len(LONG_SEALED), in_turn)
    released = b""
    with pytest.raises(Unsealable):
        for piece in ranges.read(5 * CHUNK, 9 * CHUNK):
            released += piece
    assert LONG[5 * CHUNK :].startswith(released)


def test_a_store_that_does_not_stop_is_not_listened_to() -> None:
    taken: list[int] = []

    def fetch(offset: int, length: int) -> Iterator[bytes]:
        beyond = len(LONG_SEALED) if offset else length
        for at in range(offset, beyond, SEALED_CHUNK):
            taken.append(at)
            yield LONG_SEALED[at : min(at + SEALED_CHUNK, beyond)]

    ranges = RangeReader(KEY, CONTEXT, len(LONG_SEALED), fetch)
    pieces = ranges.read(CHUNK, 2 * CHUNK)
    before = len(taken)
    with pytest.raises(Unsealable):
        list(pieces)
    assert len(taken) - before <= 2


def test_a_range_is_given_out_while_it_arrives() -> None:
    fed: list[int] = []

    def fetch(offset: int, length: int) -> Iterator[bytes]:
        for at in range(offset, offset + length, 1000):
            fed.append(at)
            yield LONG_SEALED[at : min(at + 1000, offset + length)]

    pieces = RangeReader(KEY, CONTEXT, len(LONG_SEALED), fetch).read(0, len(LONG))
    before = len(fed)
    assert len(next(pieces)) == CHUNK
    assert len(fed) - before <= SEALED_CHUNK // 1000 + 1


# --- tampering

PLAIN = os.urandom(3 * CHUNK + 100)
SEALED = seal(PLAIN)
CHUNKS = [SEALED[HEADER:][at : at + SEALED_CHUNK] for at in range(0, len(SEALED) - HEADER, SEALED_CHUNK)]


def flipped(position: int) -> bytes:
    return SEALED[:position] + bytes([SEALED[position] ^ 1]) + SEALED[position + 1 :]


def with_chunks(*order: int) -> bytes:
    return SEALED[:HEADER] + b"".join(CHUNKS[index] for index in order)


TAMPERED = {
    "salt": flipped(0),
    "commitment": flipped(SALT),
    "first byte": flipped(HEADER),
    "first tag": flipped(HEADER + SEALED_CHUNK - 1),
    "middle chunk": flipped(HEADER + SEALED_CHUNK + 9),
    "last byte": flipped(len(SEALED) - 1),
    "one byte short": SEALED[:-1],
    "last chunk gone": with_chunks(0, 1, 2),
    "two chunks gone": with_chunks(0, 1),
    "last chunk early": with_chunks(0, 1, 3),
    "only the header": SEALED[:HEADER],
    "half a header": SEALED[:30],
    "nothing": b"",
    "one byte more": SEALED + b"x",
    "a tag more": SEALED + bytes(TAG),
    "last chunk twice": with_chunks(0, 1, 2, 3, 3),
    "chunks swapped": with_chunks(1, 0, 2, 3),
    "chunk repeated": with_chunks(0, 0, 2, 3),
    "chunk of another stream": SEALED[:HEADER]
    + seal(PLAIN)[HEADER : HEADER + SEALED_CHUNK]
    + SEALED[HEADER + SEALED_CHUNK :],
    "header of another stream": seal(PLAIN)[:HEADER] + SEALED[HEADER:],
}


@pytest.mark.parametrize("tampered", TAMPERED.values(), ids=TAMPERED)
def test_a_changed_stream_is_refused_before_a_wrong_byte(tampered: bytes) -> None:
    for block in (1000, SEALED_CHUNK, len(SEALED) * 2):
        released = b""
        with pytest.raises(Unsealable):
            for piece in decrypt_chunks(KEY, CONTEXT, cut(tampered, [block] * (len(tampered) // block))):
                released += piece
        assert PLAIN.startswith(released)


@pytest.mark.parametrize("tampered", TAMPERED.values(), ids=TAMPERED)
def test_a_changed_stream_is_refused_by_range_before_a_wrong_byte(tampered: bytes) -> None:
    with pytest.raises(Unsealable):
        open_by_ranges(tampered)
    # ... and where the size in the database is the true one, whatever the store now holds
    for start, end in [
        (0, 10),
        (CHUNK - 5, CHUNK + 5),
        (2 * CHUNK, 2 * CHUNK + 1),
        (len(PLAIN) - 3, len(PLAIN)),
    ]:
        ranges = RangeReader(KEY, CONTEXT, len(SEALED), fetching(tampered, [1000, SEALED_CHUNK]))
        try:
            released = b"".join(ranges.read(start, end))
        except Unsealable:
            continue
        assert released == PLAIN[start:end]


@pytest.mark.parametrize("opening", [open_whole, open_by_ranges])
@pytest.mark.parametrize(
    ("key", "context"),
    [
        (bytes(32), CONTEXT),
        (KEY, b"contexT"),
        (KEY, b""),
        (KEY[:31], CONTEXT),
        (KEY + b"x", CONTEXT),
        (b"", CONTEXT),
    ],
)
def test_a_wrong_key_or_context_opens_nothing(
    opening: Callable[[bytes, bytes, bytes], bytes], key: bytes, context: bytes
) -> None:
    with pytest.raises(Unsealable):
        opening(SEALED, key, context)


@given(position=st.integers(0, len(SEALED) - 1), bit=st.integers(0, 7))
@settings(max_examples=80, deadline=None)
def test_any_flipped_bit_is_found(position: int, bit: int) -> None:
    tampered = bytearray(SEALED)
    tampered[position] ^= 1 << bit
    for opening in (open_whole, open_by_ranges):
        with pytest.raises(Unsealable):
            opening(bytes(tampered))


def test_a_key_of_another_length_seals_nothing() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        encrypt_chunks(KEY[:16], CONTEXT, [b""])


def test_the_failure_says_nothing_about_its_cause() -> None:
    said = set()
    for tampered in TAMPERED.values():
        with pytest.raises(Unsealable) as failure:
            open_whole(tampered)
        said.add((str(failure.value), failure.value.__cause__))
    assert len(said) == 1


def test_an_attachment_is_bound_to_partnership_attachment_and_version() -> None:
    first, second = uuid4(), uuid4()
    contexts = {
        attachment_context(first, second, 1),
        attachment_context(second, first, 1),
        attachment_context(first, second, 2),
        attachment_context(first, first, 1),
    }
    assert len(contexts) == 4
    context = attachment_context(UUID(int=1), UUID(int=2), 3)
    assert context == b"hub/att/v1\0" + bytes(15) + b"\1" + bytes(15) + b"\2" + bytes(7) + b"\3"


def test_equal_chunks_never_look_alike() -> None:
    sealed = Cobblestone256Encryptor(KEY, CONTEXT)
    seen = {sealed.update(bytes(CHUNK))[-TAG:] for _ in range(64)}
    assert len(seen) == 64, "equal chunks never look alike"
