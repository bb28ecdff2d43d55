"""Keyset pages: a page is found by the last row's keys, never by OFFSET, so page 1,000 costs what page 1 costs."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from hub.core.errors import Invalid

PAGE_SIZE = 50
# those made here have some 110
MAX_CURSOR = 200

Row = TypeVar("Row")


@dataclass(frozen=True)
class Cursor:
    """The sort key and the id of the last row seen; the id breaks ties."""

    at: datetime
    id: UUID

    def __str__(self) -> str:
        packed = json.dumps([self.at.isoformat(), str(self.id)], separators=(",", ":"))
        return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str | None) -> Cursor | None:
        """None for none; `Invalid` for one that was not made here."""
        if not text:
            return None
        try:
            if len(text) > MAX_CURSOR:
                raise ValueError("too long")
            padded = text + "=" * (-len(text) % 4)
            at, key = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
            moment = datetime.fromisoformat(at)
            if moment.tzinfo is None:
                raise ValueError("no time zone")
            return cls(moment, UUID(key))
        except (ValueError, TypeError, AttributeError, binascii.Error) as error:
            raise Invalid("bad_cursor", "This page address is not complete. Go back to the list.") from error


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows of one page and the cursor of the next; `more` says whether there is one."""

    rows: Sequence[Row]
    next_cursor: str | None = None

    @property
    def more(self) -> bool:
        return self.next_cursor is not None
