"""Looks through a PDF and draws its pages. What acts, holds other files or is locked is not taken."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

import pypdfium2 as pdfium
from PIL import Image
from pypdfium2 import raw

from hub.rendering.jobs import Unreadable

# unpacked of all object streams together
MAX_UNPACKED = 128 * 1024 * 1024
_BEFORE_STREAM = 2048


def _name(word: str) -> bytes:
    """A pattern of a PDF name in any of its spellings: each letter may be written as # and its number."""
    letters = "".join(f"(?:{letter}|#{ord(letter):02x}|#{ord(letter):02X})" for letter in word)
    return rf"/{letters}(?![A-Za-z0-9_#.-])".encode()


_REFUSED = {
    "pdf_script": re.compile(_name("JavaScript")),
    "pdf_launch": re.compile(b"|".join(_name(word) for word in ("Launch", "ImportData", "SubmitForm"))),
    "pdf_form": re.compile(_name("XFA")),
    "pdf_embedded": re.compile(
        b"|".join(_name(word) for word in ("EmbeddedFile", "EmbeddedFiles", "RichMedia", "GoToE"))
    ),
}
_OBJECT_STREAM = re.compile(_name("ObjStm"))
_FLATE = re.compile(_name("FlateDecode"))
_FILTER = re.compile(_name("Filter"))
_STREAM = re.compile(rb"(?<!end)stream\r?\n")


def look_through(content: bytes) -> int:
    """The number of pages. `Unreadable` unless it opens, is not locked, and holds nothing that acts."""
    document = _opened(content)
    for text in (content, *_object_streams(content)):
        for code, pattern in _REFUSED.items():
            if pattern.search(text):
                raise Unreadable(code)
    if raw.FPDFDoc_GetJavaScriptActionCount(document) > 0:
        raise Unreadable("pdf_script")
    if raw.FPDFDoc_GetAttachmentCount(document) > 0:
        raise Unreadable("pdf_embedded")
    if raw.FPDF_GetFormType(document) in (raw.FORMTYPE_XFA_FULL, raw.FORMTYPE_XFA_FOREGROUND):
        raise Unreadable("pdf_form")
    if len(document) < 1:
        raise Unreadable("pdf_broken")
    return len(document)


def drawn(content: bytes, number: int, longest: int) -> tuple[Image.Image, int]:
    """A page on white and how many there are, with what was filled in. `Unreadable` where there is no such page."""
    document = _opened(content)
    if not 1 <= number <= len(document):
        raise Unreadable("no_page")
    document.init_forms()
    try:
        page = document[number - 1]
        side = max(page.get_size())
        if not 1 <= side <= 20_000:
            raise Unreadable("pdf_broken")
        picture = page.render(scale=longest / side).to_pil().convert("RGB")
    except (pdfium.PdfiumError, ValueError) as error:
        raise Unreadable("pdf_broken") from error
    return picture, len(document)


def _opened(content: bytes) -> pdfium.PdfDocument:
    try:
        return pdfium.PdfDocument(content)
    except pdfium.PdfiumError as error:
        locked = getattr(error, "err_code", None) in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY)
        raise Unreadable("pdf_locked" if locked else "pdf_broken") from error


def _object_streams(content: bytes) -> Iterator[bytes]:
    """The objects that a PDF keeps compressed. One compressed in a way that we don't read is a reason to refuse."""
    left = MAX_UNPACKED
    for found in _STREAM.finditer(content):
        head = content[max(0, found.start() - _BEFORE_STREAM) : found.start()]
        head = head[head.rfind(b" obj") + 1 :]
        if not _OBJECT_STREAM.search(head):
            continue
        if not _FILTER.search(head):
            continue  # it stands there in clear, and is read with the rest
        if not _FLATE.search(head) or head.count(b"Decode") > 1 + head.count(b"DecodeParms"):
            raise Unreadable("pdf_unclear")
        unpacker = zlib.decompressobj()
        try:
            unpacked = unpacker.decompress(memoryview(content)[found.end() :], left)
        except zlib.error as error:
            raise Unreadable("pdf_unclear") from error
        left -= len(unpacked)
        if left <= 0:
            raise Unreadable("pdf_unclear")
        yield unpacked
