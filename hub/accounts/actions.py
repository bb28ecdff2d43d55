"""Writes of accounts: the first half of signing in, signing out, another hat, setting up the first organisation."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import NOBODY, Actor, RequestFacts, Source
from hub.access.guard import enter
from hub.accounts import known_devices, odd, queries, second_step, sessions, starting, throttle
from hub.accounts.enrolment import new_enrolment
from hub.accounts.models import Organisation, Partnership, RoleHolding, Team, TeamMembership, User
from hub.accounts.second_step import Begun
from hub.accounts.starting import REFUSED
from hub.accounts.vocabulary import Method
from hub.audit.recording import append, append_nobody
from hub.core import clock
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
    usable = user if user is not None and user.disabled_at is None and user.reset_at is None else None
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
            User.disabled_at.is_(None),
            User.reset_at.is_(None),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )


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
