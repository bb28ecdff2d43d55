"""Documents of Office and OpenDocument: the right kind inside, no programs, nothing fetched from elsewhere, and no other files.

A chart of Word or PowerPoint brings the workbook that it was drawn from: that is looked through as if it had come by itself.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import BinaryIO

from hub.inspection.errors import Refused
from hub.inspection.markup import Seen, read_elements
from hub.inspection.zips import read_parts, unpacked

_OPEN_XML = "application/vnd.openxmlformats-officedocument."
MAIN_TYPES = {
    "docx": f"{_OPEN_XML}wordprocessingml.document.main+xml",
    "xlsx": f"{_OPEN_XML}spreadsheetml.sheet.main+xml",
    "pptx": f"{_OPEN_XML}presentationml.presentation.main+xml",
}
ODF_TYPES = {
    "odt": b"application/vnd.oasis.opendocument.text",
    "ods": b"application/vnd.oasis.opendocument.spreadsheet",
    "odp": b"application/vnd.oasis.opendocument.presentation",
}
_TYPES = "[content_types].xml"
_MACRO_NAMES = re.compile(
    r"vbaproject|vbadata|(^|/)(macrosheets|dialogsheets|activex|customui\d*|basic|scripts|dialogs)/", re.I
)
_MACRO_TYPES = re.compile(r"macro|vba|activex|controlproperties\+unknown|intlmacrosheet", re.I)
_INSIDE_TYPES = re.compile(r"oleobject|officedocument\.package|sheet\.binary", re.I)
# the beginnings of what is a file of its own: zip, OLE, programs, PDF, RAR, 7z, gzip
_INSIDE = (
    b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0",
    b"MZ",
    b"\x7fELF",
    b"%PDF",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\x1f\x8b",
)
# what a chart or a table was made from: one layer deep, and so much of it together
_BEHIND = re.compile(r"(?:word|ppt|xl)/embeddings/[^/]+\.(docx|xlsx|pptx)")
_TO_BEHIND = re.compile(r"embeddings/[^/]+\.(docx|xlsx|pptx)$")
MAX_BEHIND = 16 * 1024 * 1024
# parts that may start something or fetch it
_ACTIVE_ELEMENTS = frozenset({"ddeLink", "oleLink", "dde-source", "dde-link", "event-listener", "object-ole", "applet", "plugin"})  # fmt: skip


# body, headers, footers, notes and comments of a Word document
_WORD_TEXT = re.compile(r"word/[^/]+\.xml")
_DDE = re.compile(r"\bDDE(AUTO)?\b", re.I)
_MAX_CODES = 1024 * 1024


class _FieldCodes:
    """The codes of a Word document's fields, each of which may be written in several pieces."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.length = 0

    def seen(self, name: str, given: dict[str, str]) -> None:
        # what stands between two fields keeps their codes apart
        self.heard("instrText", {"fldSimple": f" {given.get('instr', '')} ", "fldChar": " "}.get(name, ""))

    def heard(self, name: str, text: str) -> None:
        if name == "instrText" and text:
            self.pieces.append(text)
            self.length += len(text)
            if self.length > _MAX_CODES:
                raise Refused("zip_entries")

    def check(self) -> None:
        if _DDE.search("".join(self.pieces)):
            raise Refused("office_macro")


def inspect_office(extension: str, reader: BinaryIO, *, inner: bool = False) -> None:
    """`Refused` unless the package is a document of this kind and nothing else. `inner`: it lies in another already."""
    parts = read_parts(reader)
    names = {part.orig_filename.casefold(): part for part in parts}
    if any(_MACRO_NAMES.search(name) for name in names):
        raise Refused("office_macro")
    if extension in MAIN_TYPES:
        _check_kind(extension, reader, names)
    else:
        _check_mimetype(extension, reader, parts)
    behind = {} if inner or extension not in MAIN_TYPES else _behind(parts)
    for part in parts:
        if part.orig_filename in behind:
            content = io.BytesIO(b"".join(unpacked(reader, part)))
            inspect_office(behind[part.orig_filename], content, inner=True)
        else:
            _check_part(reader, part, inner=inner)


def _behind(parts: list[zipfile.ZipInfo]) -> dict[str, str]:
    """The documents behind charts and tables, by the part's name, and what kind each is."""
    found = {}
    for part in parts:
        if named := _BEHIND.fullmatch(part.orig_filename.casefold()):
            found[part.orig_filename] = named[1]
    if sum(part.file_size for part in parts if part.orig_filename in found) > MAX_BEHIND:
        raise Refused("office_embedded")
    return found


