"""Vehicle registration marks: capitals without spaces, `?` for a character that nobody could read."""

from __future__ import annotations

import re

from hub.core.errors import Invalid

WRONG = "Enter a registration of 2 to 10 letters and numbers; type ? for each one that could not be read"
_SHAPE = re.compile(r"^[A-Z0-9?]{2,10}$")


def normal_mark(text: str | None) -> str | None:
    """`nb21 abc` → `NB21ABC`; None for blank. Raises `Invalid` (field `vrm`)."""
    letters = re.sub(r"[\s.\-]", "", text or "").upper()
    if not letters:
        return None
    if not _SHAPE.match(letters):
        raise Invalid("bad_mark", WRONG, errors={"vrm": WRONG})
    return letters
