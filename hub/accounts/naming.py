"""What an account may be called: the name on one line, and the address by which it is found."""

from __future__ import annotations

import re

MAX_NAME = 120
MAX_EMAIL = 254
# the hub's own accounts live there, and nobody else's
SERVICE_DOMAIN = "hub.invalid"
_EMAIL = re.compile(r"[^@\s<>\"(),:;\\]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+")


def is_email(text: str) -> bool:
    """Is this an address in the shape that people's accounts have: in small letters, of a domain with a dot?"""
    return (
        len(text) <= MAX_EMAIL
        and _EMAIL.fullmatch(text) is not None
        and not text.endswith(f"@{SERVICE_DOMAIN}")
    )


def is_name(text: str) -> bool:
    """Is this a name or a job title: something, on one line, of a length that a list can show?"""
    return 0 < len(text) <= MAX_NAME and "\n" not in text
