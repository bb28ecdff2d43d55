"""Sealed streams in hand, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

from hub.crypto.stream import (
    CHUNK,
    Fetch,
    RangeReader,
    decrypt_chunks,
    encrypt_chunks,
)

KEY = bytes(range(32))
CONTEXT = b"context"
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5000]


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
