"""A database that serves a second test holds nothing of the first."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from types import SimpleNamespace

import psycopg
import pytest
from sqlalchemy.engine import make_url

from tests.conftest import on_database
from tests.fixtures.clones import Clones

ROWS = {
    "a row added": "INSERT INTO organisation (id, code, name, kind, opens_records, created_at)"
    " SELECT gen_random_uuid(), 'NEW', 'New', kind, false, now() FROM organisation LIMIT 1",
    "a row changed": "UPDATE organisation SET name = 'Other' WHERE code = (SELECT min(code) FROM organisation)",
    "a row lost": "DELETE FROM organisation WHERE code = (SELECT min(code) FROM organisation)",
    "all rows changed, and one put for another": "UPDATE organisation SET name = 'Other';"
    " DELETE FROM organisation WHERE code = (SELECT min(code) FROM organisation);"
    " INSERT INTO organisation (id, code, name, kind, opens_records, created_at)"
    " SELECT gen_random_uuid(), 'NEW', 'New', kind, false, now() FROM organisation LIMIT 1",
    "a number drawn": "SELECT nextval(oid::regclass) FROM pg_class WHERE relkind = 'S'",
}
OTHER = {
    "a table emptied": "TRUNCATE throttle",
    "a table made": "CREATE TABLE left_over ()",
    "a wall taken down": "ALTER TABLE organisation DISABLE ROW LEVEL SECURITY; ALTER TABLE record DISABLE ROW LEVEL SECURITY",
    "a right given": "GRANT SELECT ON throttle TO hub_loader",
    "a function changed": "ALTER FUNCTION audit.record_event SET statement_timeout = 1",
    "a setting": "ALTER DATABASE {name} SET work_mem = '8MB'",
    "a limit": "ALTER DATABASE {name} CONNECTION LIMIT 5",
}


@pytest.fixture
def clones(cluster: SimpleNamespace, template: SimpleNamespace) -> Iterator[Clones]:
    """Its own, so that what it lends was used by nobody else."""
    made = Clones(template.admin, cluster.superuser, template.name, uses=3)
    yield made
    made.drop_all()


def run(cluster: SimpleNamespace, name: str, statements: str) -> list[tuple[object, ...]]:
    with _inside(cluster, name) as connection:
        connection.execute("SET session_replication_role = replica")
        found = connection.execute(statements)  # type: ignore[call-overload]
        return list(found.fetchall()) if found.description else []


def _inside(cluster: SimpleNamespace, name: str) -> psycopg.Connection:
    url = make_url(on_database(cluster.superuser, name)).set(drivername="postgresql")
    return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)


def contents(cluster: SimpleNamespace, name: str) -> dict[str, object]:
    """Every row of every table, and where each sequence stands."""
    tables = "SELECT oid::regclass::text, relkind::text FROM pg_class WHERE relkind IN ('r', 'S')"
    tables += " AND relnamespace::regnamespace::text IN ('public', 'audit') ORDER BY 1"
    with _inside(cluster, name) as connection:
        return {
            table: connection.execute(
                f"SELECT last_value, is_called FROM {table}"
                if kind == "S"
                else f"SELECT t::text FROM {table} t ORDER BY t.ctid"
            ).fetchall()
            for table, kind in connection.execute(tables).fetchall()
        }


@pytest.mark.parametrize("change", ROWS)
def test_a_database_is_as_the_template_again(
    clones: Clones, cluster: SimpleNamespace, template: SimpleNamespace, change: str
) -> None:
    name = clones.take()
    before = contents(cluster, name)
    for _ in range(2):
        run(cluster, name, ROWS[change])
        assert contents(cluster, name) != before
        clones.give_back(name)
        assert clones.take() == name
        assert contents(cluster, name) == before


@pytest.mark.parametrize("change", OTHER)
def test_a_database_that_was_changed_in_another_way_is_not_used_again(
    clones: Clones, cluster: SimpleNamespace, template: SimpleNamespace, change: str
) -> None:
    name = clones.take()
    run(cluster, name, OTHER[change].replace("{name}", name))
    clones.give_back(name)
    assert clones.take() != name
    assert not run(cluster, "postgres", f"SELECT 1 FROM pg_database WHERE datname = '{name}'")


def test_whoever_is_still_there_is_cut_off(clones: Clones, cluster: SimpleNamespace) -> None:
    name = clones.take()
    with _inside(cluster, name) as left:
        left.execute("BEGIN; UPDATE organisation SET name = 'Other'")
        clones.give_back(name)
        assert clones.take() == name
        with pytest.raises(psycopg.OperationalError):
            left.execute("SELECT 1")


def test_a_database_serves_a_few_tests_and_is_dropped(clones: Clones) -> None:
    seen = []
    for _ in range(4):
        seen.append(clones.take())
        clones.give_back(seen[-1])
    assert len(set(seen[:3])) == 1
    assert seen[3] != seen[0]


def test_one_that_is_gone_is_no_trouble(clones: Clones, cluster: SimpleNamespace) -> None:
    name = clones.take()
    renamed = f"hub_{secrets.token_hex(6)}"
    run(cluster, "postgres", f"ALTER DATABASE {name} RENAME TO {renamed}")
    clones.give_back(name)
    run(cluster, "postgres", f"DROP DATABASE {renamed}")
    assert clones.take() != name
