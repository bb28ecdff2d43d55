"""The sharing rule equals its oracle behind both walls, and every clause of it is needed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.access import matrix
from tests.access.worlds import FACTS, PATHS, near_misses


@pytest.fixture
def result(database: SimpleNamespace) -> matrix.Result:
    return matrix.run(database.superuser, database.app)


@pytest.mark.slow
def test_both_walls_agree_with_the_oracle_and_every_mutant_is_killed(result: matrix.Result) -> None:
    assert result.differences == []
    assert result.survivors == []
    assert len(result.mutants) >= 90
    # a matrix in which nobody is ever allowed anything would agree with everything
    assert result.comparisons / 5 < result.allowed < result.comparisons


def test_every_fact_is_flipped_and_every_path_is_taken() -> None:
    from hub.core import clock

    worlds = near_misses(clock.now())
    flipped = {world.flip.partition("=")[0] for world in worlds}
    assert flipped == {*FACTS, "as it is"}
    assert {world.path for world in worlds} == set(PATHS)
