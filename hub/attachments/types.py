"""Which files are taken: an allow-list by extension, and the first bytes must be what the extension says.

What cannot be told from its first bytes (text) must look like text. Nothing is opened or unpacked here.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import filetype

from hub.attachments.naming import extension_of
from hub.core.errors import Invalid

PEEK_BYTES = 8192
ZIP_NAME_AT = 30
_ODF_AT = ZIP_NAME_AT + len("mimetype")
_OFFICE = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."


@dataclass(frozen=True)
class Taken:
    """A type that may be attached. `looks` are the extensions by which its first bytes may be recognised."""

    media_type: str
    looks: frozenset[str] = frozenset()
    office: str = ""
    text: bool = False


def _seen(media_type: str, *looks: str) -> Taken:
    return Taken(media_type, frozenset(looks))


TAKEN: dict[str, Taken] = {
    "pdf": _seen("application/pdf", "pdf"),
    "jpg": _seen("image/jpeg", "jpg"),
    "jpeg": _seen("image/jpeg", "jpg"),
    "png": _seen("image/png", "png"),
    "gif": _seen("image/gif", "gif"),
    "webp": _seen("image/webp", "webp"),
    "tif": _seen("image/tiff", "tif"),
    "tiff": _seen("image/tiff", "tif"),
    "heic": _seen("image/heic", "heic"),
    "mp3": _seen("audio/mpeg", "mp3"),
    "m4a": _seen("audio/mp4", "m4a", "mp4", "m4v"),
    "wav": _seen("audio/wav", "wav"),
    "ogg": _seen("audio/ogg", "ogg"),
    "mp4": _seen("video/mp4", "mp4", "m4v"),
    "mov": _seen("video/quicktime", "mov"),
    "webm": _seen("video/webm", "webm"),
    "txt": Taken("text/plain; charset=utf-8", text=True),
    "csv": Taken("text/csv; charset=utf-8", text=True),
    "docx": Taken(f"{_OFFICE}wordprocessingml.document", office="word/"),
    "xlsx": Taken(f"{_OFFICE}spreadsheetml.sheet", office="xl/"),
    "pptx": Taken(f"{_OFFICE}presentationml.presentation", office="ppt/"),
    "odt": Taken(f"{_ODF}text", office="odf"),
    "ods": Taken(f"{_ODF}spreadsheet", office="odf"),
    "odp": Taken(f"{_ODF}presentation", office="odf"),
}
# what a signed agreement or a piece of evidence may be
PAPERS = {
    extension: TAKEN[extension]
    for extension in ("pdf", "docx", "odt", "jpg", "jpeg", "png", "tif", "tiff", "heic")
}
PAPERS_IN_WORDS = "PDF, Word and OpenDocument text files, and pictures"
# as people call them, in the order of `IN_WORDS`
_CALLED = (
    ("PDF", {"pdf"}),
    ("Word", {"docx"}),
    ("Excel", {"xlsx"}),
    ("PowerPoint", {"pptx"}),
    ("OpenDocument", {"odt", "ods", "odp"}),
    ("text", {"txt"}),
    ("CSV", {"csv"}),
    ("pictures", {"jpg", "jpeg", "png", "gif", "webp", "tif", "tiff", "heic"}),
    ("sound", {"mp3", "m4a", "wav", "ogg"}),
    ("video", {"mp4", "mov", "webm"}),
)
IN_WORDS = "PDF, Word, Excel, PowerPoint and OpenDocument files, text and CSV, pictures, sound and video"

_ANY_OFFICE = (b"[Content_Types].xml", b"_rels/", b"docProps/", b"customXml/")
_FOLDERS = ("word/", "xl/", "ppt/")
_ENTRY = re.compile(rb"PK\x03\x04.{22}(..)..", re.S)
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
# text by its bytes, and a programme to a browser or another reader
_ACTIVE = re.compile(
    rb"^[\s\xef\xbb\xbf]*(<!doctype|<html|<script|<svg|<\?xml|<\?php|%PDF|%!PS|#!|\{\\rtf|MZ)", re.I
)


def accept_of(extensions: Collection[str]) -> str:
    """The types as a browser's file field takes them."""
    return ",".join(f".{extension}" for extension in TAKEN if extension in extensions)


def words_for(extensions: Collection[str]) -> str:
    """The types as people call them: of a partnership that takes fewer, only those."""
    if set(extensions) >= set(TAKEN):
        return IN_WORDS
    called = [words for words, group in _CALLED if group & set(extensions)]
    return " and ".join(filter(None, (", ".join(called[:-1]), *called[-1:])))


def is_recording(media_type: str) -> bool:
    """Sound or video: may be larger than a scanner takes at once, because it is scanned in pieces."""
    return media_type.startswith(("audio/", "video/"))


def check_type(name: str, head: bytes, allowed: Mapping[str, Taken] = TAKEN) -> str:
    """The media type to keep for a file of this name with these first bytes; `Invalid` says why it is not taken."""
    extension = extension_of(name)
    taken = allowed.get(extension)
    if taken is None:
        what = (
            f"Files of the type .{extension[:20]} are not taken"
            if extension
            else "The file's name has no type, such as .pdf"
        )
        raise Invalid(
            "file_type",
            errors={"file": f"{what}. You can attach {PAPERS_IN_WORDS if allowed is PAPERS else IN_WORDS}"},
        )
    if not _is(taken, head):
        raise Invalid(
            "file_content",
            errors={
                "file": f"The content of the file is not what .{extension} says, or it is protected by a password"
            },
        )
    return taken.media_type


def _is(taken: Taken, head: bytes) -> bool:
    if taken.office:
        return _is_odf(taken.media_type, head) if taken.office == "odf" else _is_office(taken.office, head)
    if taken.text:
        return looks_like_text(head)
    found = filetype.guess(head)
    return found is not None and found.extension in taken.looks


def _is_office(folder: str, head: bytes) -> bool:
    """A zip whose first entry belongs to this kind of document, and with no entry of another kind in sight."""
    names = [_entry_name(head, found) for found in _ENTRY.finditer(head)]
    if not head.startswith(b"PK\x03\x04") or not names:
        return False
    if not names[0].startswith((*_ANY_OFFICE, folder.encode())):
        return False
    others = tuple(one.encode() for one in _FOLDERS if one != folder)
    return not any(name.startswith(others) or name.endswith(b"vbaProject.bin") for name in names)


def _entry_name(head: bytes, found: re.Match[bytes]) -> bytes:
    return head[found.end() : found.end() + int.from_bytes(found.group(1), "little")]


def _is_odf(media_type: str, head: bytes) -> bool:
    """A zip whose first entry is the plain text of its media type."""
    mark = media_type.encode()
    after = head[_ODF_AT + len(mark) : _ODF_AT + len(mark) + 2]
    return (
        head.startswith(b"PK\x03\x04")
        and head[ZIP_NAME_AT:_ODF_AT] == b"mimetype"
        and head[_ODF_AT:].startswith(mark)
        and after == b"PK"
    )


def looks_like_text(head: bytes) -> bool:
    """UTF-8, UTF-16 with its mark, or a single-byte code page: without control characters, and nothing that runs."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = head[: len(head) // 2 * 2].decode("utf-16", "replace")
    else:
        if filetype.guess(head) is not None or _ACTIVE.match(head):
            return False
        try:
            # a character may be cut at the end of what was peeked at
            text = codecs.getincrementaldecoder("utf-8")().decode(head)
        except UnicodeDecodeError:
            text = head.decode("cp1252", "replace")
    return not _CONTROLS.search(text) and not _ACTIVE.match(text.encode("utf-8", "replace")[:64])
