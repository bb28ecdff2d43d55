"""`hub worker`: background work, in the foreground until it is told to stop."""

from __future__ import annotations

import logging

import click

from hub.app import create_app
from hub.config import WORKER, Settings
from hub.jobs import worker


@click.command("worker")
def main() -> None:
    """Do the background work: send emails, remove orphaned files, keep the log's months ahead."""
    # procrastinate's own words at INFO would carry nothing that ours do not
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s %(message)s")
    worker.run(create_app(Settings.from_environment(role=WORKER)))
