"""XML read as it streams: its elements one by one, without entities, and nothing of it kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from xml.parsers import expat

from hub.inspection.errors import Refused

Seen = Callable[[str, dict[str, str]], None]
Heard = Callable[[str, str], None]
MAX_DEPTH = 1000


def read_elements(blocks: Iterable[bytes], seen: Seen, heard: Heard | None = None) -> None:
    """Calls `seen` with each element's name, without its prefix, and its attributes. `Refused` where it is not XML.

    `heard` gets each piece of text with the name of the element that it stands in.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    within: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        within.append(name.rpartition(" ")[2])
        if len(within) > MAX_DEPTH:
            raise Refused("file_broken")
        seen(within[-1], {key.rpartition(" ")[2]: value for key, value in attributes.items()})

    def end(_: str) -> None:
        within.pop()

    def text(piece: str) -> None:
        if heard is not None:
            heard(within[-1], piece)

    def refuse(*_: object) -> None:
        raise Refused("file_broken")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    if heard is not None:
        parser.buffer_text = True
        parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse
    try:
        for block in blocks:
            parser.Parse(block, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise Refused("file_broken") from error
