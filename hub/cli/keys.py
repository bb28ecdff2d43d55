"""`hub keys`: how the keys stand, turning them, and destroying an epoch with a second person."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import click

from hub.access.actor import Actor
from hub.cli.acting import acting, database
from hub.core import clock
from hub.core.errors import HubError
from hub.crypto.errors import Unsealable
from hub.extensions import db
from hub.keys import actions
from hub.keys.queries import EpochRow, KeyStatus, find_partnerships, open_status

AS = click.option(
    "--as",
    "email",
    required=True,
    metavar="EMAIL",
    help="The administrator who does this, and is written down.",
)
PARTNERSHIP = click.option("--partnership", metavar="CODE", help="Of this partnership only.")


@click.group("keys")
def main() -> None:
    """Keys: root, epochs, and the keys of records below them."""


@main.command("status")
@AS
@PARTNERSHIP
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON on standard output.")
def status_command(email: str, partnership: str | None, as_json: bool) -> None:
    """Epochs, their ages, how many keys each wraps, and what is overdue. Ends with 1 where something is, or the keeper
    does not wrap and open."""
    with _acting(email) as actor:
        status = open_status(actor, partnership)
    click.echo(json.dumps(_as_json(status)) if as_json else "\n".join(_lines(status)))
    if not status.keeper.ok or any(row.overdue for row in status.epochs):
        sys.exit(1)


@main.command("rotate")
@AS
@PARTNERSHIP
@click.option("--root", is_flag=True, help="Turn the root key, and have it wrap every epoch anew.")
def rotate_command(email: str, partnership: str | None, root: bool) -> None:
    """Pass all keys to new epochs. No file is touched; broken off, the same command goes on where it stopped."""
    if root and partnership:
        raise click.UsageError("The root key is one for all partnerships: leave --partnership out.")
    with _acting(email) as actor:
        if root:
            click.echo(f"{actions.turn_root(actor):,} epochs are wrapped by the new root key.")
            return
        for key, code in find_partnerships(actor, partnership).items():
            begun = time.monotonic()
            moved = actions.turn_keys(actor, key, told=_telling(code))
            click.echo(f"{code}: {moved:,} keys were passed on in {time.monotonic() - begun:.1f} s.")


@main.command("destroy")
@AS
@click.option("--epoch", required=True, type=click.UUID, help="The id of a retired epoch, as in the status.")
@click.option("--approve", is_flag=True, help="Let go what somebody else has asked for.")
def destroy_command(email: str, epoch: UUID, approve: bool) -> None:
    """Destroy a retired, empty epoch before its time. One person asks; another administrator or data protection officer
    lets it go with --approve."""
    with _acting(email) as actor:
        if approve:
            actions.approve_destruction(actor, epoch)
            db.session.commit()
            click.echo("The epoch’s key is destroyed. The root key that wrapped it ends within 30 days.")
        else:
            actions.ask_destruction(actor, epoch)
            db.session.commit()
            click.echo("Asked. Nothing is destroyed until somebody else runs this with --approve.")


@contextmanager
def _acting(email: str) -> Iterator[Actor]:
    try:
        with database(), acting(email) as actor:
            yield actor
    except HubError as error:
        raise click.ClickException(error.message) from error
    except Unsealable:
        raise click.ClickException(
            "The key keeper opens nothing here: it is not the one that wrapped it."
        ) from None


def _telling(code: str) -> Callable[[int], None]:
    def tell(moved: int) -> None:
        click.echo(f"\r{code}: {moved:,} keys …", err=True, nl=False)

    return tell


def _lines(status: KeyStatus) -> Iterator[str]:
    yield _keeper(status)
    for row in status.epochs:
        yield f"{row.partnership}  {row.id}  {_age(row.made_at)}  {row.keys:,} keys  {row.state}{_note(row)}"
    for one in status.generations:
        state = "wraps" if one.left_at is None else f"left {_age(one.left_at)} ago"
        if one.final_at is not None:
            state = f"ends for good on {one.final_at:%d.%m.%Y}"
        yield f"root key  {one.name}  {_age(one.first_at)}  {state}"


def _keeper(status: KeyStatus) -> str:
    if status.keeper.ok:
        return f"keeper  wraps and opens, now with {status.keeper.generation}"
    return f"keeper  DOES NOT WORK ({status.keeper.code})"


def _note(row: EpochRow) -> str:
    if row.overdue:
        return ", OVERDUE: run hub keys rotate"
    return ", destruction asked for" if row.destruction_asked and not row.destroyed_at else ""


def _age(at: datetime) -> str:
    days = (clock.now() - at).days
    return "1 day" if days == 1 else f"{days} days"


def _as_json(status: KeyStatus) -> dict[str, list[dict[str, Any]]]:
    return {
        "keeper": [
            {"ok": status.keeper.ok, "generation": status.keeper.generation, "code": status.keeper.code}
        ],
        "epochs": [
            {
                "id": str(row.id),
                "partnership": row.partnership,
                "made_at": row.made_at.isoformat(),
                "keys": row.keys,
                "root_key": row.root_key,
                "state": row.state,
                "overdue": row.overdue,
            }
            for row in status.epochs
        ],
        "generations": [
            {
                "name": one.name,
                "first_at": one.first_at.isoformat(),
                "final_at": one.final_at.isoformat() if one.final_at else None,
            }
            for one in status.generations
        ],
    }
