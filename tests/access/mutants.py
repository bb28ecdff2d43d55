"""The rule as compiled text over all worlds at once, and its mutants: every clause switched off by its name must be missed.

The reader's values come from a table instead of the settings, so that one query asks for every world.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from hub.access import sets
from hub.access.guard import SETTINGS
from hub.access.policy import Rule
from hub.access.sets import Terms
from hub.access.walls import compiled
from tests.access.verdicts import Oracles, Result, rules
from tests.access.worlds import NearMiss


def try_mutants(admin: sa.Engine, worlds: list[NearMiss], oracles: Oracles) -> Result:
    """Every rule as it is must differ from the oracle nowhere, and with any clause off somewhere."""
    result = Result()
    with admin.connect() as connection:
        result.allowed += _place(connection, worlds, oracles)
        clauses = _compare_rules(connection, worlds, result)
        for name in sorted(sets.NAMES):
            with _switched_off(name):
                killers = (_first(connection, *rule, worlds) for rule in clauses.get(name, ()))
                result.mutants[name] = next((found for found in killers if found), None)
        connection.rollback()
    return result


def compare_compiled(admin: sa.Engine, worlds: list[NearMiss], oracles: Oracles) -> Result:
    """The compiled rules alone, without mutants."""
    result = Result()
    with admin.connect() as connection:
        result.allowed += _place(connection, worlds, oracles)
        _compare_rules(connection, worlds, result)
        connection.rollback()
    return result


def _compare_rules(
    connection: sa.Connection, worlds: list[NearMiss], result: Result
) -> dict[str, list[tuple[type[Any], str, Rule]]]:
    """Counts one comparison a rule and world; returns where each named clause stands."""
    by_number = {one.number: one for one in worlds}
    clauses: dict[str, list[tuple[type[Any], str, Rule]]] = {}
    for model, act, rule, _ in rules():
        sql, names = _statement(model, act, rule)
        for name in names:
            clauses.setdefault(name, []).append((model, act, rule))
        result.comparisons += len(worlds)
        for number, _ in connection.exec_driver_sql(sql):
            one = by_number[number]
            result.differences.append(f"compiled {act} {model.__tablename__}: {one.path}, {one.flip}")
    return clauses


def _first(
    connection: sa.Connection, model: type[Any], act: str, rule: Rule, worlds: list[NearMiss]
) -> str | None:
    found = connection.exec_driver_sql(f"{_statement(model, act, rule)[0]} LIMIT 1").first()
    if found is None:
        return None
    world = next(one for one in worlds if one.number == found[0])
    return f"{act} {model.__tablename__}: {world.path}, {world.flip}"


def _statement(model: type[Any], act: str, rule: Rule) -> tuple[str, set[str]]:
    """The query that finds rows whose verdict is not the oracle's, and the names of the clauses in it."""
    terms = Terms(**{name: sa.literal_column(f"reader.{name}") for name in SETTINGS})
    table, known = model.__tablename__, set(sets.NAMES)
    sets.NAMES.clear()
    expression = compiled(model, rule(model, terms))
    names = set(sets.NAMES)
    sets.NAMES.update(known)
    sql = (
        f"SELECT reader.world, {table}.id FROM {table} JOIN placed ON placed.id = {table}.id AND placed.act = '{act}'"
        f" JOIN reader ON reader.world = placed.world WHERE placed.wanted <> (({expression}) IS TRUE)"
    )
    return sql, names


def _place(connection: sa.Connection, worlds: list[NearMiss], oracles: Oracles) -> int:
    """The readers, and the oracle's word on every row, as temporary tables; in how many comparisons somebody is let in."""
    run_sql = connection.exec_driver_sql
    run_sql(
        "CREATE TEMP TABLE reader (world int PRIMARY KEY, user_id uuid, organisation_id uuid, partnership_id uuid,"
        " team_id uuid, clearance smallint, purpose text, audiences text[], principals uuid[]) ON COMMIT DROP"
    )
    run_sql(
        "CREATE TEMP TABLE placed (id uuid, act text, world int, wanted boolean, PRIMARY KEY (id, act)) ON COMMIT DROP"
    )
    readers = [
        {
            "world": one.number,
            **one.reader,
            "audiences": list(one.reader["audiences"]),
            "principals": list(one.context.principals),
        }
        for one in worlds
    ]
    names = list(readers[0])
    run_sql(
        f"INSERT INTO reader ({', '.join(names)}) VALUES ({', '.join(f'%({name})s' for name in names)})",
        readers,  # type: ignore[arg-type]
    )
    placed, allowed = [], 0
    for one in worlds:
        for model, act, _, verdict in rules():
            told = {row["id"]: verdict(oracles[one.number], row) for row in one.rows[model.__tablename__]}
            placed += [
                {"id": key, "act": act, "world": one.number, "wanted": word} for key, word in told.items()
            ]
            allowed += any(told.values())
    run_sql("INSERT INTO placed VALUES (%(id)s, %(act)s, %(world)s, %(wanted)s)", placed)  # type: ignore[arg-type]
    run_sql("ANALYZE reader")
    run_sql("ANALYZE placed")
    return allowed


@contextmanager
def _switched_off(name: str) -> Iterator[None]:
    token = sets.DISABLED.set(frozenset({name}))
    try:
        yield
    finally:
        sets.DISABLED.reset(token)
