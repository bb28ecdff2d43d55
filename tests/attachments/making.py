"""Files of every kind that is taken, made here as the programs write them: the ground on which hostile ones are built."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence

from PIL import Image

OPEN_XML = "application/vnd.openxmlformats-officedocument"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAINS = {
    "docx": ("word/document.xml", f"{OPEN_XML}.wordprocessingml.document.main+xml"),
    "xlsx": ("xl/workbook.xml", f"{OPEN_XML}.spreadsheetml.sheet.main+xml"),
    "pptx": ("ppt/presentation.xml", f"{OPEN_XML}.presentationml.presentation.main+xml"),
}
ODF = {
    kind: f"application/vnd.oasis.opendocument.{word}"
    for kind, word in (("odt", "text"), ("ods", "spreadsheet"), ("odp", "presentation"))
}
Part = tuple[str | zipfile.ZipInfo, bytes]


def packed(parts: Sequence[Part], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as package:
        for name, content in parts:
            package.writestr(name, content)
    return held.getvalue()


def relationship(kind: str, target: str, *, external: bool = False, number: int = 9) -> bytes:
    mode = ' TargetMode="External"' if external else ""
    return f'<Relationship Id="r{number}" Type="{RELATED}/{kind}" Target="{target}"{mode}/>'.encode()


def relationships(*rows: bytes) -> bytes:
    return f'<Relationships xmlns="{PACKAGE}/relationships">'.encode() + b"".join(rows) + b"</Relationships>"


def office_parts(
    kind: str, *more: Part, types: str = "", main_type: str = "", rows: bytes = b""
) -> list[Part]:
    """The parts of the smallest document of its kind; `rows` are relationships of its main part."""
    main, known = MAINS[kind]
    folder, _, file = main.rpartition("/")
    listed = (
        f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/{main}" ContentType="{main_type or known}"/>{types}</Types>'
    )
    return [
        ("[Content_Types].xml", listed.encode()),
        ("_rels/.rels", relationships(relationship("officeDocument", main))),
        (main, b"<a>" + b"<b>text</b>" * 200 + b"</a>"),
        (f"{folder}/_rels/{file}.rels", relationships(rows)),
        *more,
    ]


def office(kind: str, *more: Part, types: str = "", main_type: str = "", rows: bytes = b"") -> bytes:
    return packed(office_parts(kind, *more, types=types, main_type=main_type, rows=rows))


def odf(
    kind: str, *more: Part, content: bytes = b"<office:a xmlns:office='urn:o'/>", manifest: str = ""
) -> bytes:
    first = zipfile.ZipInfo("mimetype")
    first.compress_type = zipfile.ZIP_STORED
    listed = (
        f"<m:manifest xmlns:m='urn:oasis:names:tc:opendocument:xmlns:manifest:1.0'>{manifest}</m:manifest>"
    )
    return packed(
        [
            (first, ODF[kind].encode()),
            ("content.xml", content),
            ("META-INF/manifest.xml", listed.encode()),
            *more,
        ]
    )


def picture(kind: str = "PNG", size: tuple[int, int] = (64, 64), **saved: object) -> bytes:
    held = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(held, kind, **saved)
    return held.getvalue()


def heic() -> bytes:
    import pillow_heif

    return _saved(pillow_heif.from_pillow(Image.new("RGB", (64, 64), "green")))


def _saved(heif: object) -> bytes:
    held = io.BytesIO()
    heif.save(held)  # type: ignore[attr-defined]
    return held.getvalue()


def photograph() -> bytes:
    """As a phone takes it: lying on its side, with the place, the camera and its owner written in it."""
    taken = Image.new("RGB", (320, 200), "navy")
    taken.paste("yellow", (0, 0, 40, 200))
    about = Image.Exif()
    about[0x0112] = 6  # turn by 90 degrees
    about[0x010F] = "Canary Phones"
    about[0x013B] = "Amara Okafor, Mill Lane 4"
    about.get_ifd(0x8825).update({1: "N", 2: (51.0, 30.0, 12.0), 3: "W", 4: (0.0, 7.0, 39.0)})
    held = io.BytesIO()
    taken.save(held, "JPEG", exif=about, comment=b"canary comment", quality=90)
    return held.getvalue()


def png_of(width: int, height: int, rows: bytes) -> bytes:
    """A PNG that says it is so large, whatever its data."""
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def pdf(*more: bytes, catalog: bytes = b"", page: bytes = b"", pages: int = 1, trailer: bytes = b"") -> bytes:
    """Pages with a line of text each. `more` are further objects, from number 10 on."""
    text = b"BT /F1 18 Tf 40 760 Td (Notice of the residents' meeting) Tj ET"
    kids = b" ".join(b"%d 0 R" % (100 + number) for number in range(pages))
    bodies = {
        1: b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalog,
        2: b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, pages),
        3: b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        4: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        **dict(enumerate(more, 10)),
    }
    for number in range(pages):
        bodies[100 + number] = (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 3 0 R"
            b" /Resources << /Font << /F1 4 0 R >> >> %s >>" % page
        )
    content = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
    table = b"xref\n"
    for number, body in bodies.items():
        table += b"%d 1\n%010d 00000 n \n" % (number, len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    ends = b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n"
    return content + table + ends % (max(bodies) + 1, trailer, len(content))


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + name + content


def mp4(*more: bytes, brand: bytes = b"isom") -> bytes:
    return (
        box(b"ftyp", brand + b"\0\0\2\0" + brand)
        + box(b"moov", bytes(64))
        + box(b"mdat", bytes(256))
        + b"".join(more)
    )


def wav() -> bytes:
    sound = (
        b"fmt "
        + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
        + b"data"
        + struct.pack("<I", 800)
        + bytes(800)
    )
    return b"RIFF" + struct.pack("<I", 4 + len(sound)) + b"WAVE" + sound


def ogg() -> bytes:
    page = b"OggS\0\2" + bytes(20) + b"\x01\x1e" + b"\x01vorbis" + bytes(23)
    return page + b"OggS\0\4" + bytes(20) + b"\x01\x05" + b"sound"


def webm() -> bytes:
    head = b"\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm\x42\x87\x81\x04"
    return b"\x1aE\xdf\xa3" + bytes([0x80 | len(head)]) + head + b"\x18\x53\x80\x67\x88" + bytes(8)


def mp3() -> bytes:
    return b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + (b"\xff\xfb\x90\x64" + bytes(413)) * 3


ORDINARY: dict[str, bytes] = {
    "notice.pdf": pdf(pages=3),
    "photo.jpg": photograph(),
    "photo.jpeg": picture("JPEG"),
    "plan.png": picture(),
    "plan.gif": picture("GIF"),
    "plan.webp": picture("WEBP"),
    "scan.tif": picture("TIFF"),
    "scan.tiff": picture("TIFF", compression="tiff_lzw"),
    "photo.heic": heic(),
    "call.mp3": mp3(),
    "call.m4a": mp4(brand=b"M4A "),
    "call.wav": wav(),
    "call.ogg": ogg(),
    "door.mp4": mp4(),
    "door.mov": mp4(brand=b"qt  "),
    "door.webm": webm(),
    "notes.txt": "Zażółć gęślą jaźń – “quoted”\n".encode() * 50,
    "old.txt": "Café, £5\r\n".encode("cp1252") * 50,
    "wide.txt": "Words\r\n".encode("utf-16"),
    "rows.csv": b"date,minutes\n2026-11-01,40\n",
    **{f"letter.{kind}": office(kind) for kind in MAINS},
    **{f"letter.{kind}": odf(kind) for kind in ODF},
}
