"""Codes of an authenticator app (TOTP, RFC 6238): six digits, new every 30 seconds, each taken once and only upwards (SECURITY N3).

By HMAC-SHA-1, as every app reckons: what is asked of it there does not rest on collisions. The secret is sealed under the key of a partnership. One that is being set up is stored nowhere: it is derived from the proof
that has begun, the token in the browser's cookie, and the service's own key.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b32encode

import pyotp
import segno
import sqlalchemy as sa
import structlog
from flask import current_app

from hub.accounts.models import Ceremony, Team, User
from hub.core import clock
from hub.crypto import keyring, wrapping
from hub.crypto.errors import KeyDestroyed, Unsealable
from hub.extensions import db

log = structlog.get_logger("hub.accounts")
SECONDS = 30
# steps before and after the present one, for clocks that are not quite right
WINDOW = 1
SECRET_BYTES = 20
ISSUER = "Partner hub"
PURPOSE = "totp"
_CODE = re.compile(r"[0-9]{6}")


def pending_secret(token: str, ceremony: Ceremony) -> str:
    """The secret (base32) that this browser is being offered; the same each time the page is shown."""
    key = str(current_app.config["SECRET_KEY"]).encode()
    from_both = b"authenticator:" + ceremony.challenge + token.encode("utf-8", "replace")
    return b32encode(hmac.new(key, from_both, hashlib.sha256).digest()[:SECRET_BYTES]).decode()


def address_of(secret: str, user: User) -> str:
    """The otpauth address that an app takes over, by its picture or as a link on the same device."""
    return pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=ISSUER)


def picture_of(address: str) -> str:
    """The address as a QR code: an SVG in a data address, which the content policy permits for pictures."""
    return segno.make(address, error="m", micro=False).svg_data_uri(scale=5, border=4, light="#fff")


def in_groups(secret: str) -> str:
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def step_of(secret: str, code: str) -> int | None:
    """The time step (counted from 1970 in 30 s) whose code this is, within the window; None for any other text."""
    plain = re.sub(r"[\s-]", "", code)
    if not _CODE.fullmatch(plain):
        return None
    app, now = pyotp.TOTP(secret), int(clock.now().timestamp()) // SECONDS
    steps = [now + away for away in range(-WINDOW, WINDOW + 1)]
    # all are compared, so that the time does not tell which it was
    fits = [step for step in steps if hmac.compare_digest(app.generate_otp(step), plain)]
    return fits[-1] if fits else None


def store(user: User, team: Team, secret: str, step: int) -> None:
    """From now on codes of this secret are asked for; `step` is used already. The caller flushes."""
    held = keyring.data_key(db.session(), team.partnership_id)
    user.totp_sealed = wrapping.seal_text(held.key, secret, purpose=PURPOSE, ids=(user.id,))
    user.totp_key_id = held.id
    user.totp_step = step
    user.totp_since = clock.now()


def accept(user: User, code: str) -> bool:
    """Takes a code: once, and never one older than the last. The caller commits."""
    if user.totp_sealed is None or user.totp_key_id is None:
        return False
    try:
        held = keyring.key_by_id(db.session(), user.totp_key_id)
        secret = wrapping.open_text(held.key, user.totp_sealed, purpose=PURPOSE, ids=(user.id,))
    except (Unsealable, KeyDestroyed):
        # no code fits what was tampered with, or whose key has ended: the way in is a reset
        log.error("authenticator_unsealable", user=str(user.id))
        return False
    step = step_of(secret, code)
    if step is None:
        return False
    # one statement: of two that come at once with the same code, one finds the step taken
    taken = (
        sa.update(User)
        .where(
            User.id == user.id,
            User.totp_sealed == user.totp_sealed,
            sa.or_(User.totp_step.is_(None), User.totp_step < step),
        )
        .values(totp_step=step)
        .returning(User.id)
        .execution_options(synchronize_session=False)
    )
    return db.session.scalar(taken) is not None
