"""Proving who one is with a passkey: at the door, and again before something weighty.

Every refusal is an event and reads the same, whether the passkey is unknown, removed, a copy, or of a closed account.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from flask import current_app

from hub.access.actor import Actor, RequestFacts
from hub.accounts import admitting, ceremonies, known_devices, sessions, starting, throttle
from hub.accounts.closing import is_closed
from hub.accounts.ending import end_unasked
from hub.accounts.models import Ceremony, User
from hub.accounts.queries import first_team
from hub.accounts.vocabulary import CeremonyKind, Method
from hub.audit.recording import append, append_nobody
from hub.core import clock
from hub.core.errors import Conflict, Denied
from hub.extensions import db
from hub.passkeys import proving, queries, telling
from hub.passkeys.models import Passkey
from hub.passkeys.party import required_party
from hub.web.counting import count

REFUSED = "This passkey does not open an account here. Try another, or sign in another way."
COPIED = "passkey_copied"
# challenges that one source may ask for in a minute: people of one organisation may share an address
MOST_BEGUN = 60


class Refused(Exception):
    """A proof that proves nothing: why as a code, and whose it would have been, where that is known."""

    def __init__(self, why: str, user_id: UUID | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.user_id = user_id


def begin_sign_in(request: RequestFacts, address: str) -> tuple[str, str]:
    """The token of the step, and what the browser is to ask its devices for, as JSON. Names nobody. Commits."""
    party = required_party(current_app.config["HUB_SETTINGS"])
    over = count(f"passkey:{request.ip}", timedelta(minutes=1)).tries > MOST_BEGUN
    db.session.commit()
    if over:
        raise Denied("too_often", throttle.WAIT)
    token, ceremony = ceremonies.begin(CeremonyKind.PASSKEY_SIGN_IN, address=address)
    options = proving.ask_for_proof(party, ceremony.challenge)
    db.session.commit()
    return token, options


def sign_in(request: RequestFacts, *, token: str, credential: str) -> tuple[str, Actor, str]:
    """Starts a session: its token, the actor, the address to go to. `Denied` (bad_credentials) for anything untrue. Commits."""
    throttle.check_source(request.ip)
    try:
        ceremony = _take(token, CeremonyKind.PASSKEY_SIGN_IN)
        passkey, user = _check(ceremony, credential)
        team = first_team(user)
        if team is None:
            raise Refused("no_team", user.id)
    except Refused as refused:
        append_nobody(request, "session.refused", user_id=refused.user_id, facts={"why": refused.why})
        _after(refused)
        db.session.commit()
        raise _denied(refused) from refused
    db.session.commit()
    session, actor = starting.begin(user, team, Method.PASSKEY, request, device_bound=passkey.device_bound)
    return session, actor, ceremony.address


def begin_confirming(actor: Actor, session_id: UUID, address: str) -> tuple[str, str]:
    """As `begin_sign_in`, for one of the actor's own passkeys in this session. Flushes, does not commit."""
    party = required_party(current_app.config["HUB_SETTINGS"])
    own = queries.list_own(actor)
    if not own:
        raise Conflict("no_passkey", "You have no passkey. Confirm another way.")
    token, ceremony = ceremonies.begin(
        CeremonyKind.PASSKEY_CONFIRM, user_id=actor.user_id, session_id=session_id, address=address
    )
    known = [one.credential_id for one in own]
    return token, proving.ask_for_proof(party, ceremony.challenge, known=known)


def confirm(actor: Actor, session_id: UUID, *, token: str, credential: str) -> tuple[str, str]:
    """Re-authentication: the session's new token, and the address to go to. Flushes; commits where it refuses."""
    mark = known_devices.mark_of(actor.request.known_device, actor.user_id)
    throttle.check(f"confirm:{actor.user_id}", actor.request.ip, device=mark)
    try:
        ceremony = _take(token, CeremonyKind.PASSKEY_CONFIRM, session_id)
        passkey, _ = _check(ceremony, credential, only=actor.user_id)
    except Refused as refused:
        append(
            actor, "session.refused", outcome="denied", object_id=actor.user_id, facts={"why": refused.why}
        )
        _after(refused)
        db.session.commit()
        raise _denied(refused) from refused
    admitting.check_confirming(actor, device_bound=passkey.device_bound)
    # the event is written under the old token, which then ends
    append(actor, "session.confirmed", object_id=actor.user_id, facts={"method": Method.PASSKEY.value})
    return sessions.confirm(session_id), ceremony.address


def _after(refused: Refused) -> None:
    """Whoever has the copy may be in already. After the event: an ended session writes none."""
    if refused.why == COPIED and refused.user_id is not None:
        end_unasked(refused.user_id)


def _denied(refused: Refused) -> Denied:
    if refused.why == "ceremony_over":
        return Denied("ceremony_over", ceremonies.OVER)
    return Denied("bad_credentials", REFUSED)


def _take(token: str, kind: CeremonyKind, session_id: UUID | None = None) -> Ceremony:
    try:
        return ceremonies.take(token, kind, session_id=session_id)
    except Denied as denied:
        raise Refused(denied.code) from denied


def _check(ceremony: Ceremony, text: str, *, only: UUID | None = None) -> tuple[Passkey, User]:
    """The passkey that answered this challenge, and its user, who may use it. `Refused` otherwise. Counts it as used."""
    party = required_party(current_app.config["HUB_SETTINGS"])
    try:
        given = proving.read_proof(text)
    except proving.Untrue as untrue:
        raise Refused("passkey_untrue") from untrue
    found = queries.find_by_credential(given.credential_id)
    if found is None:
        raise Refused("passkey_unknown")
    passkey, user = found
    try:
        signed = proving.check_proof(
            party,
            ceremony.challenge,
            given,
            public_key=passkey.public_key,
            device_bound=passkey.device_bound,
        )
    except proving.Untrue as untrue:
        raise Refused("passkey_untrue", user.id) from untrue
    # who is found by what the device shows is who the device says; a list of the user's own may leave it out
    named = given.user_handle or (user.id.bytes if only else None)
    if named != user.id.bytes or (only is not None and only != user.id):
        raise Refused("passkey_foreign", user.id)
    if passkey.removed_at is not None:
        raise Refused("passkey_removed", user.id)
    if is_closed(user):
        raise Refused("account_closed", user.id)
    _count_up(passkey, user, signed)
    return passkey, user


def _count_up(passkey: Passkey, user: User, signed: int) -> None:
    """In one statement, so that of two that signed with the same count only one is let in."""
    counted = (
        sa.update(Passkey)
        .where(
            Passkey.id == passkey.id,
            Passkey.removed_at.is_(None),
            # devices that do not count say 0 each time
            Passkey.sign_count < signed if signed else Passkey.sign_count == 0,
        )
        .values(sign_count=signed, last_used_at=clock.now())
        .returning(Passkey.id)
        .execution_options(synchronize_session=False)
    )
    if db.session.scalar(counted) is not None:
        return
    # two devices have this key, and nobody can tell which is its user's
    gone = sa.update(Passkey).where(Passkey.id == passkey.id, Passkey.removed_at.is_(None))
    db.session.execute(gone.values(removed_at=clock.now()).execution_options(synchronize_session=False))
    telling.warn(user)
    raise Refused(COPIED, user.id)
