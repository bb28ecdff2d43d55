"""Tables on paper: a tagged PDF (PDF/UA-1) with its marking, its reader and the time on every page. Made in memory alone."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import typst
from werkzeug.wrappers import Response

from hub.core import clock

# what the fonts inside the library can draw: PDF/UA refuses a page with a letter that nobody would see
_DRAWN = (
    (0x20, 0x7F), (0xA0, 0x250), (0x370, 0x500), (0x1E00, 0x1F00), (0x2010, 0x2028), (0x2030, 0x2041), (0x20A0, 0x20C0),
)  # fmt: skip
_NEVER = frozenset({"Cn", "Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_LAYOUT = """
#let told = json(bytes(sys.inputs.told))
#set document(title: told.title, author: told.reader)
#set text(lang: "en", region: "GB", size: 7.5pt, hyphenate: false)
#set par(linebreaks: "simple")
#set page(
  paper: "a4", flipped: true, margin: (x: 1.2cm, top: 1.9cm, bottom: 1.6cm),
  header: [#strong(told.marking) #h(1fr) #told.reader],
  footer: context [#told.taken #h(1fr) Page #counter(page).display() of #counter(page).final().first()],
)
= #told.title
#for line in told.above [#line.at(0): #line.at(1) #linebreak()]
#table(
  columns: told.widths.map(one => one * 1fr), stroke: 0.5pt + luma(150), inset: 3pt, align: left,
  table.header(..told.headings.map(one => strong(one))),
  ..told.rows.flatten().map(one => [#one]),
)
"""


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
    """Long unbroken runs, such as fingerprints, may break anywhere (zero-width spaces)."""
    words = text.split(" ")
    return " ".join("\u200b".join(word[at : at + 8] for at in range(0, len(word), 8)) for word in words)


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
        _LAYOUT.encode(),
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
