"""Every way to change a sealed stream is refused before a wrong byte is released."""

from __future__ import annotations

import os
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from cryptography.cobblestone import Cobblestone256Encryptor
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.crypto.errors import Unsealable
from hub.crypto.stream import (
    CHUNK,
    HEADER,
    SALT,
    SEALED_CHUNK,
    TAG,
    RangeReader,
    attachment_context,
    decrypt_chunks,
    encrypt_chunks,
)
from tests.crypto.sealing import (
    CONTEXT,
    KEY,
    cut,
    fetching,
    open_by_ranges,
    open_whole,
    seal,
)

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
