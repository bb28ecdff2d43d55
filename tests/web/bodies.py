"""Bodies of uploads, and streams that bring them in pieces."""

from __future__ import annotations

import io
from typing import IO, Any, cast

from hub.web.multipart import (
    FieldPart,
    read_form_then_file,
)

BOUNDARY = "x-boundary-0123456789"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
LIMITS = {"max_file_size": 1_000_000, "max_field_size": 1000, "max_fields": 5}


class Trickle(io.RawIOBase):
    """A stream that gives at most so many bytes a read, as a socket may."""

    def __init__(self, body: bytes, sizes: list[int]) -> None:
        self.body = io.BytesIO(body)
        self.sizes = iter(sizes)
        self.taken = 0

    def read(self, size: int = -1) -> bytes:
        block = self.body.read(min(size, next(self.sizes, size)))
        self.taken += len(block)
        return block


def part(disposition: str, payload: bytes, *more: str) -> bytes:
    lines = [f"Content-Disposition: form-data; {disposition}", *more]
    return f"--{BOUNDARY}\r\n".encode() + "\r\n".join(lines).encode() + b"\r\n\r\n" + payload + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()
TOKEN = part('name="token"', b"abc")
FILE = part('name="file"; filename="a.txt"', b"content", "Content-Type: text/plain")


def parse(body: bytes, sizes: list[int] | None = None, length: int | None = None, **limits: int) -> list[Any]:
    """Fields as (name, value), files as (name, filename, type, content)."""
    stream = cast("IO[bytes]", Trickle(body, sizes or []))
    given = LIMITS | limits
    parsed: list[Any] = []
    for found in read_form_then_file(stream, TYPE, len(body) if length is None else length, **given):
        if isinstance(found, FieldPart):
            parsed.append((found.name, found.value))
        else:
            parsed.append((found.name, found.filename, found.content_type, b"".join(found.blocks)))
    return parsed
