"""Forms act once: a double click, a lost answer or the back button leads to where the first one led.

The key is written in the transaction of the act. A second one waits for the first to end, then finds where it went.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from flask import redirect, request
from sqlalchemy.dialects.postgresql import insert
from werkzeug.wrappers import Response

from hub.access.actor import Actor
from hub.core import clock
from hub.core.errors import Invalid
from hub.core.ids import new_id
from hub.extensions import db
from hub.web import drafts
from hub.web.models import Submission

KEEP = timedelta(days=2)


def new_form_key() -> str:
    return str(new_id())


def parse_form_key(text: str | None) -> UUID:
    """`Invalid` for one that was not made here."""
    try:
        return UUID(text or "")
    except ValueError as error:
        raise Invalid(
            "bad_form_key", "This form is incomplete. Go back, reload the page and send it again."
        ) from error


def once(
    actor: Actor, act: Callable[[], str], *, key: UUID | None = None, draft: str | None = None
) -> Response:
    """Carries out `act` (which returns the address to go to) and commits, or only goes where the first one went."""
    key = key or parse_form_key(request.form.get("form_key"))
    begun = earlier(actor, key)
    if begun is not None:
        return redirect(begun, 303)
    location = act()
    if draft:
        drafts.drop(actor, draft)
    finish(key, location)
    db.session.commit()
    return redirect(location, 303)


def earlier(actor: Actor, key: UUID) -> str | None:
    """Takes the key for this act; where somebody had it before, tells where that led."""
    taken = db.session.execute(
        insert(Submission)
        .values(
            key=key,
            user_id=actor.user_id,
            endpoint=str(request.endpoint),
            location="",
            submitted_at=clock.now(),
        )
        .on_conflict_do_nothing()
        .returning(Submission.key)
    ).scalar()
    if taken is not None:
        return None
    row = db.session.get(Submission, key)
    if row is None or row.user_id != actor.user_id or row.endpoint != request.endpoint:
        raise Invalid(
            "foreign_form_key", "This form was used for something else. Reload the page and send it again."
        )
    return row.location


def led_to(actor: Actor) -> Response | None:
    """Where this form led, if it was carried out before; None else. Takes nothing.

    For a form that asks back before it acts: the first act must not be mistaken for somebody else's.
    """
    row = db.session.get(Submission, parse_form_key(request.form.get("form_key")))
    if row is None or row.user_id != actor.user_id or row.endpoint != request.endpoint:
        return None
    return redirect(row.location, 303)


def finish(key: UUID, location: str) -> None:
    db.session.execute(sa.update(Submission).where(Submission.key == key).values(location=location))


def forget_old() -> int:
    """Drops keys that are too old to come again; returns how many."""
    old = sa.delete(Submission).where(Submission.submitted_at < clock.now() - KEEP)
    return len(db.session.scalars(old.returning(Submission.key)).all())
