"""`hub audit`: check the log or export it, as its owner where the address is given, else as the service with what it can see."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import sqlalchemy as sa

from hub.access.actor import NOBODY, Source
from hub.access.guard import enter
from hub.accounts.models import Organisation
from hub.accounts.service import acting_for
from hub.app import create_app
from hub.audit.exporting import Exported, Extent, export_log
from hub.audit.policy import LogPurpose
from hub.audit.recording import append
from hub.audit.verifier.command import keep, recall
from hub.audit.verifier.findings import Findings
from hub.audit.verifier.folders import check_folder
from hub.audit.verifier.heads import Unusable, read_policy
from hub.audit.verifying import NOT_DETECTED, Report, verify_each_organisation, verify_log
from hub.config import CLI, Settings
from hub.core.errors import HubError
from hub.crypto.tlog.checkpoints import Policy
from hub.extensions import db

OK, PROBLEMS, NOT_CHECKED = 0, 1, 2
SHOWN = 50
LESS = (
    "HUB_OWNER_DATABASE_URL is not set: checked as the service, organisation by organisation."
    " Events of no organisation (refused sign-ins) were not seen, nor was the signed tree."
)
FAILURES = (SystemExit, sa.exc.SQLAlchemyError, Unusable, OSError)
_FILE = click.Path(dir_okay=False, path_type=Path)
_DAY = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z"])
_POLICY = click.option(
    "--policy", type=_FILE, help="A file with the keys of the log and its witnesses that are trusted."
)


@click.group("audit")
def main() -> None:
    """The log."""


@main.command("verify")
@click.option("--json", "as_json", is_flag=True, help="The report as one JSON object on standard output.")
@_POLICY
@click.option("--seen", type=_FILE, help="Where the checkpoint verified last is kept from check to check.")
def verify_command(as_json: bool, policy: Path | None, seen: Path | None) -> None:
    """Check every event. Exits 0 where all is in order, 1 with problems, 2 where it could not be checked."""
    try:
        settings = Settings.from_environment(role=CLI)
        report = _checked(settings, _policy(policy), seen)
    except FAILURES as error:
        # the first line only: what follows may hold the statement
        why = _first_line(error)
        click.echo(
            json.dumps({"ok": None, "error": why}) if as_json else f"The log could not be checked. {why}",
            err=not as_json,
        )
        sys.exit(NOT_CHECKED)
    _write_down(settings, "log.verified", {"events": report.events, "problems": report.found})
    whole = settings.owner_database_url is not None
    if as_json:
        click.echo(json.dumps({**report.as_json(), "whole": whole}))
    else:
        _say(report, whole)
    sys.exit(OK if report.ok else PROBLEMS)


@main.command("export")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--purpose", type=click.Choice([one.value for one in LogPurpose]), required=True, help="What it is for."
)
@click.option("--from", "since", type=_DAY, help="The first day (UTC).")
@click.option("--to", "until", type=_DAY, help="The day after the last one (UTC).")
@click.option("--organisation", type=click.UUID, help="Only what this organisation may read.")
@_POLICY
def export_command(
    folder: Path,
    purpose: str,
    since: datetime | None,
    until: datetime | None,
    organisation: UUID | None,
    policy: Path | None,
) -> None:
    """Write events, proofs, checkpoint and verifier to a new folder. Exit codes are those of verify."""
    extent = Extent(_utc(since), _utc(until), organisation)
    try:
        settings = Settings.from_environment(role=CLI)
        done = _exported(settings, folder, extent, _policy(policy))
        facts = {"purpose": purpose, "asked": extent.asked, "events": done.events, "format": "folder"}
        if not _write_down(settings, "log.exported", facts):
            shutil.rmtree(folder)
            raise Unusable(
                "What leaves the log is written in it first; that failed, so nothing was exported."
            )
        findings = Findings()
        check_folder(findings, folder, _policy(policy))
    except FAILURES as error:
        click.echo(f"The log could not be exported. {_first_line(error)}", err=True)
        sys.exit(NOT_CHECKED)
    click.echo(f"{done.events:,} events and {len(done.files):,} files were written to {folder}.")
    click.echo(done.heads.in_words())
    for problem in findings.problems[:SHOWN]:
        click.echo(f"PROBLEM {problem.code}: {problem.words}")
    click.echo(
        "The export is sound." if findings.ok else "The export shows problems of the log. Keep it as it is."
    )
    sys.exit(OK if findings.ok else PROBLEMS)


def _checked(settings: Settings, policy: Policy | None, seen: Path | None) -> Report:
    if not settings.owner_database_url:
        if policy is not None or seen is not None:
            raise Unusable("--policy and --seen need the whole log: set HUB_OWNER_DATABASE_URL.")
        with _engine(settings.database_url).connect() as connection:
            return verify_each_organisation(connection, progress=_tell)
    last = recall(seen, policy)
    with _engine(settings.owner_database_url).connect() as connection:
        report = verify_log(connection, policy=policy, seen=last, progress=_tell)
    if report.ok and seen is not None and report.heads is not None and report.heads.newest_note:
        keep(seen, report.heads.newest_note)
    return report


def _exported(settings: Settings, folder: Path, extent: Extent, policy: Policy | None) -> Exported:
    if not settings.owner_database_url and extent.organisation is None:
        raise Unusable(
            "HUB_OWNER_DATABASE_URL is not set: as the service one --organisation can be exported."
        )
    with _engine(settings.owner_database_url or settings.database_url).connect() as connection:
        if extent.organisation is not None:
            connection.execute(
                sa.text("SELECT set_config('hub.organisation_id', :id, false)"),
                {"id": str(extent.organisation)},
            )
        return export_log(connection, folder, extent, policy)


def _engine(address: str) -> sa.Engine:
    return sa.create_engine(address, poolclass=sa.NullPool, hide_parameters=True)


def _policy(path: Path | None) -> Policy | None:
    if path is None:
        return None
    try:
        return read_policy(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise Unusable(f"{path} is not UTF-8.") from None


def _utc(moment: datetime | None) -> str | None:
    """As text with a zone: a day without one is a day in UTC."""
    if moment is None:
        return None
    return moment.isoformat() if moment.tzinfo else f"{moment.isoformat()}Z"


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _write_down(settings: Settings, act: str, facts: Mapping[str, Any]) -> bool:
    """Checking and exporting are acts too: events of the operator's organisation, the first that was made.

    A log that can't be written (a copy, a standby) is checked all the same; whether it was written is returned.
    """
    try:
        with create_app(settings).app_context():
            try:
                return _append(act, facts)
            finally:
                db.session.remove()
                db.engine.dispose()
    except (HubError, SystemExit, sa.exc.SQLAlchemyError) as error:
        click.echo(f"This could not be written to the log ({type(error).__name__}).", err=True)
        return False


def _append(act: str, facts: Mapping[str, Any]) -> bool:
    enter(db.session(), NOBODY)
    first = db.session.scalar(sa.select(Organisation.id).order_by(Organisation.created_at).limit(1))
    if first is None:
        return False
    with acting_for(first, source=Source.CLI) as actor:
        append(actor, act, facts=dict(facts))
        db.session.commit()
    return True


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
    if report.heads is not None:
        click.echo(report.heads.in_words())
    for note in report.notes:
        click.echo(note)
    for problem in report.problems[:SHOWN]:
        click.echo(f"PROBLEM {problem.code}: {problem.words}")
    if report.found > SHOWN:
        click.echo(f"… and {report.found - SHOWN:,} more.")
    click.echo("Problems were found. Keep the database as it is." if report.found else "The log is in order.")
    click.echo(NOT_DETECTED)
