"""Administration: joiners, movers and leavers, two people for a role, settings with dates, code lists."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0008"
down_revision = "0007"

SQL = Path(__file__).parent.parent / "sql" / "0008"


def upgrade() -> None:
    for part in sorted(SQL.glob("*.sql")):
        # psycopg reads % as a placeholder
        op.get_bind().exec_driver_sql(part.read_text().replace("%", "%%"))


def downgrade() -> None:
    raise RuntimeError("this migration is not undone: restore a backup instead")
