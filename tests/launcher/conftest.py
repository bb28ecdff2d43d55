"""Servers of a test's own, under a directory of its own, gone when the test ends."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from hub.launcher.objectstore import ObjectStore
from hub.launcher.postgres import Postgres


@pytest.fixture
def make_postgres() -> Iterator[Callable[[Path], Postgres]]:
    """Makes servers that are stopped and removed afterwards, whatever the test did to them."""
    made: list[Postgres] = []

    def make(var: Path) -> Postgres:
        made.append(Postgres(var, test=False))
        return made[-1]

    yield make
    for server in made:
        server.destroy()


@pytest.fixture
def make_store() -> Iterator[Callable[[Path], ObjectStore]]:
    made: list[ObjectStore] = []

    def make(var: Path) -> ObjectStore:
        made.append(ObjectStore(var))
        return made[-1]

    yield make
    for store in made:
        store.destroy()


@pytest.fixture
def ask() -> Callable[..., list[tuple[object, ...]]]:
    """Runs one statement at an address of SQLAlchemy's form."""

    def run(url: str, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    return run
