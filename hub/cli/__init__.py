"""The command `hub`: its sub-commands are loaded when they are called, so that each starts fast."""

import os
import sys
from collections.abc import MutableMapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

import click

from hub import __version__
from hub.config import APP, CLI, DEFAULT_VAR
from hub.launcher.running import recall

# Each is a module hub.cli.<name> whose attribute `main` is a click command or group.
COMMANDS = (
    "archive",
    "audit",
    "db",
    "demo",
    "incidents",
    "keys",
    "organisation",
    "sequencer",
    "setup",
    "up",
    "witness",
    "worker",
)


class LazyGroup(click.Group):
    """Knows its commands by name and imports a module only when its command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in COMMANDS if find_spec(f"hub.cli.{name}")]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command = import_module(f"hub.cli.{cmd_name}").main
        if not isinstance(command, click.Command):
            raise TypeError(f"hub.cli.{cmd_name}.main is not a command")
        return command

    def main(self, *args: Any, **kwargs: Any) -> Any:
        sys.excepthook = _say_in_one_line
        return super().main(*args, **kwargs)


def _say_in_one_line(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A person at a terminal needs what went wrong; HUB_TRACEBACK=1 shows where."""
    if os.environ.get("HUB_TRACEBACK") == "1":
        sys.__excepthook__(kind, error, trace)
        return
    first = next(iter(str(error).strip().splitlines()), "")
    print(f"Error: {first or kind.__name__} (HUB_TRACEBACK=1 shows where)", file=sys.stderr)


def use_running_hub(environment: MutableMapping[str, str]) -> None:
    """Where no address is given, a command works on the hub that `hub up` runs on this directory."""
    if not any(environment.get(role.variable) for role in (APP, CLI)):
        var = Path(environment.get("HUB_VAR") or DEFAULT_VAR).resolve()
        for name, value in recall(var).items():
            environment.setdefault(name, value)


@click.group(cls=LazyGroup)
@click.version_option(__version__, message="%(version)s")
@click.pass_context
def main(ctx: click.Context) -> None:
    """The hub: share what law and agreements allow, and prove who saw what."""
    if ctx.invoked_subcommand != "up":
        use_running_hub(os.environ)
