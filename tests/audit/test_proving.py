"""The one pass over leaves and tiles, on trees in memory: what was altered is told from what was not."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.audit.verifier.findings import MAX_KEPT, Findings
from hub.audit.verifier.heads import judge_heads
from hub.audit.verifier.proving import EVERY_INDEX, Prover
from hub.crypto.tlog.checkpoints import Checkpoint, Policy
from hub.crypto.tlog.hashing import leaf_hash
from hub.crypto.tlog.notes import COSIGNATURE, Signer, write_note
from hub.crypto.tlog.tiles import Tree, grown

LOG = Signer.from_seed("hub.example/log", b"l" * 32)
WITNESS = Signer.from_seed("council.example/witness", b"w" * 32, COSIGNATURE)
BODIES = [b"event %d" % number for number in range(70_000)]
Tiles = dict[tuple[int, int], bytes]


def tiles_over(bodies: list[bytes]) -> Tiles:
    return grown(lambda *_: b"", 0, [leaf_hash(one) for one in bodies])


WHOLE = tiles_over(BODIES)


def part(size: int) -> Tiles:
    """The tiles of the first so many events."""
    return tiles_over(BODIES[:size]) if size < len(BODIES) else dict(WHOLE)


def head(tiles: Tiles, size: int) -> Checkpoint:
    return Checkpoint(
        LOG.name, size, Tree(lambda level, number: tiles.get((level, number), b""), size).root()
    )


def note(tiles: Tiles, size: int, *, witnessed: bool = False) -> str:
    text = head(tiles, size).text
    return write_note(text, LOG.sign(text), *([WITNESS.sign(text, at=1)] if witnessed else []))


def proved(
    bodies: list[bytes | None],
    tiles: Tiles,
    notes: list[str],
    *,
    seen: Checkpoint | None = None,
    leafless: list[tuple[bytes, bool]] | None = None,
    gone: frozenset[int] = frozenset(),
    whole: range = EVERY_INDEX,
    old: bool = False,
) -> Findings:
    findings = Findings()
    heads = judge_heads(findings, Policy((LOG.verifier,)), notes, seen)
    prover = Prover(findings, lambda level, number: tiles.get((level, number), b""), heads, whole=whole)
    for index, body in enumerate(bodies):
        if index not in gone:
            prover.entry(index, f"id-{index}", body, old=old)
    for body, is_old in leafless or ():
        prover.without_leaf("id-x", body, old=is_old)
    prover.finish()
    return findings


def codes(findings: Findings) -> list[str]:
    return [one.code for one in findings.problems]


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 1000, 65_536, 65_537, 70_000])
def test_an_honest_log_of_any_size_is_sound(size: int) -> None:
    tiles = part(size)
    seen = head(tiles, max(1, size // 3))
    assert proved([*BODIES[:size]], tiles, [note(tiles, size)], seen=seen).problems == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda bodies, tiles: bodies.__setitem__(300, b"other"), "event_altered"),
        (lambda bodies, tiles: bodies.__setitem__(300, None), "event_deleted"),
        (lambda bodies, tiles: flip(tiles, 0, 1, 44 * 32), "tile_altered"),
        (lambda bodies, tiles: flip(tiles, 1, 0, 2 * 32), "tile_altered"),
        (lambda bodies, tiles: bodies.__setitem__(slice(300, 302), bodies[301:299:-1]), "events_swapped"),
        (lambda bodies, tiles: bodies.__setitem__(slice(990, 992), bodies[991:989:-1]), "events_swapped"),
        (lambda bodies, tiles: bodies.__setitem__(300, bodies[700]), "event_altered"),
        (lambda bodies, tiles: bodies.__setitem__(999, b"other"), "event_altered"),
        (lambda bodies, tiles: flip(tiles, 0, 3, 200 * 32), "tile_altered"),
        (lambda bodies, tiles: tiles.pop((1, 0)), "tile_missing"),
        (lambda bodies, tiles: tiles.pop((0, 2)), "tile_missing"),
        (lambda bodies, tiles: tiles.update({(0, 3): tiles[0, 3][:-32]}), "tile_missing"),
    ],
    ids=map(str, range(12)),
)
def test_one_change_is_named_once(change: Callable[[list[bytes | None], Tiles], Any], code: str) -> None:
    bodies: list[bytes | None] = [*BODIES[:1000]]
    tiles = part(1000)
    signed = note(tiles, 1000)
    change(bodies, tiles)
    assert codes(proved(bodies, tiles, [signed])) == [code]


def flip(tiles: Tiles, level: int, number: int, at: int) -> None:
    tile = bytearray(tiles[level, number])
    tile[at] ^= 1
    tiles[level, number] = bytes(tile)


def test_an_upper_tile_is_held_against_the_one_above_it() -> None:
    tiles = part(70_000)
    signed = note(tiles, 70_000)
    flip(tiles, 2, 0, 0)
    assert codes(proved([*BODIES], tiles, [signed])) == ["tile_altered"]


def test_an_event_and_its_leaf_altered_together_are_found_in_their_block() -> None:
    tiles = part(1000)
    signed = note(tiles, 1000)
    bodies = [*BODIES[:1000]]
    bodies[300] = b"other"
    tiles[0, 1] = tiles[0, 1][: 44 * 32] + leaf_hash(b"other") + tiles[0, 1][45 * 32 :]
    found = proved([*bodies], tiles, [signed])
    assert codes(found) == ["leaf_altered", "root_differs"] and "256 to 511" in found.problems[0].words


def test_a_log_rewritten_whole_does_not_give_the_signed_root() -> None:
    signed = note(part(1000), 1000)
    bodies = [*BODIES[:300], b"other", *BODIES[301:1000]]
    assert codes(proved([*bodies], tiles_over(bodies), [signed])) == ["log_rewritten"]


def test_a_log_rewritten_and_signed_afresh_is_not_the_one_that_was_seen() -> None:
    seen = head(part(900), 900)
    bodies = [*BODIES[:300], b"other", *BODIES[301:1000]]
    tiles = tiles_over(bodies)
    assert codes(proved([*bodies], tiles, [note(tiles, 1000)], seen=seen)) == ["log_rewritten"]
    assert codes(proved([*bodies], tiles, [note(tiles, 1000)])) == []


def test_one_size_with_two_roots_is_a_rewritten_log() -> None:
    bodies = [*BODIES[:999], b"other"]
    tiles = tiles_over(bodies)
    found = proved([*bodies], tiles, [note(tiles, 1000)], seen=head(part(1000), 1000))
    assert set(codes(found)) == {"log_rewritten"}


@pytest.mark.parametrize("left", [0, 1, 255, 768, 990])
def test_a_log_that_was_cut_is_found_by_its_own_checkpoint(left: int) -> None:
    tiles = part(1000)
    found = proved([*BODIES[:left]], tiles, [note(tiles, 1000)])
    assert codes(found) == ["newest_cut"] and f"newest {1000 - left} were" in found.problems[0].words


def test_a_log_set_back_to_an_earlier_checkpoint_is_found_by_what_was_seen() -> None:
    tiles = part(900)
    found = proved([*BODIES[:900]], tiles, [note(tiles, 900)], seen=head(part(1000), 1000))
    assert set(codes(found)) == {"newest_cut"}


def test_a_deleted_leaf_is_told_from_a_deleted_entry() -> None:
    tiles = part(1000)
    signed = [note(tiles, 1000)]
    gone = frozenset({300, 999})
    both = proved([*BODIES[:1000]], tiles, signed, gone=gone, leafless=[(BODIES[300], True)])
    # the last leaf's absence is a cut
    assert sorted(codes(both)) == ["leaf_deleted", "newest_cut"]
    entry = proved([*BODIES[:1000]], tiles, signed, gone=frozenset({300}))
    assert codes(entry) == ["entry_deleted"] and "leaf 300" in entry.problems[0].words


def test_an_event_without_a_leaf_is_found_once_it_is_old() -> None:
    tiles = part(10)
    signed = [note(tiles, 10)]
    assert codes(proved([*BODIES[:10]], tiles, signed, leafless=[(b"forged", True)])) == [
        "event_without_leaf"
    ]
    assert codes(proved([*BODIES[:10]], tiles, signed, leafless=[(b"young", False)])) == []


def test_old_leaves_past_the_signed_ones_are_found() -> None:
    tiles = part(1000)
    signed = [note(tiles, 900)]
    assert codes(proved([*BODIES[:1000]], tiles, signed, old=True)) == ["event_not_signed"]
    assert codes(proved([*BODIES[:1000]], tiles, signed, old=False)) == []


def test_a_part_of_the_log_is_checked_with_the_hashes_of_the_rest() -> None:
    tiles = part(1000)
    rest = frozenset(range(1000)) - frozenset(range(300, 400))
    bodies = [*BODIES[:1000]]
    assert codes(proved([*bodies], tiles, [note(tiles, 1000)], gone=rest, whole=range(300, 400))) == []
    missing = rest | {399}
    assert codes(proved([*bodies], tiles, [note(tiles, 1000)], gone=missing, whole=range(300, 400))) == [
        "entry_deleted"
    ]
    bodies[350] = b"other"
    assert codes(proved([*bodies], tiles, [note(tiles, 1000)], gone=rest, whole=range(300, 400))) == [
        "event_altered"
    ]


def test_only_so_many_differences_are_kept_but_all_are_counted() -> None:
    tiles = part(5000)
    found = proved([b"x%d" % number for number in range(5000)], tiles, [note(tiles, 5000)])
    assert len(found.problems) == MAX_KEPT and found.found >= 5000


def test_a_leaf_far_off_ends_the_search_for_those_between() -> None:
    findings, tiles = Findings(), part(10)
    prover = Prover(
        findings, lambda level, number: tiles.get((level, number), b""), judge_heads(findings, BOTH, [])
    )
    prover.entry(0, "id", BODIES[0])
    prover.entry(2**62, "far", BODIES[1])
    prover.finish()
    assert "leaf_altered" in codes(findings)


# -- which checkpoints are believed

BOTH = Policy((LOG.verifier,), (WITNESS.verifier,), 1)


def test_the_newest_checkpoint_that_meets_the_policy_is_looked_for() -> None:
    tiles, findings = part(1000), Findings()
    notes = [note(tiles, 1000), note(tiles, 900), note(tiles, 800, witnessed=True), note(tiles, 700)]
    heads = judge_heads(findings, BOTH, notes)
    assert findings.ok and heads.newest and heads.believed
    assert (heads.newest.size, heads.believed.size, heads.witnessed) == (1000, 800, {WITNESS.name: 1})


@pytest.mark.parametrize(
    ("notes", "code"),
    [
        ([], ["no_checkpoint"]),
        (["nonsense"], ["checkpoint_signature"]),
        ([note(part(9), 9).replace("\n9\n", "\n8\n")], ["checkpoint_signature"]),
        ([note(part(9), 9)], ["policy_not_met"]),
        ([note(part(9), 9, witnessed=True)], []),
        (["nonsense", note(part(9), 9, witnessed=True)], ["checkpoint_signature"]),
    ],
)
def test_what_is_wrong_with_the_checkpoints_is_named(notes: list[str], code: list[str]) -> None:
    findings = Findings()
    judge_heads(findings, BOTH, notes)
    assert codes(findings) == code


def test_a_checkpoint_of_another_log_is_not_the_one_that_was_seen() -> None:
    findings = Findings()
    other = Checkpoint("elsewhere.example/log", 5, b"r" * 32)
    judge_heads(findings, BOTH, [note(part(9), 9, witnessed=True)], other)
    assert codes(findings) == ["other_log"]


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32), size=st.sampled_from([1, 30, 256, 300, 700]))
def test_no_single_change_goes_unnoticed(seed: int, size: int) -> None:
    draw = random.Random(seed)
    tiles = part(size)
    bodies: list[bytes | None] = [*BODIES[:size]]
    signed = note(tiles, size)
    where = draw.choice(sorted(tiles))
    match draw.choice(["event", "tile", "short", "gone", "deleted"]):
        case "event":
            index = draw.randrange(size)
            bodies[index] = b"%s!" % (bodies[index] or b"")
        case "tile":
            flip(tiles, *where, draw.randrange(len(tiles[where])))
        case "short":
            tiles[where] = tiles[where][: draw.randrange(len(tiles[where]))]
        case "gone":
            bodies.pop(draw.randrange(size))
        case _:
            bodies[draw.randrange(size)] = None
    assert not proved(bodies, tiles, [signed]).ok
