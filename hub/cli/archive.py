"""`hub archive`: how the log's second place stands, checking and reading it, and giving up a month that lies there safely."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import click
import psycopg
import sqlalchemy as sa

from hub.access.actor import NOBODY, Source
from hub.access.guard import enter
from hub.accounts.models import Organisation
from hub.accounts.service import acting_for
from hub.app import create_app
from hub.audit import archive_months
from hub.audit.archive_checking import Archive, ArchiveReport
from hub.audit.archive_months import Month, Refused
from hub.audit.archive_state import archive_lag
from hub.audit.policy import LogPurpose
from hub.audit.recording import append
from hub.config import CLI, ArchiveSettings, Settings
from hub.core.errors import HubError, Unavailable
from hub.crypto.tlog.checkpoints import Policy
from hub.crypto.tlog.hashing import NotProven
from hub.extensions import db
from hub.storage.locked import LockedBucket, NotLocked

OK, PROBLEMS, NOT_CHECKED = 0, 1, 2
SHOWN = 50
LATE = timedelta(seconds=60)
_AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
_POLICY = click.option(
    "--policy",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="The keys that are believed: lines `log KEY`, `witness KEY`, `quorum N`. Else the database's own log keys.",
)
FAILURES = (SystemExit, psycopg.Error, sa.exc.SQLAlchemyError, HubError, NotProven, OSError)


class _Month(click.ParamType[Month]):
    name = "YYYY-MM"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Month:
        try:
            return value if isinstance(value, Month) else Month.parse(str(value))
        except ValueError as error:
            self.fail(f"{value!r} is no month: {error}.", param, ctx)


@click.group("archive")
def main() -> None:
    """The log's second place: a bucket under Object Lock (HUB_ARCHIVE_BUCKET)."""


@main.command("status")
@_AS_JSON
def status_command(as_json: bool) -> None:
    """How far the copy has come. Exits 1 where an event waits longer than a minute, or the bucket is under no lock."""
    with _told(as_json):
        place, settings = _place(), Settings.from_environment(role=CLI)
        engine = sa.create_engine(settings.database_url, poolclass=sa.NullPool, hide_parameters=True)
        with engine.connect() as connection:
            lag = archive_lag(connection)
        locked = _is_locked(LockedBucket.from_settings(place))
    seconds = lag.seconds(datetime.now(UTC))
    told = {
        "waiting": lag.waiting,
        "seconds": round(seconds, 1),
        "copied_at": lag.copied_at.isoformat() if lag.copied_at else None,
        "locked": locked,
        "days": place.days,
    }
    if as_json:
        click.echo(json.dumps(told))
    else:
        click.echo(
            f"Last copied: {told['copied_at'] or 'never'}. {lag.waiting:,} events wait, for {seconds:.0f} seconds."
        )
        click.echo(
            f"The bucket is under Object Lock; a copy stays for {place.days:,} days."
            if locked
            else "NO OBJECT LOCK."
        )
    sys.exit(OK if locked and seconds <= LATE.total_seconds() else PROBLEMS)


@main.command("check")
@click.option("--month", type=_Month(), help="Only this month's events.")
@_POLICY
@_AS_JSON
def check_command(month: Month | None, policy: Path | None, as_json: bool) -> None:
    """Read the archive back and check it. Exits 0 where all is in order, 1 with problems, 2 where it could not be checked.

    With a policy and no month the database is not asked at all.
    """
    with _told(as_json):
        report = ArchiveReport()
        if policy is not None and month is None:
            archive = Archive(LockedBucket.from_settings(_place()), Policy.parse(policy.read_text()), report)
            _read_back(archive, None, 0)
        else:
            with _owner() as connection:
                archive = _archive(connection, policy, report)
                _read_back(archive, _extent(connection, month), _copied(connection))
    _write_down(
        "log.archive_checked", {"events": report.events, "problems": report.found}, when=policy is None
    )
    _say(report, as_json)
    sys.exit(OK if report.ok else PROBLEMS)


@main.command("read")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--month", type=_Month(), required=True)
@click.option(
    "--purpose", type=click.Choice([one.value for one in LogPurpose]), required=True, help="What it is for."
)
@_POLICY
@_AS_JSON
def read_command(file: Path, month: Month, purpose: str, policy: Path | None, as_json: bool) -> None:
    """Write a month's events from the archive to a new file, one a line, each held against the signed log.

    Exits 0 where the month is whole, 1 with problems, 2 where nothing was written.
    """
    with _told(as_json):
        report = ArchiveReport()
        with _owner() as connection:
            archive, extent = _archive(connection, policy, report), _extent(connection, month)
            if archive.open(_copied(connection)) and extent is not None:
                if not _write_down(
                    "log.archive_read", {"purpose": purpose, "month": int(f"{month.first:%Y%m}")}
                ):
                    raise SystemExit(
                        "What leaves the log is written in it first; that failed, so nothing was read."
                    )
                _write_month(file, archive_months.entries_of(connection, archive, month, extent))
    _say(report, as_json)
    sys.exit(OK if report.ok else PROBLEMS)


