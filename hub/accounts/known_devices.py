"""Which accounts have signed in on a device before: a cookie that says so to us and nothing to anybody else.

An entry is a random mark with a code over it and the account, so that nobody can make one and none names the account. With
it a user's own device is told from a stranger's: a stranger's tries can't lock it out, and the first time is told of.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import timedelta
from uuid import UUID

from flask import current_app

COOKIE = "__Host-hub-device"
LASTS = timedelta(days=180)
# accounts of one device; the one that signed in longest ago falls out
MOST = 6
_ENTRY = re.compile(r"([A-Za-z0-9_-]{16})\.([0-9a-f]{64})")


def mark_of(cookie: str, user_id: UUID) -> str | None:
    """The device's mark for this account; None where it never signed in there."""
    for mark, code in _entries(cookie):
        if hmac.compare_digest(code, _code(mark, user_id)):
            return mark
    return None


def remember(cookie: str, user_id: UUID) -> str:
    """The cookie with this account first. The mark of a known account stays."""
    mark = mark_of(cookie, user_id) or secrets.token_urlsafe(12)
    own = (mark, _code(mark, user_id))
    entries = [own, *(one for one in _entries(cookie) if one != own)]
    return "~".join(f"{one}.{code}" for one, code in entries[:MOST])


def _entries(cookie: str) -> list[tuple[str, str]]:
    found = (_ENTRY.fullmatch(part) for part in cookie[:4096].split("~"))
    return [(one.group(1), one.group(2)) for one in found if one is not None]


def _code(mark: str, user_id: UUID) -> str:
    secret = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(secret, f"device:{user_id}:{mark}".encode(), hashlib.sha256).hexdigest()
