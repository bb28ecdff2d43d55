"""The near-miss matrix: oracle = ORM guard = raw SQL under row-level security, for reads and writes; and the mutants.

`python -m tests.access.matrix` makes a database of its own and prints
`matrix: N worlds, N comparisons, N differences, N of N mutants killed`.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import make_url

import hub.models  # noqa: F401
from hub.access import sets
from hub.access.guard import CONTEXT_KEY, SETTINGS, _setting
from hub.access.models import Grant, Involvement, Record
from hub.access.policy import GUARDED, Rule, know_record
from hub.access.sets import Terms
from hub.access.walls import compiled
from hub.app import ENGINE
from hub.chronology.models import Entry
from hub.core import clock
from hub.core.ids import new_id
from hub.core.schema import Base
from hub.extensions import HubSession, db
from hub.handovers.models import HandOver
from hub.people.models import Person
from hub.sharing.models import SharedFact
from tests.access.oracle import Oracle, Row
from tests.access.worlds import NearMiss, near_misses

# order of loading: parents first
TABLES = (
    "partnership", "organisation", "team", "app_user", "agreement", "agreement_party", "agreement_purpose", "record",
    "key_epoch", "data_key", "record_team", "person", "exclusion", "emergency", "record_grant", "shared_fact", "hand_over",
    "entry", "involvement",
)  # fmt: skip
# these forbid some of the flips outright; the clause must hold without them
LIFTED = (
    "ck_record_grant_outside_needs_agreement",
    "ck_record_grant_ends_within_agreement",
    "ck_record_grant_sections_within_agreement",
)
Verdict = Callable[[Oracle, Row], bool]
READS: dict[type[Any], Verdict] = {
    Record: Oracle.reads_record,
    Entry: Oracle.reads_item,
    Involvement: Oracle.reads_involvement,
    Person: Oracle.reads_person,
    Grant: Oracle.reads_grant,
    SharedFact: Oracle.reads_fact,
    HandOver: Oracle.reads_hand_over,
}
CHANGES: dict[type[Any], Verdict] = {Record: Oracle.changes_record, Involvement: Oracle.changes_involvement}
ADDS: dict[type[Any], Verdict] = {
    Record: Oracle.opens_record,
    Entry: Oracle.adds_entry,
    Involvement: Oracle.adds_item,
}


@dataclass
class Result:
    worlds: int = 0
    comparisons: int = 0
    allowed: int = 0
    differences: list[str] = field(default_factory=list)
    mutants: dict[str, str | None] = field(default_factory=dict)

    def add(self, other: Result) -> None:
        self.comparisons += other.comparisons
        self.allowed += other.allowed
        self.differences += other.differences

    @property
    def survivors(self) -> list[str]:
        return sorted(name for name, killer in self.mutants.items() if killer is None)

    def __str__(self) -> str:
        killed = len(self.mutants) - len(self.survivors)
        return (
            f"matrix: {self.worlds} worlds, {self.comparisons} comparisons, {len(self.differences)} differences,"
            f" {killed} of {len(self.mutants)} mutants killed"
        )


def run(superuser_url: str, app_url: str) -> Result:
    """Loads every world into an empty database, compares both walls with the oracle, then tries every mutant."""
    result = Result()
    worlds = near_misses(clock.now())
    result.worlds = len(worlds)
    oracles = {one.number: Oracle(one.rows, one.reader, clock.now()) for one in worlds}
    # as the application connects
    admin, app = (
        sa.create_engine(url, poolclass=sa.StaticPool, connect_args=ENGINE["connect_args"])
        for url in (superuser_url, app_url)
    )
    load(admin, worlds)
    biting = [one for one in worlds if bites(one, oracles, worlds)]
    with ThreadPoolExecutor(1) as beside:
        orm = beside.submit(compare_orm, admin, biting, oracles, Result())
        result.add(compare_database(app, biting, oracles, Result()))
        result.add(orm.result())
    try_mutants(admin, worlds, oracles, result)
    admin.dispose()
    app.dispose()
    return result


def bites(world: NearMiss, oracles: dict[int, Oracle], worlds: list[NearMiss]) -> bool:
    """Does the flip change any verdict? Those that don't are compared by the compiled rule alone, in one query a rule."""

    def verdicts(one: NearMiss) -> list[bool]:
        return [
            verdict(oracles[one.number], row)
            for model, _, _, verdict in _rules()
            for row in one.rows[model.__tablename__]
        ]

    base = next(one for one in worlds if one.path == world.path)
    return base is world or verdicts(base) != verdicts(world)


