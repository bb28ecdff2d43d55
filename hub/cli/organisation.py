"""`hub organisation`: partners join, each with a first administrator who does the rest."""

from __future__ import annotations

import click

from hub.accounts.founding import add_organisation
from hub.accounts.vocabulary import OrganisationKind
from hub.cli.founding import found


@click.group("organisation")
def main() -> None:
    """Add organisations and partnerships."""


@main.command("add")
@click.option("--partnership-code", required=True, help="Of the partnership that it joins.")
@click.option("--partnership-name", help="Only for a partnership that is new to this hub.")
@click.option("--organisation-code", required=True, help="2 to 6 capitals and numbers.")
@click.option("--organisation-name", help="Only for an organisation that is new to this hub.")
@click.option("--organisation-kind", type=click.Choice([kind.value for kind in OrganisationKind]))
@click.option("--administrator-name", required=True, help="Full name.")
@click.option(
    "--administrator-email", required=True, help="Of a new account, or of one that the organisation has."
)
def add_command(**given: str | None) -> None:
    """An organisation joins a partnership; either may be new. Prints the administrator's enrolment link, once."""
    with found(given) as (form, address):
        secret = add_organisation(form)
    code = form.organisation.code
    if secret is None:
        click.echo(
            f"{code} is in {form.partnership.code}. {form.administrator[1]} signs in as before, and is its administrator."
        )
        return
    click.echo(
        f"{code} is in {form.partnership.code}. Give the administrator this link; it works once, for two days, and is not"
        " shown again:"
    )
    click.echo(address(secret))
