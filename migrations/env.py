"""Runs migrations as the owner role, with timeouts, one at a time."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, pool, text

import hub.models  # noqa: F401
from hub.core.schema import Base

# one migration at a time, wherever it is started from
ADVISORY_LOCK = 7_304_001


def _include(name: str | None, kind: str, _parents: object) -> bool:
    return not (kind == "table" and name is not None and name.startswith(("procrastinate_", "event_")))


def run() -> None:
    engine = create_engine(context.config.get_main_option("sqlalchemy.url"), poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text("SET lock_timeout = '10s'"))
        connection.execute(text("SET statement_timeout = '10min'"))
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            include_name=_include,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


if context.is_offline_mode():
    raise SystemExit("migrations need a database")
run()