def load(admin: sa.Engine, worlds: list[NearMiss]) -> None:
    with admin.begin() as connection:
        for name in LIFTED:
            connection.exec_driver_sql(f"ALTER TABLE record_grant DROP CONSTRAINT {name}")
        for table in TABLES:
            rows = [row for world in worlds for row in world.rows[table]]
            # rows of one shape at a time: an insert of many takes its columns from the first
            for keys in {tuple(sorted(row)) for row in rows}:
                alike = [row for row in rows if tuple(sorted(row)) == keys]
                connection.execute(sa.insert(Base.metadata.tables[table]), alike)
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


class _Bound(HubSession):
    """The hub's session, with its guard, on an engine of the test's choice."""

    def __init__(self, engine: sa.Engine) -> None:
        super().__init__(db, autoflush=False)
        self._engine = engine

    def get_bind(self, *_: Any, **__: Any) -> sa.Engine:
        return self._engine


def compare_orm(
    engine: sa.Engine, worlds: list[NearMiss], oracles: dict[int, Oracle], result: Result
) -> Result:
    """The ORM guard alone: as superuser, whom row-level security doesn't hold. The list is not narrowed to the world."""
    statements = {model: sa.select(model.id) for model in READS}
    with _Bound(engine) as session:
        for world in worlds:
            session.rollback()
            session.info[CONTEXT_KEY] = world.context
            for model, statement in statements.items():
                _compare(result, "ORM", world, oracles, model, READS[model], set(session.scalars(statement)))
    return result


def compare_database(
    engine: sa.Engine, worlds: list[NearMiss], oracles: dict[int, Oracle], result: Result
) -> Result:
    """Row-level security alone: raw SQL as the application's role, reads of everything and attempts to write."""
    with engine.connect() as connection:
        for world in worlds:
            with connection.begin() as transaction:
                _announce(connection, world)
                for model, verdict in READS.items():
                    seen = _ids(connection, f"SELECT id FROM {model.__tablename__}")
                    _compare(result, "database", world, oracles, model, verdict, seen)
                for model, verdict in CHANGES.items():
                    column = "knowable" if model is Record else "role"
                    own = [row["id"] for row in world.rows[model.__tablename__]]
                    changed = f"UPDATE {model.__tablename__} SET {column} = {column} WHERE id = ANY(%(own)s) RETURNING id"
                    seen = _ids(connection, changed, {"own": own})
                    _compare(result, "database change", world, oracles, model, verdict, seen)
                for model, verdict in ADDS.items():
                    row = world.rows[model.__tablename__][-1]
                    wanted = verdict(oracles[world.number], row)
                    _count(result, "database add", world, model, _can_add(connection, model, row), wanted)
                transaction.rollback()
    return result


def _announce(connection: sa.Connection, world: NearMiss) -> None:
    columns = ", ".join(f"set_config('hub.{name}', :{name}, true)" for name in SETTINGS)
    connection.execute(
        sa.text(f"SELECT {columns}"), {name: _setting(world.context, name) for name in SETTINGS}
    )


def _ids(connection: sa.Connection, sql: str, values: dict[str, Any] | None = None) -> set[UUID]:
    return {row[0] for row in connection.exec_driver_sql(sql, values)}


def _can_add(connection: sa.Connection, model: type[Any], row: Row) -> bool:
    copy = {**row, "id": new_id()}
    if "reference" in copy:
        copy["reference"] = copy["id"].hex
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(model.__table__), copy)
    except sa.exc.ProgrammingError as error:
        if not isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise
        return False
    return True


def _compare(
    result: Result,
    wall: str,
    world: NearMiss,
    oracles: dict[int, Oracle],
    model: type[Any],
    verdict: Verdict,
    seen: set[UUID],
) -> None:
    wanted = {row["id"] for row in world.rows[model.__tablename__] if verdict(oracles[world.number], row)}
    _count(result, wall, world, model, seen, wanted)


