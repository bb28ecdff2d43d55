"""`hub sequencer`: the process that puts the log into its tree and signs it, with a database role and a key of its own."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import click
import psycopg

from hub.audit.archive_loop import Archiving
from hub.audit.sequencing import Forked, Memory, Sequencer
from hub.audit.witnessing import Witnessing, read_witnesses
from hub.config import DEFAULT_VAR, ArchiveSettings
from hub.crypto.tlog.hashing import NotProven
from hub.crypto.tlog.notes import Signer

EVERY_SECONDS = 0.5
KEY_BYTES = 32
DEFAULT_ORIGIN = "hub.invalid/log"
Companion = Callable[[threading.Event], None]


@click.command("sequencer")
@click.option("--key", "key_only", is_flag=True, help="Print the log's public key, for witnesses, and end.")
def main(key_only: bool) -> None:
    """Keep the log's tree. Needs HUB_SEQUENCER_DATABASE_URL and HUB_LOG_KEY_FILE; HUB_LOG_ORIGIN names the log."""
    if key_only:
        click.echo(str(_signer().verifier))
        return
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    try:
        with psycopg.connect(_address(), connect_timeout=10) as connection:
            sequencer = Sequencer(connection, _signer(), _memory())
            sequencer.begin()
            click.echo(f"The log's key: {sequencer.signer.verifier}", err=True)
            for companion in [*_companions(), *_archiving(sequencer.signer)]:
                threading.Thread(target=_beside, args=(companion, stop), daemon=True).start()
            sequencer.run(every=EVERY_SECONDS, stop=stop)
    except Forked as why:
        click.echo(f"NOTHING IS SIGNED ANY MORE. {why}", err=True)
        sys.exit(1)
    except psycopg.Error as error:
        raise click.ClickException(_in_words(error)) from error


def _companions() -> list[Companion]:
    """What runs beside the sequencer, each on a connection of its own."""
    witnesses = os.environ.get("HUB_LOG_WITNESSES", "")
    if not witnesses:
        return []
    try:
        named = read_witnesses(Path(witnesses))
    except (OSError, NotProven) as error:
        raise click.ClickException(f"HUB_LOG_WITNESSES can't be used: {error}") from error
    witnessing = Witnessing(psycopg.connect(_address(), connect_timeout=10), named)
    witnessing.introduce()
    return [witnessing.run]


def _archiving(signer: Signer) -> list[Companion]:
    """The copying to the log's second place, where one is named."""
    settings = ArchiveSettings.from_environment()
    if settings is None:
        return []
    connection = psycopg.connect(_address(), connect_timeout=10, autocommit=True)
    return [Archiving(connection, settings, [signer.verifier]).run]


def _beside(companion: Companion, stop: threading.Event) -> None:
    """One that loses its database ends the whole process, which is started again."""
    try:
        companion(stop)
    except psycopg.Error as error:
        click.echo(_in_words(error), err=True)
        stop.set()


def _in_words(error: psycopg.Error) -> str:
    """What happened, in one line: what follows the first may hold the statement."""
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    if isinstance(error, psycopg.errors.UniqueViolation):
        return (
            "The tree was written by somebody else meanwhile: what was to be entered is there already. Nothing was signed."
            f" If this comes again, find out who writes to the log’s tables. ({said})"
        )
    if isinstance(error, psycopg.OperationalError) and not error.sqlstate:
        return f"The database is out of reach: {said}"
    return f"The database refused ({error.sqlstate or 'no code'}): {said}"


def _address() -> str:
    value = os.environ.get("HUB_SEQUENCER_DATABASE_URL", "")
    if not value.startswith("postgresql+psycopg://"):
        raise click.ClickException(
            "HUB_SEQUENCER_DATABASE_URL is not set to a postgresql+psycopg:// address."
        )
    return value.replace("+psycopg", "", 1)


def _signer() -> Signer:
    path = Path(os.environ.get("HUB_LOG_KEY_FILE", ""))
    try:
        seed = path.read_bytes()
    except OSError as error:
        raise click.ClickException(
            f"HUB_LOG_KEY_FILE can't be read: {error.strerror or 'no such file'}."
        ) from error
    if len(seed) != KEY_BYTES:
        raise click.ClickException(f"HUB_LOG_KEY_FILE does not hold {KEY_BYTES} bytes.")
    return Signer.from_seed(os.environ.get("HUB_LOG_ORIGIN", "").strip() or DEFAULT_ORIGIN, seed)


def _memory() -> Memory:
    folder = Path(os.environ.get("HUB_VAR") or DEFAULT_VAR).resolve() / "sequencer"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Memory(folder / "signed-last")
