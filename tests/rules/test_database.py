"""The database against the code: one head, models equal to migrations, walls as compiled, privileges as listed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import hub.models  # noqa: F401
from hub.access.policy import GUARDED
from hub.cli.db import MIGRATIONS
from hub.core.schema import Base, Holds
from tests.rules.golden import wanted

GOLDEN = Path(__file__).with_name("privileges.json")
SERVICE = ["hub_app", "hub_cli", "hub_loader", "hub_worker"]
ROLES = (*SERVICE, "hub_finder", "hub_log", "hub_owner", "hub_reader", "hub_sequencer", "public")

_PRIVILEGES = """
    SELECT coalesce(r.rolname, 'public'), n.nspname || '.' || c.relname, a.privilege_type
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        CROSS JOIN LATERAL aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE n.nspname IN ('public', 'audit') AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
        AND c.relname NOT LIKE 'procrastinate%'
    UNION ALL
    SELECT coalesce(r.rolname, 'public'), n.nspname || '.' || c.relname || '.' || t.attname, a.privilege_type
    FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        CROSS JOIN LATERAL aclexplode(t.attacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE n.nspname IN ('public', 'audit')
    UNION ALL
    SELECT coalesce(r.rolname, 'public'), n.nspname || '.' || p.proname || '()', a.privilege_type
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        CROSS JOIN LATERAL aclexplode(p.proacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE n.nspname = 'audit' OR (n.nspname = 'public' AND p.prosecdef AND p.proname NOT LIKE 'procrastinate%')
    UNION ALL
    SELECT m.member::regrole::text, 'the rights of ' || m.roleid::regrole,
        CASE WHEN pg_has_role(m.member, m.roleid, 'USAGE') THEN 'INHERIT' ELSE 'TAKE' END
    FROM pg_auth_members m
"""


def read(url: str, statement: str) -> list[Any]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        rows = list(connection.execute(sa.text(statement)))
    engine.dispose()
    return rows


def test_there_is_one_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert len(ScriptDirectory.from_config(config).get_heads()) == 1


def test_the_models_are_what_the_migrations_make(database: SimpleNamespace) -> None:
    def ours(name: str | None, kind: str, parents: Any) -> bool:
        return not (
            kind == "table"
            and name is not None
            and name.startswith(("procrastinate_", "event_", "alembic_", "session_key"))
        )

    engine = sa.create_engine(database.superuser, poolclass=sa.NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_name": ours, "include_schemas": False, "compare_type": True}
        )
        metadata = sa.MetaData(naming_convention=Base.metadata.naming_convention)
        for table in Base.metadata.tables.values():
            if table.schema is None:
                table.to_metadata(metadata)
        differences = compare_metadata(context, metadata)
    engine.dispose()
    assert differences == []


def test_privileges_are_as_listed(database: SimpleNamespace) -> None:
    """`privileges.json` is read by people: a change of it is a change of who may do what (SECURITY W11)."""
    found: dict[str, dict[str, list[str]]] = {}
    for role, thing, privilege in sorted({tuple(row) for row in read(database.superuser, _PRIVILEGES)}):
        if role != "hub_owner" and role in ROLES:
            found.setdefault(role, {}).setdefault(thing, []).append(privilege)
    assert found == wanted(GOLDEN, found)


def test_the_service_s_roles_own_nothing_and_bypass_nothing(database: SimpleNamespace) -> None:
    owned = (
        "SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner"
        f" WHERE r.rolname = ANY (ARRAY{SERVICE})"
    )
    rights = (
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'hub\\_%' AND rolname <> 'hub_superuser'"
        " AND (rolsuper OR rolbypassrls OR rolcreatedb OR rolreplication)"
    )
    belongs = (
        "SELECT DISTINCT m.member::regrole::text, m.roleid::regrole::text FROM pg_auth_members m"
        f" WHERE m.member::regrole::text = ANY (ARRAY{SERVICE})"
    )
    assert read(database.superuser, owned) == [(0,)]
    assert read(database.superuser, rights) == []
    assert sorted(read(database.superuser, belongs)) == [
        ("hub_app", "hub_finder"),
        ("hub_cli", "hub_app"),
        ("hub_loader", "hub_app"),
        ("hub_worker", "hub_app"),
    ]
    # the finder's role they take, and inherit nothing of it
    for right, held in (("USAGE", 0), ("MEMBER", len(SERVICE))):
        holds = f"SELECT count(*) FROM unnest(ARRAY{SERVICE}) AS one WHERE pg_has_role(one, 'hub_finder', '{right}')"
        assert read(database.superuser, holds) == [(held,)]


def test_what_the_database_says_of_the_service_it_says_of_each_of_its_roles(
    database: SimpleNamespace,
) -> None:
    """A function that asks for hub_app by name lets worker, command line and loader pass: `is_service` names all."""
    naming = (
        "SELECT p.proname FROM pg_proc p WHERE p.pronamespace IN ('public'::regnamespace, 'audit'::regnamespace)"
        " AND p.prosrc LIKE '%''hub\\_app''%' ORDER BY 1"
    )
    # the third is the door: what is written without a session is the pages' own
    assert [row[0] for row in read(database.superuser, naming)] == [
        "is_own_kind",
        "is_service",
        "record_event",
    ]
    listed = f"SELECT one FROM unnest(ARRAY{[*SERVICE, 'hub_owner', 'hub_sequencer']}::name[]) AS one WHERE is_service(one)"
    assert sorted(row[0] for row in read(database.superuser, listed)) == SERVICE


def test_row_security_is_forced_on_every_guarded_table_and_on_the_log(database: SimpleNamespace) -> None:
    rows = read(
        database.superuser,
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname IN ('public', 'audit') AND c.relrowsecurity AND c.relforcerowsecurity",
    )
    forced = {row[0] for row in rows}
    assert {model.__tablename__ for model in GUARDED} | {"event", "event_text"} <= forced
    partitions = read(
        database.superuser,
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit.event'::regclass",
    )
    assert len(partitions) >= 2 and {row[0].removeprefix("audit.") for row in partitions} <= forced


def test_every_column_says_what_it_holds() -> None:
    silent = [
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if not isinstance(column.info.get("holds"), Holds)
    ]
    assert silent == []
