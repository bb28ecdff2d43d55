"""The roles and the database in our own PostgreSQL server: made once, and when their passwords changed."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

SUPERUSER = "hub_superuser"
OWNER = "hub_owner"
APP = "hub_app"
WORKER = "hub_worker"
CLI = "hub_cli"
LOADER = "hub_loader"
SEQUENCER = "hub_sequencer"
DATABASE = "hub"

_FORM = "3"  # raise it when the statements below change, and every directory carries them out again
_ROLES = {
    OWNER: "LOGIN CREATEROLE NOSUPERUSER NOCREATEDB NOBYPASSRLS NOREPLICATION",
    APP: "LOGIN NOCREATEROLE NOSUPERUSER NOCREATEDB NOBYPASSRLS NOREPLICATION NOINHERIT",
    SEQUENCER: "LOGIN NOCREATEROLE NOSUPERUSER NOCREATEDB NOBYPASSRLS NOREPLICATION NOINHERIT",
    # these inherit what the application may do
    WORKER: "LOGIN NOCREATEROLE NOSUPERUSER NOCREATEDB NOBYPASSRLS NOREPLICATION INHERIT",
    CLI: "LOGIN NOCREATEROLE NOSUPERUSER NOCREATEDB NOBYPASSRLS NOREPLICATION INHERIT",
    LOADER: "LOGIN NOCREATEROLE NOSUPERUSER NOCREATEDB NOBYPASSRLS NOREPLICATION INHERIT",
}
LIKE_THE_APP = (WORKER, CLI, LOADER)


@dataclass(frozen=True)
class Passwords:
    owner: str = field(repr=False)
    app: str = field(repr=False)
    worker: str = field(repr=False)
    cli: str = field(repr=False)
    loader: str = field(repr=False)
    sequencer: str = field(repr=False)

    def each(self) -> tuple[tuple[str, str], ...]:
        """Role and password."""
        return (
            (OWNER, self.owner),
            (APP, self.app),
            (WORKER, self.worker),
            (CLI, self.cli),
            (LOADER, self.loader),
            (SEQUENCER, self.sequencer),
        )


def provide(superuser_url: str, directory: Path, passwords: Passwords) -> None:
    """Carry the statements out unless a note says that it was done with these passwords."""
    note = directory / "roles"
    wanted = hashlib.sha256(f"{_FORM} {passwords.each()}".encode()).hexdigest()
    if note.exists() and note.read_text() == wanted:
        return
    try:
        with psycopg.connect(superuser_url.replace("+psycopg", "", 1), autocommit=True) as connection:
            for role, password in passwords.each():
                _role(connection, role, password)
            for role in LIKE_THE_APP:
                connection.execute(
                    sql.SQL("GRANT {} TO {}").format(sql.Identifier(APP), sql.Identifier(role))
                )
            _database(connection)
    except psycopg.OperationalError as error:
        raise SystemExit(
            f"PostgreSQL refused the password in var/secrets/{SUPERUSER}: {error}. "
            "Put back the secrets that belong to this database, or choose another --var."
        ) from error
    note.write_text(wanted)


def _role(connection: psycopg.Connection, role: str, password: str) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    statement = sql.SQL("{verb} ROLE {role} {rights} PASSWORD {password}").format(
        verb=sql.SQL("ALTER" if known else "CREATE"),
        role=sql.Identifier(role),
        rights=sql.SQL(_ROLES[role]),
        password=sql.Literal(password),
    )
    connection.execute(statement)


def _database(connection: psycopg.Connection) -> None:
    database = sql.Identifier(DATABASE)
    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, sql.Identifier(OWNER)))
    for each in (database, sql.Identifier("postgres"), sql.Identifier("template1")):
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(each))
    for role in (APP, *LIKE_THE_APP, SEQUENCER):
        connection.execute(
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, sql.Identifier(role))
        )