def _check_kind(extension: str, reader: BinaryIO, names: dict[str, zipfile.ZipInfo]) -> None:
    """The part that the package names as its document is of this kind, and no part is of a kind that is not taken."""
    types: dict[str, str] = {}
    documents: list[str] = []

    def typed(name: str, given: dict[str, str]) -> None:
        kind = given.get("ContentType", "")
        if _MACRO_TYPES.search(kind):
            raise Refused("office_macro")
        if _INSIDE_TYPES.search(kind):
            raise Refused("office_embedded")
        if name == "Override":
            types[given.get("PartName", "").casefold().lstrip("/")] = kind

    def related(name: str, given: dict[str, str]) -> None:
        if name == "Relationship" and given.get("Type", "").endswith("/officeDocument"):
            documents.append(given.get("Target", "").casefold().lstrip("/"))

    _read(reader, names, _TYPES, typed)
    _read(reader, names, "_rels/.rels", related)
    mains = [name for name, kind in types.items() if kind in MAIN_TYPES.values()]
    if (
        mains != documents
        or len(mains) != 1
        or types[mains[0]] != MAIN_TYPES[extension]
        or mains[0] not in names
    ):
        raise Refused("office_kind")


def _read(reader: BinaryIO, names: dict[str, zipfile.ZipInfo], wanted: str, seen: Seen) -> None:
    part = names.get(wanted)
    if part is None:
        raise Refused("office_kind")
    read_elements(unpacked(reader, part), seen)


def _check_mimetype(extension: str, reader: BinaryIO, parts: list[zipfile.ZipInfo]) -> None:
    first = parts[0]
    plain = first.orig_filename == "mimetype" and first.compress_type == zipfile.ZIP_STORED
    if not plain or b"".join(unpacked(reader, first)) != ODF_TYPES[extension]:
        raise Refused("office_kind")
    if all(part.orig_filename != "META-INF/manifest.xml" for part in parts):
        raise Refused("office_kind")


def _check_part(reader: BinaryIO, part: zipfile.ZipInfo, *, inner: bool) -> None:
    """Unpacks it once, to the end: it is as long as it says, no file of its own, and fetches nothing."""
    blocks = unpacked(reader, part)
    first = next(blocks, b"")
    if first.startswith(_INSIDE):
        raise Refused("office_embedded")
    whole = chain((first,), blocks)
    name = part.orig_filename.casefold()
    check = _check_of(name, inner)
    if _WORD_TEXT.fullmatch(name):
        codes = _FieldCodes()
        read_elements(whole, codes.seen, codes.heard)
        codes.check()
    elif check is not None and first:
        read_elements(whole, check)
    else:
        _exhaust(whole)


def _check_of(name: str, inner: bool) -> Seen | None:
    if name.endswith(".rels"):
        return partial(_check_relationship, inner=inner)
    if name == "meta-inf/manifest.xml":
        return _check_entry
    if name.rpartition("/")[2] in ("content.xml", "styles.xml") or name.startswith("xl/externallinks/"):
        return _check_element
    return None


def _check_relationship(name: str, given: dict[str, str], *, inner: bool) -> None:
    if name != "Relationship":
        return
    kind = given.get("Type", "").rpartition("/")[2].casefold()
    if kind in ("vbaproject", "wordvbadata", "control", "activexcontrolbinary", "xlmacrosheet"):
        raise Refused("office_macro")
    if kind == "package" and not inner and _TO_BEHIND.search(given.get("Target", "").casefold()):
        pass  # the part itself is looked through
    elif kind in ("oleobject", "package", "afchunk", "subdocument"):
        raise Refused("office_external" if _external(given) else "office_embedded")
    if _external(given) and kind != "hyperlink":
        raise Refused("office_external")


def _external(given: dict[str, str]) -> bool:
    return given.get("TargetMode", "").casefold() == "external"


def _check_entry(name: str, _: dict[str, str]) -> None:
    if name == "encryption-data":
        raise Refused("file_locked")


def _check_element(name: str, given: dict[str, str]) -> None:
    if name in _ACTIVE_ELEMENTS:
        raise Refused("office_macro" if name == "event-listener" else "office_external")
    # a picture of OpenDocument that lies elsewhere is fetched when the document is opened; a link is not
    address = given.get("href", "")
    if name in ("image", "object", "section-source", "background-image") and re.match(
        r"[a-z]{2,}:|//|\\\\", address, re.I
    ):
        raise Refused("office_external")


def _exhaust(blocks: Iterator[bytes]) -> None:
    for _ in blocks:
        pass
