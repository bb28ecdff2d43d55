"""Cuts a stream that is too long for the scanner into pieces that overlap, so that a signature at a cut is whole in one of them.

For sound and video alone: what a signature is looked for in as it lies there. A package or a document in pieces would be none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

# longer than any signature of a pattern
OVERLAP = 1024 * 1024


def in_pieces(blocks: Iterable[bytes], most: int, overlap: int | None = None) -> Iterator[Iterator[bytes]]:
    """The stream as streams of at most `most` bytes, each read to its end before the next is taken."""
    overlap = min(OVERLAP, most // 2) if overlap is None else overlap
    if not 0 < overlap < most:
        raise ValueError("a piece is longer than what it shares with the next")
    cutter = _Cutter(iter(blocks), overlap)
    while cutter.more:
        yield cutter.piece(most)


class _Cutter:
    def __init__(self, source: Iterator[bytes], overlap: int) -> None:
        self.source = source
        self.overlap = overlap
        self.tail = b""
        self.rest: bytes | None = b""

    @property
    def more(self) -> bool:
        """Is anything left? Asked once at the beginning too: an empty stream is one empty piece."""
        return self.rest is not None

    def piece(self, most: int) -> Iterator[bytes]:
        shared, room = self.tail, most - len(self.tail)
        if shared:
            yield shared
        while room and self.rest is not None:
            block, self.rest = self.rest[:room], self.rest[room:] or next(self.source, None)
            room -= len(block)
            # first what is kept: whoever takes the last block may not ask again
            self.tail = (self.tail + block)[-self.overlap :]
            if block:
                yield block
