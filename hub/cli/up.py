"""`hub up`: the whole hub on this machine, in the foreground."""

from pathlib import Path

import click

from hub.config import DEFAULT_HOST, DEFAULT_PORT, DEFAULT_VAR
from hub.launcher.supervisor import Options, Supervisor


@click.command("up")
@click.option(
    "--port", type=click.IntRange(1, 65535), default=DEFAULT_PORT, envvar="HUB_PORT", show_default=True
)
@click.option("--host", default=DEFAULT_HOST, envvar="HUB_HOST", show_default=True)
@click.option(
    "--var",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(DEFAULT_VAR),
    envvar="HUB_VAR",
    show_default=True,
    help="Where databases, files, keys and logs are kept.",
)
@click.option(
    "--demo", is_flag=True, envvar="HUB_DEMO", help="Load the invented partnership to try the hub with."
)
def main(port: int, host: str, var: Path, demo: bool) -> None:
    """Start everything and wait: database, object store, web and worker."""
    Supervisor(Options(var=var, host=host, port=port, demo=demo)).run()
