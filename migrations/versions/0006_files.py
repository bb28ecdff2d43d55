"""Files: replacements, scans, hiding and holding; keys that are turned and destroyed."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0006"
down_revision = "0005"

SQL = Path(__file__).parent.parent / "sql" / "0006"


def upgrade() -> None:
    for part in sorted(SQL.glob("*.sql")):
        # psycopg reads % as a placeholder
        op.get_bind().exec_driver_sql(part.read_text().replace("%", "%%"))


def downgrade() -> None:
    raise RuntimeError("this migration is not undone: restore a backup instead")
