"""What the application role can't do to the log, statement by statement (SECURITY A6)."""

from __future__ import annotations

import psycopg
import pytest

from hub.access.actor import Actor
from tests.audit.conftest import Connect

PARTITION = "SELECT c.relname FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid ORDER BY 1 LIMIT 1"
STATEMENTS = [
    "INSERT INTO {table} DEFAULT VALUES",
    "UPDATE {table} SET {column} = {column}",
    "DELETE FROM {table}",
    "TRUNCATE {table}",
    "ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
    "CREATE POLICY mine ON {table} USING (true)",
    "DROP TABLE {table}",
]


STEPS_OF_BECOMING_THE_LOG = [
    "SELECT secret FROM audit.session_key",
    "SELECT token_hash FROM user_session",
    "SET ROLE hub_log",
    "SET ROLE hub_reader",
    "SET ROLE hub_owner",
    "CREATE TABLE audit.mine (id int)",
    "CREATE FUNCTION audit.record_event() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "ALTER FUNCTION audit.ensure_partitions(integer) RENAME TO gone",
    "CREATE OR REPLACE FUNCTION audit.canonical(value jsonb) RETURNS text LANGUAGE sql AS $$SELECT ''$$",
    "SELECT audit.canonical('{}')",
]


def allowed(connect: Connect, statements: list[str]) -> list[str]:
    """Those of the statements that the application role is not refused for want of privilege."""
    found = []
    app = connect("app")
    for statement in statements:
        try:
            app.execute(statement)  # type: ignore[call-overload]
        except psycopg.errors.InsufficientPrivilege:
            continue
        found.append(statement)
    return found


def test_the_application_only_reads_the_tables_of_the_log(connect: Connect, officer: Actor) -> None:
    for table, column in (("event", "act"), ("event_text", "name"), ("session_key", "secret")):
        assert (
            allowed(connect, [one.format(table=f"audit.{table}", column=column) for one in STATEMENTS]) == []
        )


def test_and_not_even_that_of_a_partition(connect: Connect) -> None:
    name = connect("owner").execute(PARTITION).fetchone()
    assert name is not None
    statements = ["SELECT 1 FROM {table}", *STATEMENTS]
    assert allowed(connect, [one.format(table=f"audit.{name[0]}", column="act") for one in statements]) == []


def test_the_application_cannot_become_the_log(connect: Connect, officer: Actor) -> None:
    assert allowed(connect, STEPS_OF_BECOMING_THE_LOG) == []


def test_row_security_holds_for_the_application_whatever_it_sets(connect: Connect, officer: Actor) -> None:
    app = connect("app")
    app.execute("SET row_security = off")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("SELECT count(*) FROM audit.event")
