"""Trees out of tiles against RFC 6962's own recursive definition: roots, proofs, and every way to spoil a proof."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.crypto.tlog.hashing import (
    EMPTY_ROOT,
    Frontier,
    NotProven,
    check_consistency,
    check_inclusion,
    leaf_hash,
    node_hash,
)
from hub.crypto.tlog.tiles import Tree, grown, tile_path, tiles_of


def defined(leaves: list[bytes]) -> bytes:
    """The definition itself."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    cut = 1
    while cut * 2 < len(leaves):
        cut *= 2
    return node_hash(defined(leaves[:cut]), defined(leaves[cut:]))


LEAVES = [leaf_hash(b"%d" % number) for number in range(1100)]


class Kept(dict[tuple[int, int], bytes]):
    """Tiles in memory, as a tree of the first `size` leaves has them."""

    def __init__(self, *steps: int) -> None:
        super().__init__()
        size = 0
        for step in steps:
            self.update(grown(self.read, size, LEAVES[size : size + step]))
            size += step
        self.size = size

    def read(self, level: int, number: int) -> bytes:
        return self.get((level, number), b"")


@given(st.lists(st.integers(1, 300), min_size=1, max_size=5).filter(lambda steps: sum(steps) <= 1100))
@settings(max_examples=60, deadline=None)
def test_however_it_grows_it_is_the_tree_of_the_definition(steps: list[int]) -> None:
    kept = Kept(*steps)
    tree, frontier = Tree(kept.read, kept.size), Frontier()
    for leaf in LEAVES[: kept.size]:
        frontier.add(leaf)
    assert tree.root() == frontier.root() == defined(LEAVES[: kept.size])
    assert {(level, number): count * 32 for level, number, count in tiles_of(kept.size)} == {
        where: len(tile) for where, tile in kept.items()
    }


@given(st.integers(1, 1100), st.data())
@settings(max_examples=150, deadline=None)
def test_proofs_hold_and_spoilt_ones_do_not(size: int, data: st.DataObject) -> None:
    kept = Kept(1100)
    tree = Tree(kept.read, size)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    proof, root = tree.inclusion(index), defined(LEAVES[:size])
    check_inclusion(index, size, LEAVES[index], proof, root)
    longer, old_root = tree.consistency(old), defined(LEAVES[:old])
    check_consistency(old, size, longer, old_root, root)
    at = data.draw(st.integers(0, 31))
    for spoilt in _spoilt(proof, at):
        with pytest.raises(NotProven):
            check_inclusion(index, size, LEAVES[index], spoilt, root)
    for spoilt in _spoilt(longer, at):
        with pytest.raises(NotProven):
            check_consistency(old, size, spoilt, old_root, root)
    with pytest.raises(NotProven):
        check_inclusion(index, size, leaf_hash(b"forged"), proof, root)


def _spoilt(proof: list[bytes], at: int) -> list[list[bytes]]:
    bad = [[*proof, bytes(32)], [bytes(32), *proof]]
    for number, one in enumerate(proof):
        bad.append(proof[:number] + proof[number + 1 :])
        bad.append([*proof[:number], one[:at] + bytes([one[at] ^ 4]) + one[at + 1 :], *proof[number + 1 :]])
        bad.append([*proof[:number], one[:31], *proof[number + 1 :]])
    return bad


def test_nothing_is_proved_from_the_empty_tree() -> None:
    with pytest.raises(NotProven, match="sizes"):
        check_consistency(0, 5, [], EMPTY_ROOT, defined(LEAVES[:5]))
    with pytest.raises(NotProven, match="sizes"):
        Tree(Kept(5).read, 5).consistency(0)


def test_a_missing_tile_is_told() -> None:
    with pytest.raises(NotProven, match="too short"):
        Tree(lambda _level, _number: b"", 300).root()
    with pytest.raises(NotProven, match="shorter"):
        grown(lambda _level, _number: b"", 5, LEAVES[:1])


def test_tiles_lie_where_the_specification_puts_them() -> None:
    assert tile_path(0, 0) == "tile/0/000"
    assert tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tile_path(1, 5, 17) == "tile/1/005.p/17"
