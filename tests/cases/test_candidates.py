"""Lists go by candidates where the reader may read few, and in their own order where he may read many: the same list."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from hub.access import candidates
from hub.cases.queries import CaseFilter, list_cases
from tests.fixtures.shares import led_case, shared
from tests.fixtures.world import World, act_as


def _forget() -> None:
    candidates._many.clear()
    candidates._candidates.cache_clear()
    candidates._counted.cache_clear()


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    _forget()
    yield
    _forget()


def test_a_reader_of_few_and_of_many_is_shown_the_same(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    officer = act_as(world, "officer")
    mine = [led_case(officer, f"Noise, Ward {number}") for number in range(3)]
    shared(world, mine[0], to="police")
    for user, wanted in (("officer", set(mine)), ("sergeant", {mine[0]}), ("east_officer", set())):
        shown = {}
        for few in (1000, 0):
            _forget()
            monkeypatch.setattr(candidates, "FEW", few)
            shown[few] = {row.id for row in list_cases(act_as(world, user), CaseFilter()).rows}
            assert bool(candidates._many) is (few == 0 and bool(wanted))
        assert shown == {1000: wanted, 0: wanted}
