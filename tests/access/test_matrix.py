"""The sharing rule equals its oracle behind both walls, and every clause of it is needed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from hub.core import clock
from tests.access import matrix
from tests.access.worlds import AS_IT_IS, FACTS, PATHS, near_misses, pairs

# a matrix that shrank would still be green
WORLDS, COMPARISONS, MUTANTS = 600, 25_000, 116
PAIRED_COMPARISONS = 200_000


@pytest.mark.slow
def test_both_walls_agree_with_the_oracle_and_every_mutant_is_killed(database: SimpleNamespace) -> None:
    result = matrix.run(database.superuser, database.app)
    assert result.differences == []
    assert result.survivors == []
    assert len(result.mutants) >= MUTANTS
    assert result.worlds >= WORLDS and result.comparisons >= COMPARISONS
    # a matrix in which nobody is ever allowed anything would agree with everything
    assert result.comparisons / 4 < result.allowed < result.comparisons * 3 / 4


@pytest.mark.nightly
def test_both_walls_agree_with_the_oracle_on_every_pair_of_flips(database: SimpleNamespace) -> None:
    result = matrix.run_all_pairs(database.superuser, database.app, tell=True)
    assert result.differences == []
    assert result.comparisons >= PAIRED_COMPARISONS
    assert result.comparisons / 10 < result.allowed < result.comparisons * 9 / 10


def test_every_fact_is_flipped_and_every_path_is_taken() -> None:
    worlds = near_misses(clock.now())
    flipped = {world.flip.partition("=")[0] for world in worlds}
    assert flipped == {*FACTS, AS_IT_IS}
    assert {world.path for world in worlds} == set(PATHS)


def test_pairs_are_of_two_facts_and_told_once() -> None:
    some = [world for world, _ in zip(pairs(clock.now), range(2_000), strict=False)]
    assert all(len({part.partition("=")[0] for part in one.flip.split(", ")}) == 2 for one in some)
    assert len({(one.path, one.flip) for one in some}) == len({one.number for one in some}) == len(some)
