"""`hub demo`: load the invented partnership, and tell who can be signed in as."""

from __future__ import annotations

import json

import click

from hub.app import create_app
from hub.config import CLI, LOADER, DatabaseRole, Settings
from hub.demo import accounts, loader

TRY_FIRST = """
Try first, each with one click on the sign-in page:
  Amara Okafor   community safety officer: log an incident, open a case from it, share it with the neighbourhood team
  Tomasz Nowak   neighbourhood sergeant: find it under Shared with us, read what his sections allow, add an entry
  Miriam Castle  auditor: see who did what, open the trail of that case, check the log

Everybody in the demonstration:"""


@click.group("demo")
def main() -> None:
    """The invented partnership."""


@main.command("load")
@click.option("--seed", default=loader.SEED, show_default=True, help="The same seed gives the same world.")
def load_command(seed: int) -> None:
    """Load the invented partnership, once; a second time changes nothing."""
    app = create_app(_settings(LOADER))
    with app.app_context():
        loaded = loader.load(seed, app.config["HUB_SETTINGS"])
    click.echo(
        "The invented partnership is loaded." if loaded else "The invented partnership is there already.",
        err=True,
    )


@main.command("accounts")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def accounts_command(as_json: bool) -> None:
    """Who can be signed in as: name, job, organisation, roles, e-mail, password."""
    settings = _settings(CLI)
    app = create_app(settings)
    with app.app_context():
        found = accounts.list_accounts(settings)
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    click.echo(TRY_FIRST)
    for one in found:
        roles = one["roles"]
        click.echo(
            f"{one['name']:<20} {one['job']:<30} {one['organisation']:<48} {', '.join(map(str, roles))}"
        )


def _settings(role: DatabaseRole) -> Settings:
    settings = Settings.from_environment(role=role)
    if not settings.demo:
        raise click.ClickException("This is not a demonstration: set HUB_DEMO=1 or start with hub up --demo.")
    return settings
