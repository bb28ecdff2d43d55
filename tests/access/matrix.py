"""The near-miss matrix: oracle = ORM guard = raw SQL under row-level security, for reads and writes; and the mutants.

`python -m tests.access.matrix` makes a database of its own and ends with the one line
`matrix: N worlds, N comparisons, N differences, N of N mutants killed`. With `--pairs` it takes every pair of flips instead,
without the mutants; `-v` tells which world kills which mutant.
"""

from __future__ import annotations

import functools
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import make_url

import hub.models  # noqa: F401
from hub.access import guard
from hub.app import ENGINE
from hub.cli.db import upgrade
from hub.core import clock
from hub.core.schema import Base
from hub.launcher.postgres import Postgres
from tests.access.both_walls import compare_orm, compare_reads, compare_writes, open_all
from tests.access.mutants import compare_compiled, try_mutants
from tests.access.oracle import Oracle
from tests.access.verdicts import Oracles, Result, rules
from tests.access.worlds import AS_IT_IS, NearMiss, as_they_are, near_misses, pairs

# order of loading: parents first
TABLES = (
    "partnership", "organisation", "team", "app_user", "agreement", "agreement_party", "agreement_purpose", "record",
    "key_epoch", "data_key", "record_team", "person", "exclusion", "emergency", "record_grant", "shared_fact", "hand_over",
    "entry", "involvement", "person_name",
)  # fmt: skip
# these forbid some of the flips outright; the clause must hold without them
LIFTED = (
    "ck_record_grant_outside_needs_agreement",
    "ck_record_grant_ends_within_agreement",
    "ck_record_grant_sections_within_agreement",
)
Engines = tuple[sa.Engine, ...]
Comparing = Callable[[sa.Engine, list[NearMiss], Oracles], Result]
# worlds of pairs that share one database
BATCH = 1500


def run(superuser_url: str, app_url: str) -> Result:
    """Loads every world into an empty database, compares both walls with the oracle, and tries every mutant."""
    worlds = near_misses(clock.now())
    with _loaded(superuser_url, app_url, worlds) as engines:
        return _compare(worlds, engines, try_mutants)


def run_pairs(superuser_url: str, app_url: str, batch: list[NearMiss]) -> Result:
    """One batch of pairs of flips. The compiled rule is asked for all, the walls for those that change a verdict."""
    with _loaded(superuser_url, app_url, batch) as engines:
        return _compare(batch, engines, compare_compiled)


def batches() -> Iterator[list[NearMiss]]:
    """Every pair of flips, as many worlds at a time as live well together; rows are made when they are asked for."""
    batch: list[NearMiss] = []
    for world in pairs(clock.now):
        batch.append(world)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _compare(worlds: list[NearMiss], engines: Engines, all_at_once: Comparing) -> Result:
    """The walls for the worlds that bite and the compiled rule for all, side by side, each on a connection of its own."""
    oracles = _oracles(worlds)
    biting = _biting(worlds, oracles)
    guard.guard_options()  # built once, before threads want it
    result = Result(worlds=len(worlds))
    with ThreadPoolExecutor(4) as pool:
        parts = [
            pool.submit(all_at_once, engines[0], worlds, oracles),
            pool.submit(compare_orm, engines[1], biting, oracles),
            pool.submit(compare_reads, engines[2], biting, oracles),
            pool.submit(compare_writes, engines[3], biting, oracles),
        ]
        for part in parts:
            result.add(part.result())
    return result


def _oracles(worlds: list[NearMiss]) -> Oracles:
    return {one.number: Oracle(one.rows, one.reader, clock.now()) for one in worlds}


def _biting(worlds: list[NearMiss], oracles: Oracles) -> list[NearMiss]:
    """The worlds whose flips change any verdict. The others are compared by the compiled rule alone, in one query a rule."""
    bases = _as_they_are()
    return [
        one
        for one in worlds
        if one.flip == AS_IT_IS or _verdicts(one, oracles[one.number]) != bases[one.path]
    ]


@functools.cache
def _as_they_are() -> dict[str, list[bool]]:
    """Path → the verdicts of its world without a flip."""
    now = clock.now()
    return {one.path: _verdicts(one, Oracle(one.rows, one.reader, now)) for one in as_they_are(now)}


def _verdicts(world: NearMiss, oracle: Oracle) -> list[bool]:
    return [
        verdict(oracle, row) for model, _, _, verdict in rules() for row in world.rows[model.__tablename__]
    ]


@contextmanager
def _loaded(superuser_url: str, app_url: str, worlds: list[NearMiss]) -> Iterator[Engines]:
    """The worlds in the database; two connections of the superuser's and two of the application's."""
    engines = tuple(
        # as the application connects
        sa.create_engine(url, poolclass=sa.StaticPool, connect_args=ENGINE["connect_args"])
        for url in (superuser_url, superuser_url, app_url, app_url)
    )
    try:
        load(engines[0], worlds)
        yield engines
    finally:
        for one in engines:
            one.dispose()


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
        open_all(connection, worlds)
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


@contextmanager
def _server() -> Iterator[tuple[str, str]]:
    """A throw-away server with a migrated database: the superuser's and the application's address of it."""
    with tempfile.TemporaryDirectory() as folder:
        server = Postgres(Path(folder), test=True)
        address = server.start()
        try:
            upgrade(address.owner_url)
            name = make_url(address.app_url).database
            superuser = make_url(address.superuser_url).set(database=name)
            yield superuser.render_as_string(hide_password=False), address.app_url
        finally:
            server.destroy()


@contextmanager
def fresh_database(superuser_url: str, app_url: str) -> Iterator[tuple[str, str]]:
    """A copy of the migrated database for one batch, dropped afterwards."""
    name = f"{make_url(superuser_url).database}_batch"
    admin = sa.create_engine(
        make_url(superuser_url).set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {make_url(superuser_url).database}")
        try:
            yield tuple(  # type: ignore[misc]
                make_url(url).set(database=name).render_as_string(hide_password=False)
                for url in (superuser_url, app_url)
            )
        finally:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


def run_all_pairs(superuser_url: str, app_url: str, *, tell: bool = False) -> Result:
    """Every batch in a database of its own, so that memory and plans stay small."""
    result = Result()
    for batch in batches():
        began = time.monotonic()
        with fresh_database(superuser_url, app_url) as addresses:
            result.add(run_pairs(*addresses, batch))
        if tell:
            print(f"{result.worlds} worlds, {result.comparisons} comparisons, {time.monotonic() - began:.0f} s", flush=True)  # fmt: skip
    return result


def main() -> int:
    with _server() as (superuser_url, app_url):
        if "--pairs" in sys.argv:
            result = run_all_pairs(superuser_url, app_url, tell=True)
        else:
            result = run(superuser_url, app_url)
    for line in (*result.differences[:20], *(f"survived: {name}" for name in result.survivors)):
        print(line)
    if "-v" in sys.argv:
        for name, killer in result.mutants.items():
            print(f"  {name}: {killer}")
    print(result)
    return 1 if result.differences or result.survivors else 0


if __name__ == "__main__":
    sys.exit(main())
