"""What somebody signed in proves again, and changes about the own ways in: password and authenticator app (SECURITY N13, N15).

A change gives the session a new token and ends all others; whatever was begun elsewhere is over; the user is told by e-mail.
"""

from __future__ import annotations

from uuid import UUID

from hub.access.actor import Actor
from hub.accounts import (
    admitting,
    ceremonies,
    codes,
    known_devices,
    queries,
    second_step,
    sessions,
    telling,
    throttle,
)
from hub.accounts.ending import EndedWhy, end_sessions_of
from hub.accounts.models import User
from hub.accounts.password_rules import check_password
from hub.accounts.second_step import Offer
from hub.accounts.vocabulary import CeremonyKind, Method
from hub.audit.recording import append
from hub.core.errors import Denied, Invalid, NotVisible
from hub.crypto import passwords
from hub.extensions import db

# one sentence for both: a stolen session is no place to try passwords at
NOT_RIGHT = "The password or the code is not right, or the code has been used"
WRONG_PASSWORD = "Your present password is not right"


def confirm(actor: Actor, session_id: UUID, password: str, code: str) -> str:
    """Re-authentication by password and code: returns the session's new token. `Invalid` where either is wrong; tries are
    throttled. The caller commits."""
    admitting.check_confirming(actor)
    user = _own(actor)
    if not _password_is_right(actor, user, password) or not _code_is_right(actor, code):
        _refuse(actor, "credentials")
        raise Invalid("bad_password", errors={"password": NOT_RIGHT})
    return _confirmed(actor, session_id, Method.PASSWORD_AND_CODE)


def confirm_demo(actor: Actor, session_id: UUID) -> str:
    """The same with one click. The caller has checked that this is a demonstration, and that there is no app to ask."""
    admitting.check_confirming(actor)
    return _confirmed(actor, session_id, Method.DEMO)


def change_password(actor: Actor, session_id: UUID, old: str, new: str, again: str) -> str:
    """Returns the session's new token; all others end. `Invalid` with the fields that are wrong. The caller commits."""
    user = _own(actor)
    if user.password_hash is None:
        raise NotVisible
    if not _password_is_right(actor, user, old):
        _refuse(actor, "credentials")
        raise Invalid("bad_password", errors={"old": WRONG_PASSWORD})
    check_password(new, again, queries.words_of(user))
    if new == old:
        raise Invalid(
            "same_password", errors={"password": "The new password must be another than the present one"}
        )
    db.session.commit()
    hashed = passwords.hash_password(new)
    user = _own(actor)
    user.password_hash = hashed
    db.session.flush()
    return _changed(actor, session_id, "user.password_changed", telling.CHANGED_PASSWORD)


def begin_app(actor: Actor, session_id: UUID) -> str:
    """Begins to set up another app; the one in use works until the new one is proved. The caller commits."""
    token, _ = ceremonies.begin(
        CeremonyKind.NEW_CODE,
        user_id=actor.user_id,
        session_id=session_id,
        lasts=ceremonies.SETTING_UP_LASTS,
    )
    return token


def find_offer(actor: Actor, session_id: UUID, token: str) -> Offer | None:
    """What this browser, in this session, is to take over in the new app; None where nothing has begun."""
    begun = ceremonies.find(token, CeremonyKind.NEW_CODE, session_id=session_id)
    return second_step.offer_of(token, begun, _own(actor)) if begun is not None else None


def set_app(actor: Actor, session_id: UUID, token: str, code: str) -> str:
    """The app that the code proves takes the place of the old one. Returns the session's new token; all others end.

    `Invalid` where the code is wrong, `Denied` (ceremony_over) where nothing has begun or it took too long. The caller commits.
    """
    _check_code_tries(actor)
    begun = ceremonies.try_once(token, CeremonyKind.NEW_CODE, session_id=session_id)
    secret = codes.pending_secret(token, begun)
    step = codes.step_of(secret, code)
    if step is None:
        _refuse(actor, "code")
        raise Invalid("bad_code", errors={"code": second_step.WRONG_CODE})
    ceremonies.take(token, CeremonyKind.NEW_CODE, session_id=session_id)
    user = _own(actor)
    team = queries.first_team(user)
    if team is None:
        raise Denied("no_team", "This account is in no team. Ask your administrator.")
    codes.store(user, team, secret, step)
    db.session.flush()
    return _changed(actor, session_id, "user.app_set", telling.NEW_APP)


def _own(actor: Actor) -> User:
    return db.session.get_one(User, actor.user_id, populate_existing=True)


def _password_is_right(actor: Actor, user: User, password: str) -> bool:
    """Throttled before anything is computed; commits, so that nothing waits for a hash with a connection in hand."""
    mark = known_devices.mark_of(actor.request.known_device, actor.user_id)
    throttle.check(f"confirm:{actor.user_id}", actor.request.ip, device=mark)
    return passwords.verify_password(user.password_hash, password)


def _code_is_right(actor: Actor, code: str) -> bool:
    _check_code_tries(actor)
    return codes.accept(_own(actor), code)


def _check_code_tries(actor: Actor) -> None:
    mark = known_devices.mark_of(actor.request.known_device, actor.user_id)
    throttle.check_code(actor.user_id, actor.request.ip, device=mark)


def _refuse(actor: Actor, why: str) -> None:
    append(actor, "session.refused", outcome="denied", object_id=actor.user_id, facts={"why": why})
    db.session.commit()


def _confirmed(actor: Actor, session_id: UUID, method: Method) -> str:
    # the event is written under the old token, which then ends
    append(actor, "session.confirmed", object_id=actor.user_id, facts={"method": method.value})
    return sessions.confirm(session_id)


def _changed(actor: Actor, session_id: UUID, act: str, kind: str) -> str:
    ceremonies.drop_of(actor.user_id)
    append(actor, act, object_id=actor.user_id)
    end_sessions_of(actor, actor.user_id, EndedWhy.PASSWORD, but=session_id)
    telling.tell(actor, kind)
    return sessions.confirm(session_id)
