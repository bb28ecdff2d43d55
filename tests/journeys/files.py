"""What people attach: two papers as text, a picture, a document and a spreadsheet, each a true file of its kind."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

# Where two real papers may lie; elsewhere two of the same shape are made.
PAPERS = Path(__file__).resolve().parents[3] / "shared" / "papers"
MADE_PAPERS = {"scrutiny-report.txt": 64_550, "working-together-agenda.txt": 20_768}


@dataclass(frozen=True)
class Paper:
    """A file to attach: its name, the kind as the page calls it, its bytes."""

    name: str
    kind: str
    content: bytes


def papers() -> list[Paper]:
    found = sorted(PAPERS.glob("*.txt"))
    if len(found) >= 2:
        return [Paper(one.name, "Minutes", one.read_bytes()) for one in found[:2]]
    return [Paper(name, "Minutes", _long_text(size)) for name, size in MADE_PAPERS.items()]


def photo() -> Paper:
    """A picture of 64 by 64 points that no two of are alike."""
    rows = b"".join(b"\x00" + os.urandom(64 * 3) for _ in range(64))
    head = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    content = b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in chunks)
    return Paper("Bandstand, 14 März 🛴.png", "Photo", content)


def document() -> Paper:
    """A page of PDF with one line on it."""
    text = b"BT /F1 18 Tf 40 760 Td (Notice of the residents' meeting) Tj ET"
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    content, places = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
    for number, body in enumerate(bodies, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    content += (
        b"xref\n0 6\n0000000000 65535 f \n%strailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (
            table,
            len(content),
        )
    )
    return Paper("notice.pdf", "Notice", content)


def spreadsheet() -> Paper:
    """A workbook of one sheet, as Excel writes its parts."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kinds}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kinds}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1"'
        f' Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="Sightings" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1"'
        f' Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData><row r="1"><c r="A1" t="inlineStr">'
        "<is><t>Seen at 10:40pm</t></is></c></row></sheetData></worksheet>",
    }
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as book:
        for name, text in parts.items():
            book.writestr(name, f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{text}')
    return Paper("sightings.xlsx", "Report", held.getvalue())


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _long_text(size: int) -> bytes:
    line = "Item: neighbourhood update – night-time economy, serious violence, “any other business”.\r\n".encode()
    return (line * (size // len(line) + 1))[:size].decode(errors="ignore").encode()
