"""`hub setup`: the first partnership, organisation and administrator of an empty hub, once."""

from __future__ import annotations

import click

from hub.accounts.founding import set_up
from hub.accounts.vocabulary import OrganisationKind
from hub.cli.founding import found


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
    with found(given) as (form, address):
        secret = set_up(form)
    click.echo(
        "The hub is set up. Give the administrator this link; it works once, for two days, and is not shown again:"
    )
    click.echo(address(secret))
