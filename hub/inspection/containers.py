"""Sound and video: the container is built as its name says. What is coded in it nobody here decodes."""

from __future__ import annotations

import re
from typing import BinaryIO

from hub.inspection.errors import Refused

MAX_BOXES = 100_000
_BOX_NAME = re.compile(rb"[\x20-\x7e\xa9]{4}")
_SEARCHED = 64 * 1024


def inspect_container(extension: str, reader: BinaryIO) -> None:
    """`Refused` unless the container holds together."""
    sound = {
        "mp4": _boxes,
        "m4a": _boxes,
        "mov": _boxes,
        "wav": _wave,
        "ogg": _ogg,
        "webm": _webm,
        "mp3": _mpeg,
    }[extension](reader)
    if not sound:
        raise Refused("file_broken")


def _boxes(reader: BinaryIO) -> bool:
    """Boxes from end to end, the first saying what the file is, and one of them the list of its tracks."""
    size, at = reader.seek(0, 2), 0
    names: list[bytes] = []
    while at < size and len(names) < MAX_BOXES:
        reader.seek(at)
        head = reader.read(16)
        length, name = int.from_bytes(head[:4]), head[4:8]
        if length == 1:
            length = int.from_bytes(head[8:16])
        elif length == 0:
            length = size - at
        if length < 8 or not _BOX_NAME.fullmatch(name) or at + length > size:
            return False
        names.append(name)
        at += length
    return at == size and names[:1] == [b"ftyp"] and b"moov" in names


def _wave(reader: BinaryIO) -> bool:
    reader.seek(0)
    head = reader.read(_SEARCHED)
    return head.startswith(b"RIFF") and head[8:12] == b"WAVE" and b"fmt " in head


def _ogg(reader: BinaryIO) -> bool:
    """The first page, and another or the end right behind it."""
    reader.seek(0)
    head = reader.read(_SEARCHED)
    if head[:5] != b"OggS\0" or len(head) < 28:
        return False
    behind = 27 + head[26] + sum(head[27 : 27 + head[26]])
    return head[behind : behind + 4] in (b"OggS", b"")


def _webm(reader: BinaryIO) -> bool:
    reader.seek(0)
    head = reader.read(_SEARCHED)
    return head.startswith(b"\x1aE\xdf\xa3") and b"\x42\x82\x84webm" in head[:128]


def _mpeg(reader: BinaryIO) -> bool:
    """A frame's mark at the beginning, or behind the titles that many programs write before it."""
    reader.seek(0)
    head = reader.read(10)
    if head.startswith(b"ID3") and len(head) == 10:
        length = 0
        for byte in head[6:]:
            length = length << 7 | byte & 0x7F
        reader.seek(10 + length)
        head = reader.read(_SEARCHED).lstrip(b"\0")[:4]
    return len(head) >= 4 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 0x06 != 0
