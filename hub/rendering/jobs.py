"""What a rendering process is asked and what it answers: a line of JSON, then bytes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Self

# a header is never longer than this
MAX_HEADER = 16 * 1024
MAX_PIXELS = 100_000_000
MAX_FRAMES = 500
PICTURE_LONGEST = 1600
THUMBNAIL_LONGEST = 320
MAX_PAGES = 200
FORMATS = {
    "jpg": "JPEG",
    "jpeg": "JPEG",
    "png": "PNG",
    "gif": "GIF",
    "webp": "WEBP",
    "tif": "TIFF",
    "tiff": "TIFF",
    "heic": "HEIF",
}
# a process that can't be locked reads nothing and ends with this
NO_SANDBOX_EXIT = 3


@dataclass(frozen=True)
class Job:
    """One file and what is wanted of it: to be looked through, or one of its pages drawn with `lines` across it."""

    extension: str
    draw: bool = False
    page: int = 1
    longest: int = PICTURE_LONGEST
    lines: tuple[str, ...] = ()

    def header(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def parse(cls, header: bytes) -> Self:
        given: dict[str, Any] = json.loads(header)
        return cls(**{**given, "lines": tuple(given["lines"])})


class Unreadable(Exception):
    """The file is not what it says it is, or holds what is not taken. `code` says which."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)
