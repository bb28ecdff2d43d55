"""Which part of a file a request asks for (RFC 9110, 14): one range, and only while the file is still the same.

Several ranges at once, other units and what can't be read are answered with the whole file, as the standard allows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.I | re.A)


@dataclass(frozen=True)
class Span:
    """The bytes `[first, beyond)` of a file. `part` where they were asked for by a range."""

    first: int
    beyond: int
    part: bool = False

    @property
    def size(self) -> int:
        return self.beyond - self.first


@dataclass(frozen=True)
class Asked:
    """The headers `Range` and `If-Range` of a request, as they came."""

    range: str = ""
    if_range: str = ""

    @property
    def goes_on(self) -> bool:
        """Whether it goes on with something: a range that does not begin at the first byte."""
        found = _parse(self.range)
        return found is not None and found[0] != 0

    def of(self, size: int, tag: str) -> Span | None:
        """What to send of a file of this size under this entity tag; None where no byte of the range is there."""
        found = _parse(self.range)
        if found is None or self.if_range not in ("", tag):
            return Span(0, size)
        first, last = found
        if first is None:
            first, last = max(0, size - (last or 0)), None
        if first >= size:
            return None
        return Span(first, size if last is None else min(last + 1, size), part=True)


WHOLE = Asked()


def tag_of(file_id: UUID, version: int) -> str:
    """The strong entity tag of a stored file: the bytes of one version never change, and it tells nothing of them."""
    return f'"{file_id.hex}-{version}"'


def _parse(text: str) -> tuple[int | None, int | None] | None:
    """First and last byte, as far as they are given: `5-` has no last one, `-5` (the last five) no first."""
    found = _RANGE.fullmatch(text)
    if found is None or found.groups() == ("", ""):
        return None
    first, last = (int(part) if part else None for part in found.groups())
    if first is not None and last is not None and last < first:
        return None
    return first, last
