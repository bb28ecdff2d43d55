"""Looks through a whole file before it is kept: `inspect`. What needs a reader of its own kind goes to the locked process.

Zip packages and containers are read here under caps; pictures and PDF, whose readers are large libraries in C, only there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from hub.inspection.containers import inspect_container
from hub.inspection.errors import Refused
from hub.inspection.office import MAIN_TYPES, ODF_TYPES, inspect_office
from hub.rendering.jobs import FORMATS, Job, Unreadable
from hub.rendering.running import render

# pictures and PDF are read as a whole by the locked process
MAX_READ_WHOLE = 256 * 1024 * 1024
BLOCK = 256 * 1024
# a zip's list ends with this, and at most so far from the end of the file
_ZIP_END, _ZIP_TAIL = b"PK\x05\x06", 65_557
_PDF_TAIL = 2048
TEXTS = ("txt", "csv")


def inspect(extension: str, reader: BinaryIO) -> None:
    """Returns where the file is what `extension` says and holds nothing that acts; raises `Refused`.

    `reader` is read at random, and again from the start. `Unavailable` where the locked process can't be had now.
    """
    if extension in MAIN_TYPES or extension in ODF_TYPES:
        inspect_office(extension, reader)
        return
    if extension in TEXTS:  # watched as it streamed past
        return
    size = reader.seek(0, 2)
    tail = _tail(reader, size, _ZIP_TAIL)
    _refuse_zip(tail)
    if extension in FORMATS or extension == "pdf":
        _check_end(extension, reader, size, tail)
        _look_through(extension, reader, size)
    else:
        inspect_container(extension, reader)


def _tail(reader: BinaryIO, size: int, length: int) -> bytes:
    reader.seek(max(0, size - length))
    return reader.read(length)


def _refuse_zip(tail: bytes) -> None:
    """No zip's end, whose comment would reach to the end of the file or nearly so."""
    at = tail.rfind(_ZIP_END)
    while at >= 0:
        if len(tail) - at >= 22:
            comment = int.from_bytes(tail[at + 20 : at + 22], "little")
            if at + 22 + comment <= len(tail):
                raise Refused("file_two_kinds")
        at = tail.rfind(_ZIP_END, 0, at)


def _check_end(extension: str, reader: BinaryIO, size: int, tail: bytes) -> None:
    """The file begins and ends as its kind does, with nothing before or behind."""
    reader.seek(0)
    head = reader.read(16)
    if extension == "pdf":
        ends = tail[-_PDF_TAIL:].rstrip(b"\0\r\n\t\x20\x1a").endswith(b"%%EOF")
        if not head.startswith(b"%PDF-") or not ends:
            raise Refused("file_two_kinds" if b"%%EOF" in tail else "pdf_broken")
    elif extension == "png" and b"IEND\xaeB`\x82" not in tail[-12:]:
        raise Refused("file_two_kinds" if b"IEND\xaeB`\x82" in tail else "picture_broken")
    elif extension == "webp" and int.from_bytes(head[4:8], "little") + 8 not in (size, size + 1):
        raise Refused("file_two_kinds")


def _look_through(extension: str, reader: BinaryIO, size: int) -> None:
    if size > MAX_READ_WHOLE:
        raise Refused("file_unchecked")
    try:
        render(Job(extension), _blocks(reader))
    except Unreadable as error:
        raise Refused(error.code) from error


def _blocks(reader: BinaryIO) -> Iterator[bytes]:
    reader.seek(0)
    while block := reader.read(BLOCK):
        yield block
