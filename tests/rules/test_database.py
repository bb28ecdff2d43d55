"""The database against the code: one head, models equal to migrations, walls as compiled, privileges as listed."""

from __future__ import annotations

import json
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

GOLDEN = Path(__file__).with_name("privileges.json")
ROLES = ("hub_app", "hub_finder", "hub_log", "hub_owner", "hub_reader", "hub_sequencer", "public")

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
    assert found == json.loads(GOLDEN.read_text())


def test_the_application_owns_nothing_and_bypasses_nothing(database: SimpleNamespace) -> None:
    owned = (
        "SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname = 'hub_app'"
    )
    rights = (
        "SELECT rolname FROM pg_roles WHERE rolname LIKE 'hub\\_%' AND rolname <> 'hub_superuser'"
        " AND (rolsuper OR rolbypassrls OR rolcreatedb OR rolreplication)"
    )
    # the finder's role it takes, and inherits nothing of it
    belongs = (
        "SELECT m.roleid::regrole::text, pg_has_role('hub_app', m.roleid, 'USAGE')"
        " FROM pg_auth_members m WHERE m.member = 'hub_app'::regrole"
    )
    assert read(database.superuser, owned) == [(0,)]
    assert read(database.superuser, rights) == []
    assert read(database.superuser, belongs) == [("hub_finder", False)]


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
