"""One-time links: the way in for somebody new, and for somebody whose password or phone is lost (SECURITY N16).

A link leads to a new password and then to an authenticator app; it is used up when the app's first code has proved right, not
before, so that whoever is interrupted begins again by the same link. Nobody but the user ever learns or chooses a secret.

A reset stops the old ways in at once: the account may be in wrong hands, and somebody who asks for a reset can't use them anyhow.
What they were stays stored, and is of no use, until the new ones are proved. There is no way back to them.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from flask import Flask, current_app

from hub.access.actor import Actor, RequestFacts
from hub.accounts import ceremonies, queries, throttle
from hub.accounts.closing import not_closed
from hub.accounts.models import User
from hub.accounts.password_rules import check_password
from hub.accounts.second_step import Begun
from hub.accounts.vocabulary import CeremonyKind
from hub.core import clock
from hub.core.errors import Denied
from hub.crypto import passwords
from hub.extensions import db
from hub.settings.catalogue import INVITATION_HOURS, RESET_MINUTES
from hub.settings.values import value_of

Forget = Callable[[Actor, UUID], None]
# the most that a partnership may set
ENROLMENT_LASTS = timedelta(hours=48)


def new_enrolment(user: User, *, lasts: timedelta = ENROLMENT_LASTS) -> str:
    """A one-time secret by which the user sets a password and an app; stored as a hash. It ends the one before, and what was
    begun by it."""
    if user.id is not None:
        # by when a link ends nobody could tell it from the one before: how long links work may have been set anew
        ceremonies.drop_of(user.id)
    secret = secrets.token_urlsafe(32)
    user.enrolment_hash = hashlib.sha256(secret.encode()).digest()
    user.enrolment_expires_at = clock.now() + lasts
    return secret


def install(app: Flask, forget: Forget) -> None:
    """What takes away the other ways in of a user who is reset, such as passkeys: it is called in the reset's transaction."""
    app.extensions.setdefault("hub_forget_ways", []).append(forget)


def begin_reset(actor: Actor, user: User) -> str:
    """Nothing lets in any more but the link whose secret this is. The caller ends the sessions, writes the event, flushes."""
    user.reset_at = clock.now()
    for forget in current_app.extensions.get("hub_forget_ways", ()):
        forget(actor, user.id)
    return new_enrolment(user, lasts=reset_lasts(actor.partnership_id))


def invitation_lasts(partnership_id: UUID) -> timedelta:
    """How long the link of somebody new works where they are invited."""
    return timedelta(hours=value_of(partnership_id, INVITATION_HOURS))


def reset_lasts(partnership_id: UUID) -> timedelta:
    """How long the link of a reset works."""
    return timedelta(minutes=value_of(partnership_id, RESET_MINUTES))


def check_link(secret: str, request: RequestFacts) -> User:
    """Whose link it is. `Denied` (bad_enrolment) for one that was used, is too old, or never was. Tries are bounded; commits."""
    throttle.check_source(request.ip)
    return _user_of(secret)


def _user_of(secret: str, *, lock: bool = False) -> User:
    chosen = (
        sa.select(User)
        .where(
            User.enrolment_hash == hashlib.sha256(secret.encode("utf-8", "replace")).digest(),
            User.enrolment_expires_at > clock.now(),
            not_closed(),
            # never a way into an account that is in use
            sa.or_(User.totp_sealed.is_(None), User.reset_at.is_not(None)),
        )
        .execution_options(populate_existing=True)
    )
    user = db.session.scalar(chosen.with_for_update() if lock else chosen)
    if user is None:
        raise Denied(
            "bad_enrolment", "This link has been used or is too old. Ask your administrator for a new one."
        )
    return user


def enrol(secret: str, password: str, again: str, request: RequestFacts) -> Begun:
    """Sets the password by a one-time link; the app comes next. `Invalid` with the fields that are wrong. Commits."""
    user = check_link(secret, request)
    check_password(password, again, queries.words_of(user))
    if queries.first_team(user) is None:
        raise Denied("no_team", "This account is in no team yet. Ask your administrator.")
    # nothing waits for a hash with a connection in hand
    db.session.commit()
    hashed = passwords.hash_password(password)
    # another reset that comes now waits, and then takes away what is begun here
    user = _user_of(secret, lock=True)
    user.password_hash = hashed
    db.session.flush()
    token, _ = ceremonies.begin(CeremonyKind.SET_UP, user_id=user.id, lasts=ceremonies.SETTING_UP_LASTS)
    db.session.commit()
    return Begun(token, CeremonyKind.SET_UP)
