"""`hub db`: bring the database to the schema of this release, as its owner."""

from __future__ import annotations

import os
from pathlib import Path

import click
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import make_url

from hub.config import APP, CLI, LOADER, WORKER, DatabaseRole, Settings

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
# each belongs to a process of its own; who has none yet gets a role that nobody can sign in as
OTHERS = (WORKER, CLI, LOADER, DatabaseRole("hub_sequencer", "HUB_SEQUENCER_DATABASE_URL"))


@click.group("db")
def main() -> None:
    """The database."""


@main.command("upgrade")
def upgrade_command() -> None:
    """Make or upgrade roles, grants, tables and walls. Needs HUB_OWNER_DATABASE_URL."""
    settings = Settings.from_environment()
    if not settings.owner_database_url:
        raise click.ClickException("HUB_OWNER_DATABASE_URL is not set: migrations run as the owner role.")
    make_role(settings.owner_database_url, APP.name, settings.database_url, APP.variable)
    for role in OTHERS:
        address = os.environ.get(role.variable, "")
        if address:
            make_role(settings.owner_database_url, role.name, address, role.variable)
        else:
            click.echo(f"{role.variable} is not set: the role {role.name} is left as it is.", err=True)
    upgrade(settings.owner_database_url)
    click.echo("The database is up to date.", err=True)


def upgrade(owner_url: str) -> None:
    """Runs all migrations that the database has not had yet."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("sqlalchemy.url", owner_url.replace("%", "%%"))
    command.upgrade(config, "head")


def make_role(owner_url: str, role: str, address: str, variable: str) -> None:
    """Creates a role with the password of its address, where it does not exist yet; lets it sign in where it couldn't."""
    url = make_url(address)
    if url.username != role:
        raise click.ClickException(f"{variable} must sign in as the role {role}.")
    engine = sa.create_engine(owner_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        found = connection.execute(
            sa.text("SELECT rolcanlogin FROM pg_roles WHERE rolname = :role"), {"role": role}
        ).scalar()
        if not found:
            quoted = connection.execute(
                sa.text("SELECT quote_literal(:word)"), {"word": url.password or ""}
            ).scalar_one()
            # one that a migration has made is none of those already, and only a superuser may say it again
            verb = "CREATE" if found is None else "ALTER"
            never = " NOSUPERUSER NOBYPASSRLS" if found is None else ""
            connection.exec_driver_sql(
                f"{verb} ROLE {role} LOGIN{never} PASSWORD {quoted}".replace("%", "%%")
            )
    engine.dispose()
