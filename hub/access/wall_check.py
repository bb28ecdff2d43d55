"""Refuses to serve when the database's wall is down: a role that may bypass it, a table without it, rows without context."""

from __future__ import annotations

import sqlalchemy as sa

from hub.access.policy import GUARDED
from hub.access.walls import FINDER_ROLE
from hub.extensions import db

# only while it has taken that role does the service find without an event
_INHERITS = sa.text("SELECT pg_has_role(oid, 'USAGE') FROM pg_roles WHERE rolname = :finder")
OWNER = "The database role of HUB_DATABASE_URL owns the tables, and may bypass row security. Use the role hub_app."


def check_walls() -> None:
    """Ends the process with one sentence unless row-level security holds for the application's own role."""
    with db.engine.connect() as connection:
        bypass = connection.execute(
            sa.text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        ).scalar()
        if bypass:
            raise SystemExit(
                "The database role of HUB_DATABASE_URL may bypass row security. Give the service a role that may not."
            )
        if connection.execute(_INHERITS, {"finder": FINDER_ROLE}).scalar():
            raise SystemExit(
                f"The database role of HUB_DATABASE_URL inherits the rights of {FINDER_ROLE}. Make it NOINHERIT."
            )
        for model in GUARDED:
            owned = connection.execute(
                sa.text(
                    "SELECT pg_has_role(relowner, 'MEMBER') FROM pg_class WHERE oid = CAST(:table AS regclass)"
                ),
                {"table": model.__tablename__},
            ).scalar()
            if owned:
                raise SystemExit(OWNER)
            table = model.__tablename__
            active = connection.execute(
                sa.text("SELECT row_security_active(:table)"), {"table": table}
            ).scalar()
            if not active:
                raise SystemExit(
                    f"Row security is not active on the table {table}. Run hub db upgrade as the owner."
                )
            seen = connection.execute(sa.text(f"SELECT EXISTS (SELECT FROM {table})")).scalar()  # noqa: S608 - own names
            if seen:
                raise SystemExit(
                    f"The table {table} shows rows to nobody in particular. The service does not start."
                )
