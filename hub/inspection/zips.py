"""Zip packages: the list of their parts held against what really lies there, under caps, before anything is unpacked."""

from __future__ import annotations

import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from hub.inspection.errors import Refused

MAX_ENTRIES = 10_000
MAX_DIRECTORY = 8 * 1024 * 1024
MAX_UNPACKED = 1024 * 1024 * 1024
MAX_RATIO = 100
# what is smaller unpacked may be packed as well as it likes
RATIO_FROM = 1024 * 1024
BLOCK = 128 * 1024
_END = struct.Struct("<4s4H2LH")
_LOCAL = struct.Struct("<4s5H3L2H")
# what may stand behind a part's data when its size was not known beforehand
_DESCRIPTOR = 24
_LOCKED, _SIZE_BEHIND = 0x2041, 0x0008
_BAD_NAME = re.compile(r"(^|/)\.\.?(/|$)|^/|//|\\|:|[\x00-\x1f\x7f]|^$")


def read_parts(reader: BinaryIO) -> list[zipfile.ZipInfo]:
    """The parts in the order in which they lie. `Refused` where list and file disagree, or the caps are passed."""
    size = reader.seek(0, 2)
    directory_at = _check_end(reader, size)
    reader.seek(0)
    try:
        with zipfile.ZipFile(reader) as package:
            parts = sorted(package.infolist(), key=lambda part: part.header_offset)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
        raise Refused("file_broken") from error
    _check_list(parts)
    _check_places(reader, parts, directory_at)
    return parts


def unpacked(reader: BinaryIO, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """A part's content in blocks. It stops at the first byte more than was declared; `Refused` where it is another."""
    reader.seek(part.header_offset)
    local = _LOCAL.unpack(_exactly(reader, _LOCAL.size))
    reader.seek(local[9] + local[10], 1)
    raw = part.compress_type == zipfile.ZIP_STORED
    unpacker = None if raw else zlib.decompressobj(-zlib.MAX_WBITS)
    left, seen, crc = part.compress_size, 0, 0
    while left > 0:
        packed = _exactly(reader, min(BLOCK, left))
        left -= len(packed)
        for block in (packed,) if unpacker is None else _inflated(unpacker, packed):
            seen += len(block)
            if seen > part.file_size:
                raise Refused("zip_bomb")
            crc = zlib.crc32(block, crc)
            yield block
    ended = unpacker is None or (unpacker.eof and not unpacker.unused_data)
    if not ended or seen != part.file_size or crc != part.CRC:
        raise Refused("file_broken")


def _inflated(unpacker: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
    while True:
        try:
            block = unpacker.decompress(packed, BLOCK)
        except zlib.error as error:
            raise Refused("file_broken") from error
        if block:
            yield block
        packed = unpacker.unconsumed_tail
        if not packed and len(block) < BLOCK:
            return


def _check_end(reader: BinaryIO, size: int) -> int:
    """Where the list begins: it ends the file, with nothing behind it, and says how long it is."""
    if size < _END.size:
        raise Refused("file_broken")
    reader.seek(size - _END.size)
    mark, disk, first_disk, here, entries, length, begins, comment = _END.unpack(_exactly(reader, _END.size))
    if mark != b"PK\x05\x06" or comment:
        raise Refused("file_two_kinds")
    if entries > MAX_ENTRIES or length > MAX_DIRECTORY:
        raise Refused("zip_entries")
    if disk or first_disk or here != entries or not entries or begins + length != size - _END.size:
        raise Refused("zip_layout")
    return int(begins)


def _check_list(parts: list[zipfile.ZipInfo]) -> None:
    if len(parts) > MAX_ENTRIES:
        raise Refused("zip_entries")
    if sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise Refused("zip_bomb")
    names = {part.orig_filename.casefold() for part in parts}
    if len(names) != len(parts) or any(_BAD_NAME.search(part.orig_filename) for part in parts):
        raise Refused("zip_path")
    for part in parts:
        if part.flag_bits & _LOCKED:
            raise Refused("file_locked")
        if stat.S_IFMT(part.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise Refused("zip_link")
        if part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Refused("zip_layout")
        if part.file_size > RATIO_FROM and part.file_size > MAX_RATIO * max(1, part.compress_size):
            raise Refused("zip_bomb")


def _check_places(reader: BinaryIO, parts: list[zipfile.ZipInfo], directory_at: int) -> None:
    """Each part begins where the one before it ends, from the first byte to the list, and says the same of itself."""
    ends = 0
    gap = 0
    for part in parts:
        if not ends <= part.header_offset <= ends + gap:
            raise Refused("file_two_kinds" if part is parts[0] else "zip_layout")
        reader.seek(part.header_offset)
        mark, _, flags, method, _, _, crc, packed, whole, name, extra = _LOCAL.unpack(
            _exactly(reader, _LOCAL.size)
        )
        told = (crc, packed, whole) == (part.CRC, part.compress_size, part.file_size)
        behind = bool(flags & _SIZE_BEHIND)
        if mark != b"PK\x03\x04" or method != part.compress_type or flags & _LOCKED or not (told or behind):
            raise Refused("zip_layout")
        if _exactly(reader, name) != part.orig_filename.encode("utf-8" if flags & 0x800 else "cp437"):
            raise Refused("zip_layout")
        ends = part.header_offset + _LOCAL.size + name + extra + part.compress_size
        gap = _DESCRIPTOR if behind else 0
    if not ends <= directory_at <= ends + gap:
        raise Refused("zip_layout")


def _exactly(reader: BinaryIO, length: int) -> bytes:
    found = reader.read(length)
    if len(found) != length:
        raise Refused("file_broken")
    return found
