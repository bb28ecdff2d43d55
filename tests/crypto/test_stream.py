"""The format of sealed streams: published vectors, lengths, and both readers against the library."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import zlib
from pathlib import Path
from typing import Any

import cryptography_vectors
import pytest
from cryptography.cobblestone import Cobblestone256Decryptor
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
    RangeReader,
    ciphertext_length,
    decrypt_chunks,
    encrypt_chunks,
    plaintext_length,
)
from tests.crypto.sealing import (
    CONTEXT,
    KEY,
    SIZES,
    cut,
    open_by_ranges,
    open_whole,
    reader,
    seal,
)

# Sealed once by `cryptography` 50.0.2: what is stored today must open after every upgrade
GOLDEN = (
    "iwRY8VAfFlJQ4t/E7htY1irhTdei2jFEASWvFlqP0Hdv2kyT1GFVs1ktPE3ogdRk7VFvj3Av"
    "NKlzDR+O0iU1fK3JfV8zbtht+6kdE2yWBHw+H70CxAliyXsrO6u+"
)


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
    """Same key, salt, context and message as published; sealed here by the letter of the specification."""
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