def _count(result: Result, wall: str, world: NearMiss, model: type[Any], seen: Any, wanted: Any) -> None:
    result.comparisons += 1
    result.allowed += bool(wanted)
    if seen != wanted:
        said = (
            f"{wall} {model.__tablename__}: {world.path}, {world.flip}: {seen} where the oracle says {wanted}"
        )
        result.differences.append(said)


# ---- mutants: every clause switched off by its name must change a verdict ----------------------------------------


def try_mutants(admin: sa.Engine, worlds: list[NearMiss], oracles: dict[int, Oracle], result: Result) -> None:
    """The same expressions over all worlds at once, with the reader's values from a table instead of the settings."""
    with admin.connect() as connection:
        _place(connection, worlds, oracles)
        clauses: dict[str, list[tuple[type[Any], str, Rule]]] = {}
        for model, act, rule, _ in _rules():
            sql, names = _statement(model, act, rule)
            for name in names:
                clauses.setdefault(name, []).append((model, act, rule))
            result.comparisons += len(worlds)
            for number, _ in connection.exec_driver_sql(sql):
                one = worlds[number - 1]
                result.differences.append(f"compiled {act} {model.__tablename__}: {one.path}, {one.flip}")
        for name in sorted(sets.NAMES):
            with _switched_off(name):
                killers = (_first(connection, *rule, worlds) for rule in clauses.get(name, ()))
                result.mutants[name] = next((found for found in killers if found), None)
        connection.rollback()


def _first(
    connection: sa.Connection, model: type[Any], act: str, rule: Rule, worlds: list[NearMiss]
) -> str | None:
    found = connection.exec_driver_sql(f"{_statement(model, act, rule)[0]} LIMIT 1").first()
    if found is None:
        return None
    world = worlds[found[0] - 1]
    return f"{act} {model.__tablename__}: {world.path}, {world.flip}"


def _rules() -> Iterator[tuple[type[Any], str, Rule, Verdict]]:
    for model, verdict in READS.items():
        yield model, "read", GUARDED[model].read, verdict
    yield Record, "know", lambda row, terms: know_record(row, row.id, terms), Oracle.knows_record
    for act, table in (("change", CHANGES), ("add", ADDS)):
        for model, verdict in table.items():
            rule = getattr(GUARDED[model], act)
            yield model, act, rule, verdict


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


def _place(connection: sa.Connection, worlds: list[NearMiss], oracles: dict[int, Oracle]) -> None:
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
    placed = [
        {"id": row["id"], "act": act, "world": one.number, "wanted": verdict(oracles[one.number], row)}
        for one in worlds
        for model, act, _, verdict in _rules()
        for row in one.rows[model.__tablename__]
    ]
    run_sql("INSERT INTO placed VALUES (%(id)s, %(act)s, %(world)s, %(wanted)s)", placed)  # type: ignore[arg-type]
    run_sql("ANALYZE reader")
    run_sql("ANALYZE placed")


@contextmanager
def _switched_off(name: str) -> Iterator[None]:
    token = sets.DISABLED.set(frozenset({name}))
    try:
        yield
    finally:
        sets.DISABLED.reset(token)


def main() -> int:
    from hub.cli.db import upgrade
    from hub.launcher.postgres import Postgres

    with tempfile.TemporaryDirectory() as folder:
        server = Postgres(Path(folder), test=True)
        address = server.start()
        try:
            upgrade(address.owner_url)
            name = make_url(address.app_url).database
            superuser = (
                make_url(address.superuser_url).set(database=name).render_as_string(hide_password=False)
            )
            result = run(superuser, address.app_url)
        finally:
            server.stop()
    for line in (*result.differences[:20], *(f"survived: {name}" for name in result.survivors)):
        print(line)
    if "-v" in sys.argv:
        for name, killer in result.mutants.items():
            print(f"  {name}: {killer}")
    print(result)
    return 1 if result.differences or result.survivors else 0


if __name__ == "__main__":
    sys.exit(main())
