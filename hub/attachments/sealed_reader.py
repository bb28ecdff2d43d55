"""A sealed object as a file that is read at random: every byte verified, a block at a time in memory."""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, cast

from hub.crypto.stream import RangeReader
from hub.storage.s3 import ObjectStore

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BUFFER_BYTES = 512 * 1024


class _Plain(io.RawIOBase):
    def __init__(self, sealed: RangeReader) -> None:
        self._sealed = sealed
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._sealed.size}[whence]
        if start + offset < 0:
            raise ValueError("before the beginning of the file")
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        end = min(self._at + len(view), self._sealed.size)
        filled = 0
        if self._at < end:
            for piece in self._sealed.read(self._at, end):
                view[filled : filled + len(piece)] = piece
                filled += len(piece)
        self._at += filled
        return filled


def open_sealed(
    store: ObjectStore, key: bytes, context: bytes, *, object_key: str, version: str | None, size: int
) -> BinaryIO:
    """The plaintext of an object of `size` sealed bytes. Reading raises `Unsealable`, or the store's errors."""
    sealed = RangeReader(key, context, size, partial(store.read, object_key, version))
    return cast("BinaryIO", io.BufferedReader(_Plain(sealed), BUFFER_BYTES))
