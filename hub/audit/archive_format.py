"""What lies in the log's second place, and how it is called there: C2SP tlog-tiles, with one addition.

    checkpoint                  the newest signed head, with the cosignatures it had when it was copied
    checkpoint.cosigned         the newest head that a witness signed
    tile/0/x001/234[.p/W]       hashes
    tile/entries/x001/234[.p/W] the events themselves, 256 in a bundle, each behind its length in two bytes
    entry/x001/234/567          one event of more than 65,535 bytes, as it is

tlog-tiles has no form for an entry that long. In its bundle such an event has the length 0, which no event has, and stands
alone under `entry/`: a program that knows only tlog-tiles finds that one entry's hash wrong, and all others right.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable

from hub.crypto.tlog.hashing import NotProven
from hub.crypto.tlog.tiles import WIDTH, tile_path

CHECKPOINT, COSIGNED = "checkpoint", "checkpoint.cosigned"
NOTE_KIND = "text/plain; charset=utf-8"
LONGEST = 0xFFFF
# in a bundle's place of an event that stands alone
ALONE = b""
_PARTIAL = re.compile(
    r"tile/(?P<level>[0-9]{1,2}|entries)/(?P<number>(x[0-9]{3}/)*[0-9]{3})\.p/[1-9][0-9]{0,2}"
)


def bundle_key(number: int, count: int = WIDTH) -> str:
    return tile_path(0, number, count).replace("tile/0/", "tile/entries/", 1)


def entry_key(index: int) -> str:
    return tile_path(0, index).replace("tile/0/", "entry/", 1)


def partial_place(key: str) -> tuple[int, int] | None:
    """Level and number of the tile or bundle that a partial one was to become; None for any other key."""
    found = _PARTIAL.fullmatch(key)
    if found is None:
        return None
    level = 0 if found["level"] == "entries" else int(found["level"])
    return level, int(found["number"].replace("/x", "").replace("x", "").replace("/", ""))


def write_bundle(bodies: Iterable[bytes]) -> bytes:
    parts = []
    for body in bodies:
        if not body:
            raise NotProven("an event without bytes")
        kept = body if len(body) <= LONGEST else ALONE
        parts.append(struct.pack(">H", len(kept)) + kept)
    return b"".join(parts)


def read_bundle(data: bytes, count: int) -> list[bytes]:
    """Exactly so many entries and nothing behind them; `ALONE` stands for one that lies under `entry/`."""
    found, at = [], 0
    for _ in range(count):
        if at + 2 > len(data):
            raise NotProven("the bundle is too short")
        (length,) = struct.unpack_from(">H", data, at)
        at += 2
        if at + length > len(data):
            raise NotProven("the bundle is too short")
        found.append(data[at : at + length])
        at += length
    if at != len(data):
        raise NotProven("the bundle is too long")
    return found
