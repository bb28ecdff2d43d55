"""Postcodes: brought to `AB1 2CD` where they are whole; anything else is refused in words."""

from __future__ import annotations

import re

from hub.core.errors import Invalid

WRONG = "Enter a full UK postcode, for example NB1 4QT"
# the shape that Royal Mail's address file uses
_SHAPE = re.compile(r"^([A-Z]{1,2}[0-9][A-Z0-9]?)([0-9][A-Z]{2})$")
_NEVER_LAST = frozenset("CIKMOV")
# pseudo postcodes such as ZZ99 3VZ stand for no fixed abode (HANDBOOK 6.7)
_NO_ADDRESS = "ZZ99"


def normal_postcode(text: str | None) -> str | None:
    """`nb14qt` → `NB1 4QT`; None for blank. Raises `Invalid` (field `postcode`)."""
    letters = re.sub(r"[\s.\-]", "", text or "").upper()
    if not letters:
        return None
    found = _SHAPE.match(letters)
    if not found or (found.group(1) != _NO_ADDRESS and set(found.group(2)[1:]) & _NEVER_LAST):
        raise Invalid("bad_postcode", WRONG, errors={"postcode": WRONG})
    return f"{found.group(1)} {found.group(2)}"
