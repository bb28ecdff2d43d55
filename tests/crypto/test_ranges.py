"""Ranges of sealed streams: exactly those bytes, fetched sparingly, given out as they arrive."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

import pytest
from cryptography.cobblestone import Cobblestone256Decryptor
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.crypto.errors import Unsealable
from hub.crypto.stream import (
    CHUNK,
    HEADER,
    SEALED_CHUNK,
    Fetch,
    RangeReader,
)
from tests.crypto.sealing import (
    CONTEXT,
    KEY,
    SIZES,
    fetching,
    reader,
    seal,
)

LONG = os.urandom(20 * CHUNK + 77)
LONG_SEALED = seal(LONG)


# streams of every kind of ending, sealed by the library and opened by it again
STREAMS = [(seal(plain), plain) for plain in (LONG, *(os.urandom(size) for size in SIZES))]


def agree(data: st.DataObject) -> None:
    """Any range, fetched in blocks of any sizes, is what the library opens there."""
    sealed, plain = data.draw(st.sampled_from(STREAMS))
    edges = [at for at in (0, CHUNK - 1, CHUNK, CHUNK + 1, 16 * CHUNK, 16 * CHUNK + 1) if at < len(plain)]
    positions = st.one_of(st.sampled_from([*edges, len(plain)]), st.integers(0, len(plain)))
    start, end = sorted((data.draw(positions), data.draw(positions)))
    sizes = data.draw(st.lists(st.integers(0, 3 * CHUNK), max_size=8))
    pieces = list(RangeReader(KEY, CONTEXT, len(sealed), fetching(sealed, sizes)).read(start, end))
    assert b"".join(pieces) == plain[start:end]
    assert all(pieces)


def test_the_library_opens_what_the_ranges_are_held_against() -> None:
    for sealed, plain in STREAMS:
        library = Cobblestone256Decryptor(KEY, CONTEXT)
        assert library.update(sealed) + library.finalize() == plain


@given(st.data())
@settings(max_examples=500, deadline=None)
def test_any_range_is_exactly_those_bytes(data: st.DataObject) -> None:
    agree(data)


@pytest.mark.nightly
@given(st.data())
@settings(max_examples=10_000, deadline=None)
def test_ten_thousand_ranges_agree_with_the_library(data: st.DataObject) -> None:
    agree(data)


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
