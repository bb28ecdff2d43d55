"""The second half of signing in: the code of an authenticator app, or setting one up where there is none yet.

Nobody comes in by a password alone. That the first page goes on to the second tells whoever has guessed a password that it is
right: the other way, asking everybody for a code and refusing afterwards, would tell the same as soon as somebody without an
app is led to set one up. So guesses are bounded at the first page, codes at the second; and what the second page refuses, a
wrong code, a used one, an account closed meanwhile, it refuses alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn

import sqlalchemy as sa

from hub.access.actor import Actor, RequestFacts
from hub.accounts import ceremonies, codes, known_devices, odd, queries, starting, telling, throttle
from hub.accounts.closing import not_closed
from hub.accounts.ending import EndedWhy, end_sessions_of
from hub.accounts.models import Ceremony, Team, User
from hub.accounts.vocabulary import CeremonyKind, Method
from hub.audit.recording import append, append_nobody
from hub.core.errors import Denied, Invalid
from hub.extensions import db

WRONG_CODE = "The code is not right, or has been used. Wait for the next one in your app"


@dataclass(frozen=True)
class Begun:
    """A proof whose second half is to come: the token for the browser's cookie, and which half that is."""

    token: str = field(repr=False)
    kind: CeremonyKind


@dataclass(frozen=True)
class Offer:
    """What an authenticator app takes over: as a picture, as a link, and to type."""

    picture: str = field(repr=False)
    address: str = field(repr=False)
    grouped: str = field(repr=False)


def begin(user: User, address: str) -> Begun:
    """After a right password or a one-time link. Flushes, does not commit."""
    if user.totp_sealed is not None and user.reset_at is None:
        kind, lasts = CeremonyKind.SECOND_STEP, ceremonies.LASTS
    else:
        kind, lasts = CeremonyKind.SET_UP, ceremonies.SETTING_UP_LASTS
    token, _ = ceremonies.begin(kind, user_id=user.id, address=address, lasts=lasts)
    return Begun(token, kind)


def sign_in_by_code(token: str, code: str, request: RequestFacts) -> tuple[str, Actor, str]:
    """The session's token, the actor, and the page that was asked for. `Invalid` where the code is wrong; commits.

    `Denied`: ceremony_over after five tries or five minutes, too_often.
    """
    begun = _try(token, CeremonyKind.SECOND_STEP, request)
    user, team = _whose(begun)
    if user is None or team is None or user.reset_at is not None or not codes.accept(user, code):
        _refuse(begun, request)
    ceremonies.take(token, CeremonyKind.SECOND_STEP)
    return *starting.begin(user, team, Method.PASSWORD_AND_CODE, request), begun.address


def offer(token: str) -> Offer:
    """What this browser is to take over in its app. `Denied` (ceremony_over) where nothing has begun."""
    begun = ceremonies.find(token, CeremonyKind.SET_UP)
    user = db.session.get(User, begun.user_id) if begun is not None else None
    if begun is None or user is None:
        raise Denied("ceremony_over", ceremonies.OVER)
    return offer_of(token, begun, user)


def offer_of(token: str, begun: Ceremony, user: User) -> Offer:
    secret = codes.pending_secret(token, begun)
    address = codes.address_of(secret, user)
    return Offer(codes.picture_of(address), address, codes.in_groups(secret))


def set_up(token: str, code: str, request: RequestFacts) -> tuple[str, Actor, str]:
    """Stores the app that the code proves, and starts the session. Errors as above; commits."""
    begun = _try(token, CeremonyKind.SET_UP, request)
    step = codes.step_of(codes.pending_secret(token, begun), code)
    if step is None:
        _refuse(begun, request)
    secret = codes.pending_secret(token, begun)
    ceremonies.take(token, CeremonyKind.SET_UP)
    user, team = _whose(begun, lock=True)
    if user is None or team is None or not _may_set_up(user, begun):
        raise Denied("ceremony_over", ceremonies.OVER)
    by_link = user.enrolment_hash is not None
    codes.store(user, team, secret, step)
    user.enrolment_hash = user.enrolment_expires_at = user.reset_at = None
    db.session.flush()
    ceremonies.drop_of(user.id)
    session_token, actor = starting.begin(user, team, Method.PASSWORD_AND_CODE, request, enrolling=by_link)
    _write_down(actor, session_token, request, by_link)
    return session_token, actor, begun.address


def _write_down(actor: Actor, session_token: str, request: RequestFacts, by_link: bool) -> None:
    if by_link:
        append(actor, "user.enrolled", object_id=actor.user_id)
        telling.tell(actor, telling.NEW_PASSWORD)
    append(actor, "user.app_set", object_id=actor.user_id)
    telling.tell(actor, telling.NEW_APP)
    end_sessions_of(actor, actor.user_id, EndedWhy.PASSWORD, but=starting.session_of(session_token, request))
    db.session.commit()


def _may_set_up(user: User, begun: Ceremony) -> bool:
    """There is no app yet; or a reset is under way, and this proof was begun by its link."""
    if user.reset_at is not None:
        return user.enrolment_hash is not None and begun.created_at >= user.reset_at
    return user.totp_sealed is None


def _try(token: str, kind: CeremonyKind, request: RequestFacts) -> Ceremony:
    """Counts the try, by account and source and in the proof itself, before anything is computed."""
    begun = ceremonies.find(token, kind)
    if begun is None or begun.user_id is None:
        raise Denied("ceremony_over", ceremonies.OVER)
    throttle.check_code(
        begun.user_id, request.ip, device=known_devices.mark_of(request.known_device, begun.user_id)
    )
    return ceremonies.try_once(token, kind)


def _whose(begun: Ceremony, *, lock: bool = False) -> tuple[User | None, Team | None]:
    chosen = sa.select(User).where(User.id == begun.user_id, not_closed())
    if lock:
        chosen = chosen.with_for_update()
    user = db.session.scalar(chosen.execution_options(populate_existing=True))
    return user, queries.first_team(user) if user is not None else None


def _refuse(begun: Ceremony, request: RequestFacts) -> NoReturn:
    append_nobody(request, "session.refused", user_id=begun.user_id, facts={"why": "code"})
    user, _ = _whose(begun)
    if user is not None and user.reset_at is None and begun.kind == CeremonyKind.SECOND_STEP.value:
        odd.note_wrong_code(user, device=known_devices.mark_of(request.known_device, user.id))
    db.session.commit()
    raise Invalid("bad_code", errors={"code": WRONG_CODE})
