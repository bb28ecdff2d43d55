"""A long statement is taken apart once, and says the same as one that psycopg takes apart each time."""

from __future__ import annotations

from types import SimpleNamespace

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import _queries

from hub.extensions import db

LONG = "SELECT :one || :two || :one || " + " || ".join(f"'50\\:% {number}'" for number in range(500))


def test_a_long_statement_is_taken_apart_once_and_says_the_same(
    app: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    split = _queries._split_query

    def seen(query: bytes, *others: object) -> object:
        taken.append(len(query))
        return split(query, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(_queries, "_split_query", seen)
    assert len(LONG) > _queries.MAX_CACHED_STATEMENT_LENGTH
    with db.engine.connect() as connection:
        for one in ("a", "b", "c"):
            found = connection.scalar(sa.text(LONG), {"one": one, "two": "x"})
            assert found == f"{one}x{one}" + "".join(f"50:% {number}" for number in range(500))
    assert len([length for length in taken if length > _queries.MAX_CACHED_STATEMENT_LENGTH]) == 1


def test_values_of_one_run_never_reach_another(app: object, database: SimpleNamespace) -> None:
    long = "SELECT %(one)s::text, %(two)s::int" + " " * 5000
    with db.engine.connect() as connection:
        cursor = connection.connection.cursor()
        for values in ({"one": "a", "two": 1}, {"two": 2, "one": "b"}, {"one": None, "two": None}):
            cursor.execute(long, values)
            assert cursor.fetchall() == [(values["one"], values["two"])]
        with pytest.raises(psycopg.ProgrammingError):
            cursor.execute(long, {"one": "a"})
