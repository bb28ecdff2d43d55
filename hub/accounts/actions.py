"""Writes of accounts: sign in, sign out, set up the first organisation, enrol."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import NOBODY, Actor, RequestFacts, Source
from hub.access.guard import enter
from hub.accounts import known_devices, queries, sessions, starting, telling, throttle
from hub.accounts.ending import EndedWhy, end_sessions_of
from hub.accounts.models import Organisation, Partnership, RoleHolding, Team, TeamMembership, User
from hub.accounts.vocabulary import Method
from hub.audit.recording import append, append_nobody
from hub.core import clock
from hub.core.errors import Denied, Invalid
from hub.core.text import clean
from hub.crypto import passwords
from hub.extensions import db

ENROLMENT_LASTS = timedelta(hours=48)
MIN_PASSWORD = 15
MAX_PASSWORD = 128
REFUSED = "The email address or password is not right."


def sign_in(email: str, password: str, request: RequestFacts) -> tuple[str, Actor]:
    """Checks a password and starts a session. The same answer and time for unknown, wrong and disabled. Commits."""
    email = clean(email).lower()
    user = queries.find_user_by_email(email)
    mark = known_devices.mark_of(request.known_device, user.id) if user is not None else None
    throttle.check(email, request.ip, device=mark)
    usable = user is not None and user.disabled_at is None
    right = passwords.verify_password(user.password_hash if user is not None and usable else None, password)
    team = queries.first_team(user) if user is not None and right else None
    if user is None or team is None or not right:
        append_nobody(
            request, "session.refused", user_id=user.id if user else None, facts={"why": "credentials"}
        )
        db.session.commit()
        raise Denied("bad_credentials", REFUSED)
    return starting.begin(user, team, Method.PASSWORD, request)


def sign_in_demo(user_id: UUID, request: RequestFacts) -> tuple[str, Actor]:
    """Signs in an invented person with one click. The caller has checked that this is a demonstration. Commits."""
    user = db.session.get(User, user_id)
    team = queries.first_team(user) if user is not None else None
    if user is None or team is None or user.disabled_at is not None:
        raise Denied("bad_credentials", "There is no such person in the demonstration.")
    return starting.begin(user, team, Method.DEMO, request)


def sign_out(actor: Actor, session_id: UUID) -> None:
    append(actor, "session.ended", object_id=actor.user_id)
    sessions.end(session_id)


def switch_hat(actor: Actor, session_id: UUID, team_id: UUID, purpose: str) -> None:
    sessions.switch(actor, session_id, team_id, purpose)
    append(actor, "session.switched", object_id=actor.user_id, facts={"team": team_id, "purpose": purpose})


def confirm_password(actor: Actor, session_id: UUID, password: str) -> str:
    """Re-authentication: returns the session's new token. `Invalid` where the password is wrong; tries are throttled."""
    mark = known_devices.mark_of(actor.request.known_device, actor.user_id)
    throttle.check(f"confirm:{actor.user_id}", actor.request.ip, device=mark)
    user = db.session.get(User, actor.user_id)
    if not passwords.verify_password(user.password_hash if user else None, password):
        append(
            actor, "session.refused", outcome="denied", object_id=actor.user_id, facts={"why": "credentials"}
        )
        db.session.commit()
        raise Invalid("bad_password", REFUSED, {"password": "The password is not right"})
    return _confirm(actor, session_id, Method.PASSWORD)


def confirm_demo(actor: Actor, session_id: UUID) -> str:
    """The same with one click. The caller has checked that this is a demonstration, where nobody has a password."""
    return _confirm(actor, session_id, Method.DEMO)


def _confirm(actor: Actor, session_id: UUID, method: Method) -> str:
    # the event is written under the old token, which then ends
    append(actor, "session.confirmed", object_id=actor.user_id, facts={"method": method.value})
    return sessions.confirm(session_id)


def new_enrolment(user: User) -> str:
    """A one-time secret by which the user sets the first password; stored as a hash, good for two days."""
    secret = secrets.token_urlsafe(32)
    user.enrolment_hash = hashlib.sha256(secret.encode()).digest()
    user.enrolment_expires_at = clock.now() + ENROLMENT_LASTS
    return secret


