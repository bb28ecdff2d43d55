"""Text that is text to its last byte: watched while it streams past."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator

from hub.inspection.errors import Refused

# tabs, line ends, form feeds and escapes of old printers are what text has of them
_CONTROLS = bytes([*range(0x09), 0x0B, *range(0x0E, 0x1B), *range(0x1C, 0x20)])
_WIDE_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\ufffe\uffff]")


def watched(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same blocks. `Refused` at the first that holds what text does not have."""
    decoder: codecs.IncrementalDecoder | None = None
    begun = False
    for block in blocks:
        if not begun and block:
            begun = True
            if block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                decoder = codecs.getincrementaldecoder("utf-16")()
        if _narrow(block) if decoder is None else _wide(decoder, block):
            raise Refused("text_controls")
        yield block
    if decoder is not None and _wide(decoder, b"", last=True):
        raise Refused("text_controls")


def _narrow(block: bytes) -> bool:
    # taking them out and looking at the length: nine times as fast as searching for them
    return len(block.translate(None, _CONTROLS)) != len(block)


def _wide(decoder: codecs.IncrementalDecoder, block: bytes, *, last: bool = False) -> bool:
    try:
        return _WIDE_CONTROLS.search(decoder.decode(block, last)) is not None
    except UnicodeDecodeError:
        return True
