"""A few files on the invented cases: a diary sheet, a table of times, a sketch. Made here; nobody's."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta

from hub.attachments.vocabulary import DocumentKind

LINES = (
    "Music through the wall, could hear the words",
    "Shouting on the stairs, then a door",
    "Quiet",
    "Bass until after midnight, knocked, no answer",
    "Children could not sleep",
)
Paper = tuple[str, DocumentKind, str, str, bytes]


def diary(draw: random.Random, until: datetime) -> Paper:
    """Fourteen days as the person reporting wrote them down."""
    days = [until - timedelta(days=number) for number in range(14, 0, -1)]
    text = "".join(f"{day:%-d %B %Y}, {draw.randint(8, 11)}pm: {draw.choice(LINES)}\n" for day in days)
    return ("diary sheet.txt", DocumentKind.DIARY, "Diary sheet, two weeks", "text/plain", text.encode())


def times(draw: random.Random, until: datetime) -> Paper:
    """A table of times and lengths."""
    days = [until - timedelta(days=number) for number in range(20, 0, -1)]
    rows = "".join(
        f"{day:%Y-%m-%d},{draw.randint(18, 23)}:{draw.randint(10, 59)},{draw.randint(5, 90)}\n"
        for day in days
    )
    text = f"date,from,minutes\n{rows}"
    return ("times heard.csv", DocumentKind.REPORT, "When and how long", "text/csv", text.encode())


def sketch(draw: random.Random, _until: datetime) -> Paper:
    """A picture of nothing: coloured fields."""
    width, height = 240, 160
    fields = [bytes(draw.randrange(60, 230) for _ in range(3)) for _ in range(6)]
    rows = b"".join(
        b"\0" + b"".join(fields[(x * 3 // width) + 3 * (y * 2 // height)] for x in range(width))
        for y in range(height)
    )

    def part(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = part(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    picture = b"\x89PNG\r\n\x1a\n" + head + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")
    return ("sketch of the place.png", DocumentKind.PHOTO, "Where it was heard", "image/png", picture)


PAPERS: tuple[Callable[[random.Random, datetime], Paper], ...] = (diary, times, sketch)
