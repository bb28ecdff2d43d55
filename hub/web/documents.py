"""Tables on paper: a tagged PDF (PDF/UA-1) with its marking, its reader and the time on every page. Made in memory alone."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import typst
from werkzeug.wrappers import Response

from hub.core import clock

# of a run that is no word so many characters stay together
PIECE = 8
LONGEST_WORD = 20
# what the fonts inside the library can draw: PDF/UA refuses a page with a letter that nobody would see
_DRAWN = (
    (0x20, 0x7F), (0xA0, 0x250), (0x370, 0x500), (0x1E00, 0x1F00), (0x2010, 0x2028), (0x2030, 0x2041), (0x20A0, 0x20C0),
)  # fmt: skip
_NEVER = frozenset({"Cn", "Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_LAYOUT = Path(__file__).with_name("paper.typ").read_bytes()


@dataclass(frozen=True)
class Paper:
    """A table on paper: what stands above it, its columns and their share of the width, and who took it when."""

    title: str
    marking: str
    reader: str
    taken_at: datetime
    above: Sequence[tuple[str, str]]
    headings: Sequence[str]
    widths: Sequence[int]


def printable(text: object) -> str:
    """The text with what can't be drawn as its number: nothing is left out in silence."""
    return "".join(one if _is_drawn(one) else f"[U+{ord(one):04X}]" for one in str(text))


def _is_drawn(one: str) -> bool:
    known = any(first <= ord(one) < end for first, end in _DRAWN)
    return one == "\n" or (known and unicodedata.category(one) not in _NEVER)


def _breakable(text: str) -> str:
    """Fingerprints, names and other long runs may break anywhere (zero-width spaces); words are hyphenated."""
    return " ".join("\u200b".join(_pieces(word)) for word in text.split(" "))


def _pieces(word: str) -> list[str]:
    if len(word) <= PIECE or (word.isalpha() and len(word) <= LONGEST_WORD):
        return [word]
    return [word[at : at + PIECE] for at in range(0, len(word), PIECE)]


def pdf_of(paper: Paper, rows: Iterable[Sequence[object]]) -> bytes:
    """The bytes of the PDF. What stands in the cells is text, never markup."""
    taken = paper.taken_at.astimezone(clock.LONDON)
    told = {
        "title": printable(paper.title),
        "marking": printable(paper.marking),
        "reader": printable(paper.reader),
        "taken": f"Taken on {taken:%d %B %Y at %H:%M}",
        "above": [[printable(label), printable(value)] for label, value in paper.above],
        "headings": [printable(one) for one in paper.headings],
        "widths": list(paper.widths),
        "rows": [[_breakable(printable(value)) for value in row] for row in rows],
    }
    made: bytes = typst.compile(
        _LAYOUT,
        sys_inputs={"told": json.dumps(told)},
        ignore_system_fonts=True,
        pdf_standards=["ua-1"],
        timestamp=paper.taken_at.replace(microsecond=0),
    )
    return made


def as_pdf(name: str, paper: Paper, rows: Iterable[Sequence[object]]) -> Response:
    """A download."""
    response = Response(pdf_of(paper, rows), content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
