"""`hub setup`: the first partnership, organisation and administrator of an empty hub, once."""

from __future__ import annotations

import click

from hub.accounts.actions import set_up
from hub.accounts.vocabulary import OrganisationKind
from hub.admin.forms import parse_first
from hub.app import create_app
from hub.config import CLI, Settings
from hub.core.errors import HubError, Invalid


@click.command("setup")
@click.option("--partnership-code", prompt="Partnership, code of 2 to 6 capitals and numbers")
@click.option("--partnership-name", prompt="Partnership, name")
@click.option("--organisation-code", prompt="Your organisation, code of 2 to 6 capitals and numbers")
@click.option("--organisation-name", prompt="Your organisation, name")
@click.option(
    "--organisation-kind",
    prompt="Your organisation, kind",
    type=click.Choice([kind.value for kind in OrganisationKind]),
)
@click.option("--administrator-name", prompt="Administrator, full name")
@click.option("--administrator-email", prompt="Administrator, email address")
def main(**given: str) -> None:
    """Set up an empty hub. Prints the administrator's enrolment link, once; refuses when there is anything already."""
    settings = Settings.from_environment(role=CLI)
    if settings.demo:
        raise click.ClickException("This hub is a demonstration: it loads its own invented partnership.")
    try:
        first = parse_first(given)
        application = create_app(settings)
        with application.app_context():
            secret = set_up(
                partnership=first.partnership,
                organisation=first.organisation,
                administrator=first.administrator,
            )
    except Invalid as invalid:
        raise click.ClickException(" ".join(f"{words}." for words in invalid.errors.values())) from None
    except HubError as refused:
        raise click.ClickException(refused.message) from None
    click.echo(
        "The hub is set up. Give the administrator this link; it works once, for two days, and is not shown again:"
    )
    click.echo(f"{settings.public_url}/enrol/{secret}")
