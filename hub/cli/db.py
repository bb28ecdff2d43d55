"""`hub db`: bring the database to the schema of this release, as its owner."""

from __future__ import annotations

from pathlib import Path

import click
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import make_url

from hub.config import Settings

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


@click.group("db")
def main() -> None:
    """The database."""


@main.command("upgrade")
def upgrade_command() -> None:
    """Make or upgrade roles, grants, tables and walls. Needs HUB_OWNER_DATABASE_URL."""
    settings = Settings.from_environment()
    if not settings.owner_database_url:
        raise click.ClickException("HUB_OWNER_DATABASE_URL is not set: migrations run as the owner role.")
    make_application_role(settings.owner_database_url, settings.database_url)
    upgrade(settings.owner_database_url)
    click.echo("The database is up to date.", err=True)


def upgrade(owner_url: str) -> None:
    """Runs all migrations that the database has not had yet."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("sqlalchemy.url", owner_url.replace("%", "%%"))
    command.upgrade(config, "head")


def make_application_role(owner_url: str, application_url: str) -> None:
    """Creates hub_app with the password of the application's address, where it does not exist yet."""
    url = make_url(application_url)
    if url.username != "hub_app":
        raise click.ClickException("HUB_DATABASE_URL must sign in as the role hub_app.")
    engine = sa.create_engine(owner_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        found = connection.execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'hub_app'")).scalar()
        if not found:
            quoted = connection.execute(
                sa.text("SELECT quote_literal(:word)"), {"word": url.password or ""}
            ).scalar_one()
            connection.exec_driver_sql(
                f"CREATE ROLE hub_app LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD {quoted}".replace("%", "%%")
            )
    engine.dispose()
