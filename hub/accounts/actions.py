"""Writes of accounts: the first half of signing in, signing out, another hat."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor, RequestFacts
from hub.accounts import known_devices, odd, queries, second_step, sessions, starting, throttle
from hub.accounts.closing import is_closed, not_closed
from hub.accounts.models import User
from hub.accounts.second_step import Begun
from hub.accounts.starting import REFUSED
from hub.accounts.vocabulary import Method
from hub.audit.recording import append, append_nobody
from hub.core.errors import Denied
from hub.core.text import clean
from hub.crypto import passwords
from hub.crypto.errors import Busy
from hub.extensions import db


def sign_in(email: str, password: str, address: str, request: RequestFacts) -> Begun:
    """Checks a password, the first half; the code comes next, on the way to `address`. Commits.

    `Denied`: bad_credentials, with the same answer and time for unknown, wrong, disabled and reset; too_often. `Busy` where too
    many strangers are at the door.
    """
    if not request.known_device:
        passwords.check_room_for_strangers()
    email = clean(email).lower()
    user = queries.find_user_by_email(email)
    mark = known_devices.mark_of(request.known_device, user.id) if user is not None else None
    usable = user if user is not None and not is_closed(user) and user.reset_at is None else None
    stored = usable.password_hash if usable is not None else None
    # it commits: nothing waits for a hash with a connection in hand
    throttle.check(email, request.ip, device=mark)
    verify = passwords.verify_strangers_password if mark is None else passwords.verify_password
    right = verify(stored, password)
    if usable is not None and right:
        usable = _still_so(usable.id, stored)
    if usable is None or not right or queries.first_team(usable) is None:
        append_nobody(
            request, "session.refused", user_id=user.id if user else None, facts={"why": "credentials"}
        )
        if not right:
            odd.note_wrong_password(email, user)
        db.session.commit()
        raise Denied("bad_credentials", REFUSED)
    begun = second_step.begin(usable, address)
    db.session.commit()
    if stored is not None and passwords.needs_rehash(stored):
        # it can wait for the next time
        with suppress(Busy):
            _hash_anew(usable.id, stored, password)
    return begun


def _hash_anew(user_id: UUID, stored: str, password: str) -> None:
    """What a hash costs has been raised since this one was made (SECURITY N6). Another change meanwhile comes first. Commits."""
    hashed = passwords.hash_password(password)
    anew = (
        sa.update(User).where(User.id == user_id, User.password_hash == stored).values(password_hash=hashed)
    )
    db.session.execute(anew.execution_options(synchronize_session=False))
    db.session.commit()


def _still_so(user_id: UUID, stored: str | None) -> User | None:
    """The user, locked, unless the account was closed, reset or given another password while this one was hashed.

    A reset that comes now waits, and then takes away what is begun here.
    """
    return db.session.scalar(
        sa.select(User)
        .where(
            User.id == user_id,
            User.password_hash == stored,
            not_closed(),
            User.reset_at.is_(None),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def sign_in_demo(user_id: UUID, request: RequestFacts) -> tuple[str, Actor]:
    """Signs in an invented person with one click. The caller has checked that this is a demonstration. Commits."""
    user = db.session.get(User, user_id)
    team = queries.first_team(user) if user is not None else None
    if user is None or team is None or is_closed(user):
        raise Denied("bad_credentials", "There is no such person in the demonstration.")
    return starting.begin(user, team, Method.DEMO, request)


def sign_out(actor: Actor, session_id: UUID) -> None:
    append(actor, "session.ended", object_id=actor.user_id)
    sessions.end(session_id)


def switch_hat(actor: Actor, session_id: UUID, team_id: UUID, purpose: str) -> None:
    sessions.switch(actor, session_id, team_id, purpose)
    append(actor, "session.switched", object_id=actor.user_id, facts={"team": team_id, "purpose": purpose})