def _write_month(file: Path, entries: Iterator[bytes]) -> None:
    """For its owner's eyes alone, and never over a file that is there."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        for number, body in enumerate(entries, start=1):
            out.write(body + b"\n")
            _tell(number)


@main.command("detach")
@click.option("--month", type=_Month(), required=True)
@_POLICY
@_AS_JSON
def detach_command(month: Month, policy: Path | None, as_json: bool) -> None:
    """Take a month out of the database that the archive was just found to hold whole. Its table stays; nothing is dropped."""
    with _told(as_json):
        place, report = _place(), ArchiveReport()
        with _owner() as connection:
            now = datetime.now(UTC)
            try:
                archive_months.check_may_go(connection, month, online_months=place.online_months, now=now)
                archive = _archive(connection, policy, report, held_at=now)
                if not archive.open(_copied(connection)):
                    raise Refused("The archive could not be read: see the problems.")
                events = archive_months.detach(
                    connection, archive, month, online_months=place.online_months, now=now, progress=_tell
                )
            except Refused as why:
                _say(report, as_json, refused=str(why))
                sys.exit(PROBLEMS)
    _write_down("log.month_detached", {"month": int(f"{month.first:%Y%m}"), "events": events})
    if as_json:
        click.echo(json.dumps({"detached": str(month), "events": events}))
    else:
        click.echo(
            f"{month} is detached: {events:,} events are in the archive, and in the table audit.{month.partition}."
        )


def _place() -> ArchiveSettings:
    place = ArchiveSettings.from_environment()
    if place is None:
        raise SystemExit("HUB_ARCHIVE_BUCKET is not set: the log has no second place.")
    return place


@contextmanager
def _owner() -> Iterator[psycopg.Connection[Any]]:
    url = Settings.from_environment(role=CLI).required_owner_database_url()
    with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True, connect_timeout=10) as connection:
        yield connection


def _archive(
    connection: psycopg.Connection[Any],
    policy: Path | None,
    report: ArchiveReport,
    held_at: datetime | None = None,
) -> Archive:
    if policy is not None:
        text = policy.read_text()
    else:
        keys = connection.execute("SELECT vkey FROM audit.log_key ORDER BY since").fetchall()
        text = "".join(f"log {key}\n" for (key,) in keys)
    return Archive(LockedBucket.from_settings(_place()), Policy.parse(text), report, held_at)


def _copied(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT size FROM audit.archive").fetchone()
    return int(row[0]) if row else 0


def _extent(connection: psycopg.Connection[Any], month: Month | None) -> tuple[int, int] | None:
    if month is None:
        return None
    found = archive_months.leaves_of(connection, month)
    if found is None:
        raise SystemExit(f"No event of {month} is in the tree.")
    return found[0], found[1]


def _read_back(archive: Archive, extent: tuple[int, int] | None, at_least: int) -> None:
    if archive.open(at_least):
        first, last = extent or (0, archive.size - 1)
        for number, _ in enumerate(archive.entries(first, last), start=1):
            _tell(number)


def _is_locked(bucket: LockedBucket) -> bool:
    try:
        bucket.check_lock()
    except NotLocked:
        return False
    return True


def _write_down(act: str, facts: dict[str, Any], *, when: bool = True) -> bool:
    """An event of the operator's organisation, the first that was made. A check without the database writes none."""
    if not when:
        return False
    try:
        with create_app(Settings.from_environment(role=CLI)).app_context():
            try:
                enter(db.session(), NOBODY)
                first = db.session.scalar(
                    sa.select(Organisation.id).order_by(Organisation.created_at).limit(1)
                )
                if first is not None:
                    with acting_for(first, source=Source.CLI) as actor:
                        append(actor, act, facts=facts)
                        db.session.commit()
                return first is not None
            finally:
                db.session.remove()
                db.engine.dispose()
    except (HubError, SystemExit, sa.exc.SQLAlchemyError) as error:
        click.echo(f"This could not be written to the log ({type(error).__name__}).", err=True)
        return False


@contextmanager
def _told(as_json: bool) -> Iterator[None]:
    """What keeps the command from its work, in one line; exit 2."""
    try:
        yield
    except FAILURES as error:
        if isinstance(error, SystemExit) and isinstance(error.code, int):
            raise
        _give_up(error, as_json)


def _give_up(error: BaseException, as_json: bool) -> NoReturn:
    # the first line only: what follows may hold the statement
    why = str(error).splitlines()[0] if str(error) else type(error).__name__
    if isinstance(error, Unavailable):
        why = f"The archive's store does not answer as it should ({getattr(error, 'reason', error.code)})."
    click.echo(json.dumps({"ok": None, "error": why}) if as_json else f"Not done. {why}", err=not as_json)
    sys.exit(NOT_CHECKED)


def _tell(events: int) -> None:
    if events and events % 20_000 == 0:
        click.echo(f"{events:,} events …", err=True)


def _say(report: ArchiveReport, as_json: bool, refused: str = "") -> None:
    if as_json:
        click.echo(json.dumps({**report.as_json(), **({"refused": refused} if refused else {})}))
        return
    if report.size:
        click.echo(
            f"{report.events:,} events in {report.bundles:,} bundles read back,"
            f" under the checkpoint of {report.size:,} leaves signed by {', '.join(report.signed_by)}."
        )
    for code, words in report.problems[:SHOWN]:
        click.echo(f"PROBLEM {code}: {words}")
    if report.found > SHOWN:
        click.echo(f"… and {report.found - SHOWN:,} more.")
    click.echo(
        refused
        or ("The archive is in order." if report.ok else "Problems were found. Change nothing in the bucket.")
    )
