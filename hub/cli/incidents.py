"""`hub incidents`: take incidents in from files."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

import click

from hub.access.actor import Actor
from hub.cli.acting import acting, database
from hub.core import clock
from hub.core.errors import HubError
from hub.extensions import db
from hub.incidents.importing import BATCH, find_known, finish_import, import_batch, in_batches, start_import
from hub.incidents.street_level import BadRow, StreetRow, WrongFile, read_rows

NAMED_AT_MOST = 1_000
SHOWN_AT_MOST = 50
SOME_REFUSED = 2


@dataclass
class Outcome:
    """What became of a file, as it is told at the end."""

    file: str
    rows: int = 0
    kept: int = 0
    known: int = 0
    refused: int = 0
    dry_run: bool = False
    errors: list[dict[str, str | int]] = field(default_factory=list)


@click.group("incidents")
def main() -> None:
    """Incidents."""


@main.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--organisation", required=True, metavar="CODE", help="The organisation that the incidents belong to."
)
@click.option(
    "--as", "email", required=True, metavar="EMAIL", help="The user of that organisation who imports."
)
@click.option("--dry-run", is_flag=True, help="Check every row and write nothing.")
@click.option("--all-or-nothing", is_flag=True, help="Write nothing where a single row is refused.")
@click.option("--json", "as_json", is_flag=True, help="Tell the outcome as JSON on standard output.")
def import_command(
    file: Path, organisation: str, email: str, dry_run: bool, all_or_nothing: bool, as_json: bool
) -> None:
    """Import a street-level crime FILE (CSV). The same file twice changes nothing.

    Ends with 0 where every row was good, 2 where some rows were refused, 1 where the file was.
    """
    outcome = Outcome(file.name, dry_run=dry_run)
    try:
        with database(), acting(email, organisation) as actor:
            start_import(actor)
            _check(file, actor, outcome)
            refuse = all_or_nothing and outcome.refused > 0
            if not dry_run and not refuse:
                _write(file, actor, outcome)
    except (WrongFile, HubError) as error:
        raise click.ClickException(error.message if isinstance(error, HubError) else str(error)) from error
    _tell(outcome, as_json)
    if refuse:
        raise click.ClickException(
            f"{outcome.refused:,} rows were refused, so nothing was written, as asked."
        )
    if outcome.refused:
        sys.exit(SOME_REFUSED)


def _check(file: Path, actor: Actor, outcome: Outcome) -> None:
    """First pass: every row is checked before any is written."""
    size = max(file.stat().st_size, 1)
    with click.progressbar(length=size, label="Checking", file=sys.stderr) as bar:
        good = 0
        batch: list[StreetRow] = []
        for row in read_rows(file, clock.today()):
            outcome.rows += 1
            if isinstance(row, BadRow):
                outcome.refused += 1
                if len(outcome.errors) < NAMED_AT_MOST:
                    outcome.errors.append({"line": row.line, "reason": row.reason})
                continue
            good += 1
            if outcome.dry_run:
                batch.append(row)
                if len(batch) == BATCH:
                    outcome.known += len(find_known(actor, batch))
                    batch.clear()
            if outcome.rows % BATCH == 0:
                bar.update(min(size - bar.pos, BATCH * 200))
        if outcome.dry_run:
            outcome.known += len(find_known(actor, batch))
        bar.update(size - bar.pos)


def _write(file: Path, actor: Actor, outcome: Outcome) -> None:
    """Second pass: batches, a transaction each. A stop keeps what is written; a second run goes on from there."""
    run = start_import(actor)
    good = outcome.rows - outcome.refused
    rows = (row for row in read_rows(file, clock.today()) if isinstance(row, StreetRow))
    try:
        with click.progressbar(length=good, label="Writing", file=sys.stderr) as bar:
            for batch in in_batches(rows):
                import_batch(actor, run, rows=batch)
                db.session.commit()
                bar.update(len(batch))
    finally:
        db.session.rollback()
        outcome.kept, outcome.known = run.kept, run.known
        finish_import(actor, run, file_name=file.name, refused=outcome.refused)
        db.session.commit()


def _tell(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(outcome), ensure_ascii=False))
        return
    for error in outcome.errors[:SHOWN_AT_MOST]:
        click.echo(f"Line {error['line']}: {error['reason']}", err=True)
    if outcome.refused > SHOWN_AT_MOST:
        click.echo(f"… and {outcome.refused - SHOWN_AT_MOST:,} more", err=True)
    if outcome.dry_run:
        new = outcome.rows - outcome.refused - outcome.known
        click.echo(
            f"Checked {outcome.rows:,} rows: {new:,} new, {outcome.known:,} known, {outcome.refused:,} refused."
        )
    else:
        click.echo(f"Kept {outcome.kept:,} incidents; {outcome.known:,} known, {outcome.refused:,} refused.")
