"""What `hub setup` and `hub organisation add` share: the form checked, the application, refusals in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import click

from hub.accounts.founding import Founding
from hub.accounts.founding_form import parse_founding
from hub.app import create_app
from hub.config import CLI, Settings
from hub.core.errors import HubError, Invalid


@contextmanager
def found(given: Mapping[str, str | None]) -> Iterator[tuple[Founding, Callable[[str], str]]]:
    """The application's context, with the form and what makes an enrolment link of a secret."""
    settings = Settings.from_environment(role=CLI)
    if settings.demo:
        raise click.ClickException("This hub is a demonstration: it loads its own invented partnership.")
    try:
        form = parse_founding(given)
        with create_app(settings).app_context():
            yield form, lambda secret: f"{settings.public_url}/enrol/{secret}"
    except Invalid as invalid:
        raise click.ClickException(" ".join(f"{words}." for words in invalid.errors.values())) from None
    except HubError as refused:
        raise click.ClickException(refused.message) from None
