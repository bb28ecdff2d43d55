"""`hub audit`: check the log, as its owner where the address is given, else as the service with what it can see."""

from __future__ import annotations

import json
import sys

import click
import sqlalchemy as sa

from hub.access.actor import NOBODY, Source
from hub.access.guard import enter
from hub.accounts.models import Organisation
from hub.accounts.service import acting_for
from hub.app import create_app
from hub.audit.recording import append
from hub.audit.verifying import NOT_DETECTED, Report, verify, verify_each_organisation
from hub.config import Settings
from hub.core.errors import HubError
from hub.extensions import db

OK, PROBLEMS, NOT_CHECKED = 0, 1, 2
SHOWN = 50
LESS = (
    "HUB_OWNER_DATABASE_URL is not set: checked as the service, organisation by organisation."
    " Events of no organisation (refused sign-ins) were not seen."
)


@click.group("audit")
def main() -> None:
    """The log."""


@main.command("verify")
@click.option("--json", "as_json", is_flag=True, help="The report as one JSON object on standard output.")
def verify_command(as_json: bool) -> None:
    """Check every event. Exits 0 where all is in order, 1 with problems, 2 where it could not be checked."""
    try:
        settings = Settings.from_environment()
        report = _checked(settings)
    except (SystemExit, sa.exc.SQLAlchemyError) as error:
        # the first line only: what follows may hold the statement
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        click.echo(
            json.dumps({"ok": None, "error": why}) if as_json else f"The log could not be checked. {why}",
            err=not as_json,
        )
        sys.exit(NOT_CHECKED)
    _write_down(settings, report)
    whole = settings.owner_database_url is not None
    if as_json:
        click.echo(json.dumps({**report.as_json(), "whole": whole}))
    else:
        _say(report, whole)
    sys.exit(OK if report.ok else PROBLEMS)


def _checked(settings: Settings) -> Report:
    engine = sa.create_engine(
        settings.owner_database_url or settings.database_url, poolclass=sa.NullPool, hide_parameters=True
    )
    with engine.connect() as connection:
        if settings.owner_database_url:
            return verify(connection, progress=_tell)
        return verify_each_organisation(connection, progress=_tell)


def _write_down(settings: Settings, report: Report) -> None:
    """The check is an act too: an event of the operator's organisation, the first that was made.

    A log that can't be written (a copy, a standby) is checked all the same.
    """
    try:
        with create_app(settings).app_context():
            try:
                _append_check(report)
            finally:
                db.session.remove()
                db.engine.dispose()
    except (HubError, SystemExit, sa.exc.SQLAlchemyError) as error:
        click.echo(f"This check could not be written to the log ({type(error).__name__}).", err=True)


def _append_check(report: Report) -> None:
    enter(db.session(), NOBODY)
    first = db.session.scalar(sa.select(Organisation.id).order_by(Organisation.created_at).limit(1))
    if first is None:
        return
    with acting_for(first, source=Source.CLI) as actor:
        append(actor, "log.verified", facts={"events": report.events, "problems": report.found})
        db.session.commit()


def _tell(events: int) -> None:
    if events % 20_000 == 0:
        click.echo(f"{events:,} events …", err=True)


def _say(report: Report, whole: bool) -> None:
    if not whole:
        click.echo(LESS)
    span = f", from {report.first} to {report.last}" if report.events else ""
    click.echo(f"{report.events:,} events checked in {report.seconds:.1f} seconds{span}.")
    click.echo(
        f"{report.texts:,} sealed texts beside them, {report.texts_absent:,} erased or not for this role."
    )
    click.echo(f"{report.revisions:,} revisions of cases, incidents and shares looked for in the log.")
    for problem in report.problems[:SHOWN]:
        click.echo(f"PROBLEM {problem.code}: {problem.words}")
    if report.found > SHOWN:
        click.echo(f"… and {report.found - SHOWN:,} more.")
    click.echo("Problems were found. Keep the database as it is." if report.found else "The log is in order.")
    click.echo(NOT_DETECTED)
