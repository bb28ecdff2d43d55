"""Sign-ins that came to nothing and that a user should know of (SECURITY N15): somebody has the password, or tries many.

Whoever is not let in can make the hub write to a user at most twice a day: once for each of the two.
"""

from __future__ import annotations

from hub.accounts import telling, throttle
from hub.accounts.models import User
from hub.web.counting import count

WRONG_PASSWORDS = 20
# at their own device people mistype; that somebody else sits there shows by going on
WRONG_CODES_KNOWN = 3


def note_wrong_password(email: str, user: User | None) -> None:
    """Counts a wrong password; the same work for an address that nobody has. The caller commits."""
    tries = count(f"wrong:{email}", throttle.A_DAY).tries
    if tries == WRONG_PASSWORDS and user is not None and user.disabled_at is None:
        telling.warn(user)


def note_wrong_code(user: User, *, device: str | None) -> None:
    """Counts a wrong code after the right password. `device` is the mark of a known one. The caller commits."""
    wrong = count(f"wrong code:{user.id}:{device or ''}", throttle.A_DAY).tries
    enough = 1 if device is None else WRONG_CODES_KNOWN
    if wrong == enough and count(f"told of code:{user.id}", throttle.A_DAY).tries == 1:
        telling.warn(user)
