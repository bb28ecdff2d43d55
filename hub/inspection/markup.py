"""XML read as it streams: its elements one by one, without entities, and nothing of it kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from xml.parsers import expat

from hub.inspection.errors import Refused

Seen = Callable[[str, dict[str, str]], None]


def read_elements(blocks: Iterable[bytes], seen: Seen) -> None:
    """Calls `seen` with each element's name, without its prefix, and its attributes. `Refused` where it is not XML."""
    parser = expat.ParserCreate(namespace_separator=" ")

    def start(name: str, attributes: dict[str, str]) -> None:
        seen(name.rpartition(" ")[2], {key.rpartition(" ")[2]: value for key, value in attributes.items()})

    def refuse(*_: object) -> None:
        raise Refused("file_broken")

    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = refuse
    try:
        for block in blocks:
            parser.Parse(block, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise Refused("file_broken") from error
