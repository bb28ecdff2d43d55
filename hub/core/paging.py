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
# those by time have some 110; those by a name of 120 characters at most 700
MAX_CURSOR = 720

Row = TypeVar("Row")


@dataclass(frozen=True)
class Cursor:
    """The sort key and the id of the last row seen; the id breaks ties. Most lists are by time, some by a name."""

    key: datetime | str
    id: UUID

    @property
    def at(self) -> datetime:
        """The key of a list by time."""
        if not isinstance(self.key, datetime):
            raise TypeError("this cursor is of a list by name")
        return self.key

    def __str__(self) -> str:
        key = self.key.isoformat() if isinstance(self.key, datetime) else self.key
        packed = json.dumps([key, str(self.id)], separators=(",", ":"), ensure_ascii=False)
        return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str | None, *, by: type[datetime] | type[str] = datetime) -> Cursor | None:
        """None for none; `Invalid` for one that was not made here, for a list by that kind of key."""
        if not text:
            return None
        try:
            if len(text) > MAX_CURSOR:
                raise ValueError("too long")
            padded = text + "=" * (-len(text) % 4)
            key, row = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
            return cls(_moment(key) if by is datetime else _words(key), UUID(row))
        except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
            raise Invalid("bad_cursor", "This page address is not complete. Go back to the list.") from error


def _moment(key: str) -> datetime:
    moment = datetime.fromisoformat(key)
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return moment


def _words(key: object) -> str:
    """Text that the database takes: neither a NUL nor half of a surrogate pair."""
    if not isinstance(key, str) or "\0" in key:
        raise ValueError("no text")
    key.encode()
    return key


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows of one page and the cursor of the next; `more` says whether there is one."""

    rows: Sequence[Row]
    next_cursor: str | None = None

    @property
    def more(self) -> bool:
        return self.next_cursor is not None
