"""The database folds a name as the application does."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.core.text import clean, folded
from hub.extensions import db
from tests.fixtures.world import World, act_as

NAMES = [
    "O'Brien-Łuć",
    "Ó Tuama",
    "WEISS",
    "Weiß",
    "Ngọc  Ánh",
    "Sørensen",
    "Þórr",
    "Jean–Luc",
    "ﬁsh",
    "İpek",
    "Ωμέγα",
    "Иванов",
    "—",
    "",
]


def test_names_fold_alike_in_the_database_and_in_the_application(app: Flask, world: World) -> None:
    act_as(world, "officer")
    for name in NAMES:
        assert db.session.scalar(sa.select(sa.func.fold_text(name))) == folded(name), name


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(max_codepoint=0x24F), max_size=12), min_size=20, max_size=60))
def test_so_does_whatever_is_written_in_latin_letters(app: Flask, world: World, names: list[str]) -> None:
    act_as(world, "officer")
    names = [clean(name) for name in names]
    given = sa.func.unnest(sa.cast(names, sa.dialects.postgresql.ARRAY(sa.Text))).column_valued("name")
    found = db.session.execute(sa.select(given, sa.func.fold_text(given))).all()
    assert [(name, folded(name)) for name, _ in found] == [tuple(row) for row in found]
