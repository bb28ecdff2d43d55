"""Commands that act as a named user: started by whoever may run commands on this machine, and written down as that user's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import click

from hub.access.actor import NOBODY, Actor, Source
from hub.access.guard import enter
from hub.accounts import sessions
from hub.accounts.closing import is_closed
from hub.accounts.models import Organisation
from hub.accounts.queries import find_user_by_email, first_team
from hub.accounts.vocabulary import Method
from hub.app import create_app
from hub.audit.recording import append
from hub.config import CLI, Settings
from hub.extensions import db

LASTS = timedelta(hours=10)


@contextmanager
def database() -> Iterator[None]:
    """The application's context; its connections are closed at the end."""
    with create_app(Settings.from_environment(role=CLI)).app_context():
        try:
            yield
        finally:
            db.session.remove()
            db.engine.dispose()


@contextmanager
def acting(email: str, organisation: str | None = None) -> Iterator[Actor]:
    """A session of the named user, of the organisation with this code where one is given; ended afterwards."""
    enter(db.session(), NOBODY)
    user = find_user_by_email(email)
    employer = db.session.get(Organisation, user.organisation_id) if user is not None else None
    elsewhere = organisation is not None and employer is not None and employer.code != organisation.upper()
    if user is None or employer is None or elsewhere or is_closed(user):
        of = f" in an organisation with the code {organisation}" if organisation else ""
        raise click.ClickException(f"There is no user {email}{of}.")
    team = first_team(user)
    if team is None:
        raise click.ClickException(f"{email} is in no team, and acts for one.")
    token = sessions.start(user, team, method=Method.OPERATOR, kind=Source.CLI, lasts=LASTS)
    db.session.commit()
    actor = sessions.actor_of(token)
    enter(db.session(), actor)
    append(actor, "session.started", object_id=actor.user_id, facts={"method": Method.OPERATOR.value})
    db.session.commit()
    try:
        yield actor
    finally:
        db.session.rollback()
        visit = sessions.identify(token, actor.request, False)
        if visit is not None and visit.actor is not None:
            append(actor, "session.ended", object_id=actor.user_id)
            sessions.end(visit.session_id)
            db.session.commit()