def enrol(secret: str, password: str, again: str, request: RequestFacts) -> tuple[str, Actor]:
    """Sets the first password by a one-time link and signs in. `Invalid` with the fields that are wrong. Commits."""
    throttle.check_source(request.ip)
    user = db.session.scalar(
        sa.select(User).where(
            User.enrolment_hash == hashlib.sha256(secret.encode("utf-8", "replace")).digest(),
            User.enrolment_expires_at > clock.now(),
            User.disabled_at.is_(None),
        )
    )
    if user is None:
        raise Denied(
            "bad_enrolment", "This link has been used or is too old. Ask your administrator for a new one."
        )
    check_password(password, again, user)
    user.password_hash = passwords.hash_password(password)
    user.enrolment_hash = user.enrolment_expires_at = None
    team = queries.first_team(user)
    if team is None:
        raise Denied("no_team", "This account is in no team yet. Ask your administrator.")
    db.session.flush()
    token = sessions.start(user, team, method=Method.ENROLMENT, request=request)
    db.session.commit()
    actor = sessions.actor_of(token, request)
    enter(db.session(), actor)
    append(actor, "user.enrolled", object_id=actor.user_id)
    append(actor, "session.started", object_id=actor.user_id, facts={"method": Method.ENROLMENT.value})
    visit = sessions.identify(token, request, False)
    end_sessions_of(actor, actor.user_id, EndedWhy.PASSWORD, but=visit.session_id if visit else None)
    telling.tell(actor, telling.NEW_PASSWORD)
    db.session.commit()
    return token, actor


def check_password(password: str, again: str, user: User) -> None:
    """Length and the obvious; no rules of composition (SECURITY N5). Raises `Invalid`."""
    errors: dict[str, str] = {}
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        errors["password"] = f"Password must be between {MIN_PASSWORD} and {MAX_PASSWORD} characters"
    elif any(part and part in password.lower() for part in (user.email, user.name.lower())):
        errors["password"] = "Password must not contain your name or email address"
    elif len(set(password)) < 5:
        errors["password"] = "Password must not repeat the same few characters"
    elif password != again:
        errors["again"] = "The two passwords must be the same"
    if errors:
        raise Invalid("bad_password", errors=errors)


def set_up(
    *, partnership: tuple[str, str], organisation: tuple[str, str, str], administrator: tuple[str, str]
) -> str:
    """The first partnership, organisation, team and administrator, outside demo mode. Returns the enrolment secret.

    `partnership` (code, name), `organisation` (code, name, kind), `administrator` (name, e-mail). Commits; refuses
    (`Denied`) where there is any partnership already: there is no back door later.
    """
    enter(db.session(), NOBODY)
    if db.session.scalar(sa.select(sa.func.count()).select_from(Partnership)):
        raise Denied("already_set_up", "The hub is set up already. An administrator can add the rest.")
    area = Partnership(code=partnership[0], name=partnership[1])
    owner = Organisation(code=organisation[0], name=organisation[1], kind=organisation[2])
    db.session.add_all([area, owner])
    db.session.flush()
    now = clock.now()
    user = User(
        organisation_id=owner.id,
        name=administrator[0],
        email=administrator[1].lower(),
        job_title="System administrator",
    )
    team = Team(
        organisation_id=owner.id, partnership_id=area.id, name="Administration", default_purpose="planning"
    )
    db.session.add_all([user, team])
    db.session.flush()
    db.session.add_all(
        [
            TeamMembership(team_id=team.id, user_id=user.id, joined_at=now),
            RoleHolding(user_id=user.id, partnership_id=area.id, role="administrator", granted_at=now),
        ]
    )
    secret = new_enrolment(user)
    db.session.flush()
    token = sessions.start(user, team, method=Method.OPERATOR, kind=Source.CLI)
    db.session.commit()
    actor = sessions.actor_of(token)
    enter(db.session(), actor)
    append(actor, "partnership.created", object_id=actor.partnership_id)
    append(actor, "organisation.created", object_id=actor.organisation_id)
    append(actor, "user.invited", object_id=actor.user_id)
    db.session.commit()
    return secret
