"""Tables as files that people open in a spreadsheet: no cell is ever taken for a formula (SECURITY W6)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from flask import stream_with_context
from werkzeug.wrappers import Response
from xlsxwriter import Workbook

# what a spreadsheet reads as the start of a formula or of a command, in their full-width forms as well
_LEADS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_IN_CELL = 32_767
_CHUNK = 64 * 1024
_CUT = " … (cut here; the CSV has it whole)"
# of the 255 that the head of a page may have, as many as leave room for a date and for pairs of surrogates
_MOST_IN_HEAD = 110
_PAPER_A4 = 9


def safe_cell(value: object) -> str:
    """The text, behind an apostrophe where it would be taken for a formula."""
    text = str(value)
    return f"'{text}" if text.startswith(_LEADS) else text


def as_csv(name: str, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A download in UTF-8 with its mark, which spreadsheets need to read it as such. Rows are asked for as they are sent."""
    chunks = stream_with_context(_csv_chunks(chain([headings], rows)))
    response = Response(chunks, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _csv_chunks(rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    file.write("\ufeff")
    for row in rows:
        writer.writerow([safe_cell(value) for value in row])
        if file.tell() >= _CHUNK:
            yield file.getvalue().encode()
            file.seek(0)
            file.truncate()
    yield file.getvalue().encode()


@dataclass(frozen=True)
class Sheet:
    """A table for a workbook: what stands above it, its columns, and what stands on every page of a print."""

    title: str
    above: Sequence[tuple[str, str]]
    headings: Sequence[str]
    # its left and its right
    head: tuple[str, str]
    foot: str


def as_xlsx(name: str, sheet: Sheet, rows: Iterable[Sequence[object]]) -> Response:
    """A download as a workbook of one sheet. Every cell is text, whatever it looks like."""
    file = io.BytesIO()
    # in memory, although its own way of needing little is a temporary file: nothing of the log may lie there in the clear
    book = Workbook(
        file,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
        },
    )
    text = book.add_format({"num_format": "@"})
    bold = book.add_format({"num_format": "@", "bold": True})
    page = book.add_worksheet(sheet.title)
    headed = len(sheet.above) + 1
    for number, row in enumerate(chain(sheet.above, [()], [sheet.headings], rows)):
        for column, value in enumerate(row):
            page.write_string(number, column, _text_cell(value), bold if number == headed else text)
    page.set_column(0, len(sheet.headings) - 1, 24)
    page.set_landscape()
    page.set_paper(_PAPER_A4)
    page.fit_to_pages(1, 0)
    page.repeat_rows(headed)
    page.set_header(f"&L{_in_head(sheet.head[0])}&R{_in_head(sheet.head[1])}")
    page.set_footer(f"&L{_in_head(sheet.foot)}&RPage &P of &N")
    book.close()
    response = Response(file.getvalue(), content_type=_XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _text_cell(value: object) -> str:
    text = safe_cell(value)
    if text.startswith("<r>"):
        # the library takes a text between these marks for its own, and puts it into the file as it is
        text = f"'{text}"
    return text if len(text) <= MOST_IN_CELL else text[: MOST_IN_CELL - len(_CUT)] + _CUT


def _in_head(text: str) -> str:
    """For the head or foot of a page, where an ampersand begins a command."""
    return text[:_MOST_IN_HEAD].replace("&", "\uff06")
