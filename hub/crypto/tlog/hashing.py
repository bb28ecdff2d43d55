"""RFC 6962 Merkle tree hashes with SHA-256, and the proofs of RFC 9162 section 2.1. All hashes are 32 bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


class NotProven(ValueError):
    """A proof, note or tile does not show what it should. The text says which part, never why an attacker failed."""


def leaf_hash(body: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(size: int) -> int:
    """The largest power of two smaller than `size` (two or more): where RFC 6962 cuts a tree."""
    return 1 << ((size - 1).bit_length() - 1)


def subtree_root(hashes: Sequence[bytes]) -> bytes:
    """The root above a run of hashes whose number is a power of two."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(level[at], level[at + 1]) for at in range(0, len(level), 2)]
    return level[0]


class Frontier:
    """A growing tree in constant memory: one hash for each bit of its size. Gives roots, no proofs."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Appends one leaf *hash*."""
        carried, bits = leaf, self.size
        while bits & 1:
            carried = node_hash(self._peaks.pop(), carried)
            bits >>= 1
        self._peaks.append(carried)
        self.size += 1

    def root(self) -> bytes:
        if not self._peaks:
            return EMPTY_ROOT
        found = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            found = node_hash(peak, found)
        return found


def check_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Raises `NotProven` unless the leaf hash stands at `index` of the tree with that size and root (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size:
        raise NotProven("the index is not in the tree")
    _check_hashes(leaf, root, *proof)
    at, last, found = index, size - 1, leaf
    for one in proof:
        if last == 0:
            raise NotProven("the inclusion proof is too long")
        if at & 1 or at == last:
            found = node_hash(one, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, one)
        at, last = at >> 1, last >> 1
    if last or found != root:
        raise NotProven("the inclusion proof does not lead to the root")


def check_consistency(
    old_size: int, new_size: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Raises `NotProven` unless the new tree extends the old one (RFC 9162 2.1.4.2).

    From the empty tree nothing can be proved: a first sight is the caller's decision, never a proof.
    """
    if not 0 < old_size <= new_size:
        raise NotProven("the sizes allow no consistency proof")
    _check_hashes(old_root, new_root, *proof)
    if old_size == new_size:
        if proof or old_root != new_root:
            raise NotProven("one size with two roots")
        return
    if not proof:
        raise NotProven("the consistency proof is empty")
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for one in path[1:]:
        if last == 0:
            raise NotProven("the consistency proof is too long")
        if at & 1 or at == last:
            old, new = node_hash(one, old), node_hash(one, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, one)
        at, last = at >> 1, last >> 1
    if last or old != old_root or new != new_root:
        raise NotProven("the consistency proof does not lead to both roots")


def _check_hashes(*hashes: bytes) -> None:
    if any(len(one) != HASH_SIZE for one in hashes):
        raise NotProven("a hash is not 32 bytes long")
