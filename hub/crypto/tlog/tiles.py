"""C2SP tlog-tiles: a tree kept in tiles of 256 hashes, of which growing touches one a level."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from hub.crypto.tlog.hashing import EMPTY_ROOT, HASH_SIZE, NotProven, node_hash, split, subtree_root

WIDTH = 256
# level and number of a tile: tile (0, 1) holds the leaves 256 to 511
Where = tuple[int, int]
# gives the hashes of a tile, one after the other; b"" where there is none yet
Reader = Callable[[int, int], bytes]


def grown(read: Reader, size: int, leaves: Sequence[bytes]) -> dict[Where, bytes]:
    """The tiles that change when leaf hashes are appended to a tree of that size, whole, ready to be written."""
    changed: dict[Where, bytes] = {}
    level, start, new = 0, size, list(leaves)
    while new:
        finished: list[bytes] = []
        number, at = divmod(start, WIDTH)
        position = 0
        while position < len(new):
            taken = new[position : position + WIDTH - at]
            tile = (_checked(read(level, number), at) if at else b"") + b"".join(taken)
            changed[level, number] = tile
            if len(tile) == WIDTH * HASH_SIZE:
                finished.append(subtree_root(_hashes(tile)))
            position += len(taken)
            number, at = number + 1, 0
        level, start, new = level + 1, start // WIDTH, finished
    return changed


class Tree:
    """Roots and proofs of a tree of `size` leaves out of its tiles. What a tile lacks raises `NotProven`."""

    def __init__(self, read: Reader, size: int) -> None:
        self.size = size
        self._read = lru_cache(maxsize=4096)(read)

    def root(self) -> bytes:
        return self._hash(0, self.size)

    def leaf(self, index: int) -> bytes:
        return self._complete(0, index)

    def inclusion(self, index: int) -> list[bytes]:
        """The proof that a leaf stands at `index`, from its sibling up."""
        if not 0 <= index < self.size:
            raise NotProven("the index is not in the tree")
        proof: list[bytes] = []
        first, last = 0, self.size
        while last - first > 1:
            cut = first + split(last - first)
            if index < cut:
                proof.append(self._hash(cut, last))
                last = cut
            else:
                proof.append(self._hash(first, cut))
                first = cut
        return proof[::-1]

    def consistency(self, old_size: int) -> list[bytes]:
        """The proof that this tree extends the one of `old_size`; empty for the same size."""
        if not 0 < old_size <= self.size:
            raise NotProven("the sizes allow no consistency proof")
        if old_size == self.size:
            return []
        proof: list[bytes] = []
        first, last, whole = 0, self.size, True
        while old_size != last:
            cut = first + split(last - first)
            if old_size <= cut:
                proof.append(self._hash(cut, last))
                last = cut
            else:
                proof.append(self._hash(first, cut))
                first, whole = cut, False
        if not whole:
            proof.append(self._hash(first, last))
        return proof[::-1]

    def _hash(self, first: int, last: int) -> bytes:
        """The hash of the leaves from `first` to `last`, which RFC 6962 cuts as a tree of its own."""
        number = last - first
        if number == 0:
            return EMPTY_ROOT
        if number & (number - 1) == 0 and first % number == 0:
            return self._complete(number.bit_length() - 1, first // number)
        cut = first + split(number)
        return node_hash(self._hash(first, cut), self._hash(cut, last))

    def _complete(self, height: int, index: int) -> bytes:
        """The hash of the complete subtree of 2 ** height leaves, counted from the left."""
        level, above = divmod(height, 8)
        number, at = divmod(index << above, WIDTH)
        tile = self._read(level, number)
        part = tile[at * HASH_SIZE : (at + (1 << above)) * HASH_SIZE]
        if len(part) != HASH_SIZE << above:
            raise NotProven(f"tile {number} of level {level} is too short")
        return subtree_root(_hashes(part))


def _hashes(tile: bytes) -> list[bytes]:
    return [tile[at : at + HASH_SIZE] for at in range(0, len(tile), HASH_SIZE)]


def _checked(tile: bytes, number: int) -> bytes:
    if len(tile) < number * HASH_SIZE:
        raise NotProven("the newest tile is shorter than the tree")
    return tile[: number * HASH_SIZE]


def tiles_of(size: int) -> Iterable[tuple[int, int, int]]:
    """Level, number and count of hashes of every tile of a tree of that size, the last of a level maybe partial."""
    level = 0
    while size:
        for number in range(-(-size // WIDTH)):
            yield level, number, min(WIDTH, size - number * WIDTH)
        level, size = level + 1, size // WIDTH


def tile_path(level: int, number: int, count: int = WIDTH) -> str:
    """Where tlog-tiles puts it: `tile/0/x001/234`, with `.p/17` behind a partial one."""
    parts = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        parts.append(f"x{number % 1000:03d}")
    partial = "" if count == WIDTH else f".p/{count}"
    return f"tile/{level}/{'/'.join(reversed(parts))}{partial}"
