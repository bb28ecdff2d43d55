"""Asks clamd two questions whose right answer is known, because it tells nobody how it is set up.

An archive whose one member unpacks to more than clamd can scan under any setting: where it says `OK`, it passes over what is
beyond its limits (`AlertExceedsMax no`), or cuts a member at MaxFileSize and scans the beginning only, which it does in silence
where MaxScanSize is larger (seen with 1.4.6). And an archive under a password, for `AlertEncrypted`.
"""

from __future__ import annotations

import functools
import struct
import zlib
from collections.abc import Iterable, Iterator
from threading import Event

from hub.scanner.clamd import NoVerdict, Outcome, Scanner

# 2 GiB and more, of which two megabytes are sent: a piece, deflated once, as many times over
PIECE = 64 * 1024 * 1024
PIECES = 33
_DEFLATED, _STORED, _ENCRYPTED = 8, 0, 1
_PASSWORD_HEADER = bytes(12)


def check_setup(scanner: Scanner, stop: Event) -> None:
    """`NoVerdict` unless clamd tells what it could not scan, and so may be trusted when it says that a file is clean."""
    for blocks, reason in ((_endless(), "limits"), (_locked(), "encrypted")):
        verdict = scanner.scan(blocks, stop)
        if (verdict.outcome, verdict.finding) != (Outcome.UNSCANNABLE, reason):
            raise NoVerdict("misconfigured")


def _endless() -> Iterator[bytes]:
    piece, end = _deflated_piece()
    return _archive(
        (piece,) * PIECES + (end,), PIECES * len(piece) + len(end), PIECES * PIECE, method=_DEFLATED
    )


def _locked() -> Iterator[bytes]:
    return _archive(
        (_PASSWORD_HEADER,), len(_PASSWORD_HEADER), len(_PASSWORD_HEADER), method=_STORED, flags=_ENCRYPTED
    )


@functools.cache
def _deflated_piece() -> tuple[bytes, bytes]:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    nothing = bytes(1024 * 1024)
    piece = b"".join(packer.compress(nothing) for _ in range(PIECE // len(nothing)))
    # a full flush: what follows does not look back, so the piece may be repeated
    return piece + packer.flush(zlib.Z_FULL_FLUSH), packer.flush()


def _archive(
    parts: Iterable[bytes], packed: int, unpacked: int, *, method: int, flags: int = 0
) -> Iterator[bytes]:
    """A zip of one member named `a`."""
    facts = struct.pack("<HHHHIIIHH", flags, method, 0, 0x21, 0, packed, unpacked, 1, 0)
    yield struct.pack("<4sH", b"PK\3\4", 20) + facts + b"a"
    yield from parts
    entry = struct.pack("<4sHH", b"PK\1\2", 20, 20) + facts + bytes(14) + b"a"
    yield entry
    yield struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 1, 1, len(entry), 31 + packed, 0)
