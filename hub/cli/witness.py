"""`hub witness`: cosign another organisation's log, from one file of state."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import click

from hub.witness import serving, state, telling

STATE = click.option(
    "--state",
    "path",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The witness's file. It holds the private key: never put back an older copy.",
)


@click.group("witness")
def main() -> None:
    """A witness of a log: it sees to it that nobody rewrites what has been recorded."""


@main.command("make")
@STATE
@click.option("--name", required=True, help="A name for the key, such as council.example/witness.")
def make_command(path: Path, name: str) -> None:
    """Make a witness with a new key. Prints the key that the log's operator needs."""
    try:
        made = state.StateFile(path).make(name)
    except state.StateError as error:
        raise click.ClickException(str(error)) from None
    click.echo(str(made.signer.verifier))


@main.command("trust")
@STATE
@click.argument("vkey")
@click.option("--rotate", is_flag=True, help="Put this key in the place of the log's former one.")
def trust_command(path: Path, vkey: str, rotate: bool) -> None:
    """Trust a log by its key, as its operator gave it to you. Works while the witness is running."""
    try:
        origin, changed = state.trust(state.StateFile(path), vkey, rotate=rotate)
    except state.StateError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{origin} is trusted." if changed else f"{origin} was trusted already.")


@main.command("status")
@STATE
def status_command(path: Path) -> None:
    """Who this witness is, and how far it has seen each log."""
    try:
        click.echo(telling.status_text(state.StateFile(path).read()), nl=False)
    except state.StateError as error:
        raise click.ClickException(str(error)) from None


@main.command("serve")
@STATE
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8490, show_default=True)
def serve_command(path: Path, host: str, port: int) -> None:
    """Answer the log's requests until told to stop. TLS, where it is wanted, is a proxy's in front of this."""
    try:
        server = serving.WitnessServer((host, port), state.StateFile(path))
    except state.StateError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{host} port {port} can't be used: {error.strerror}") from None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"The witness answers at http://{shown}:{server.server_port}", err=True)
    try:
        with server:
            server.serve_forever()
    except KeyboardInterrupt:
        pass
