"""Everything that the hub stands on: tables, the log, both walls, search, grants, background work."""

from __future__ import annotations

from pathlib import Path

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0001"
down_revision = None

SQL = Path(__file__).parent.parent / "sql" / "0001"


def upgrade() -> None:
    run = op.get_bind().exec_driver_sql
    for part in sorted(SQL.glob("[1-6]_*.sql")):
        run(_escaped(part.read_text()))
    run(_escaped(SchemaManager.get_schema()))
    run(_escaped((SQL / "7_jobs.sql").read_text()))


def _escaped(sql: str) -> str:
    """psycopg reads % as a placeholder."""
    return sql.replace("%", "%%")


def downgrade() -> None:
    raise RuntimeError("the first migration is not undone: restore a backup instead")
