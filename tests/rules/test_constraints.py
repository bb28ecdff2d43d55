"""The constraints of a migrated database are the models', by name and to the letter: migrations are written by hand."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

import hub.models  # noqa: F401
from hub.access.sets import ACTOR_SETS
from hub.access.walls import READER_ROLE
from hub.core.schema import Base
from tests.rules.test_database import read

_CONSTRAINTS = """
    SELECT t.relname, c.conname, pg_get_constraintdef(c.oid) FROM pg_constraint c
    JOIN pg_class t ON t.oid = c.conrelid AND t.relnamespace = 'public'::regnamespace
    WHERE c.contype <> 't' AND t.relname NOT LIKE 'procrastinate%' AND t.relname <> 'alembic_version'
"""
_INDEXES = """
    SELECT tablename, indexname, indexdef FROM pg_indexes
    WHERE schemaname = 'public' AND tablename NOT LIKE 'procrastinate%' AND tablename <> 'alembic_version'
"""


@pytest.fixture
def from_models(database: SimpleNamespace) -> Iterator[str]:
    """A database that holds the tables as the models say, made without a migration; the superuser's address."""
    name = f"{database.name}_models"
    admin = sa.create_engine(
        make_url(database.superuser).set(database="postgres"),
        isolation_level="AUTOCOMMIT",
        poolclass=sa.NullPool,
    )
    url = make_url(database.superuser).set(database=name)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.begin() as made:
            for extension in ("btree_gist", "fuzzystrmatch", "pg_trgm", "pgcrypto"):
                made.exec_driver_sql(f"CREATE EXTENSION {extension}")
            ours = [
                table for table in Base.metadata.sorted_tables if table.info.get("written_by") != "database"
            ]
            Base.metadata.create_all(made, tables=ours)
        engine.dispose()
        yield url.render_as_string(hide_password=False)
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize("kind", [_CONSTRAINTS, _INDEXES], ids=["constraints", "indexes"])
def test_what_the_database_holds_is_what_the_models_say(
    database: SimpleNamespace, from_models: str, kind: str
) -> None:
    """Alembic's comparison does not see checks and exclusions at all, nor what a foreign key does on an update."""
    migrated, wanted = (
        {(table, name): " ".join(text.split()) for table, name, text in read(url, kind)}
        for url in (database.superuser, from_models)
    )
    faults = [
        f"{table} has {name}, which no model says" for table, name in sorted(migrated.keys() - wanted.keys())
    ]
    faults += [f"{table} lacks {name}" for table, name in sorted(wanted.keys() - migrated.keys())]
    faults += [
        f"{table} {name}: {migrated[table, name]} where the model says {wanted[table, name]}"
        for table, name in sorted(migrated.keys() & wanted.keys())
        if migrated[table, name] != wanted[table, name]
    ]
    assert not faults, "\n".join(faults)
    assert len(migrated) > 100


def test_every_constraint_holds_for_the_rows_that_are_there(database: SimpleNamespace) -> None:
    assert read(database.superuser, "SELECT conname FROM pg_constraint WHERE NOT convalidated") == []


def test_the_sets_of_the_rule_are_the_readers_own_functions(database: SimpleNamespace) -> None:
    """Owned by anybody else, what a set reads would be walled a second time, or not at all."""
    found = read(
        database.superuser,
        "SELECT p.proname, r.rolname, p.prosecdef, p.provolatile::text FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner"
        " WHERE p.pronamespace = 'public'::regnamespace AND p.proname LIKE 'my\\_%'",
    )
    wanted = {one.name for one in ACTOR_SETS} | {"my_knowable_record"}
    assert {tuple(row) for row in found} == {(name, READER_ROLE, True, "s") for name in wanted}
