"""Tables as files that people open in a spreadsheet: no cell is ever taken for a formula (SECURITY W6)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from werkzeug.wrappers import Response

# what a spreadsheet reads as the start of a formula or of a command, in their full-width forms as well
_LEADS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def safe_cell(value: object) -> str:
    """The text, behind an apostrophe where it would be taken for a formula."""
    text = str(value)
    return f"'{text}" if text.startswith(_LEADS) else text


def as_csv(name: str, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A download in UTF-8 with its mark, which spreadsheets need to read it as such."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([safe_cell(heading) for heading in headings])
    writer.writerows([safe_cell(value) for value in row] for row in rows)
    response = Response(file.getvalue().encode("utf-8-sig"), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
