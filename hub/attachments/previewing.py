"""A file as it is shown: a marked copy of a picture or a page, or the beginning of a text. The original stays sealed as it came."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from hub.access.actor import Actor
from hub.access.vocabulary import Marking
from hub.attachments.limits import MIB
from hub.attachments.models import Attachment
from hub.attachments.releasing import OpenedAttachment, release
from hub.attachments.types import TAKEN
from hub.core import clock
from hub.core.errors import Conflict
from hub.inspection.errors import SENTENCES
from hub.rendering.jobs import FORMATS, MAX_PAGES, PICTURE_LONGEST, THUMBNAIL_LONGEST, Job, Unreadable
from hub.rendering.running import Rendered, render
from hub.web.filters import format_datetime

MAX_SHOWN = 64 * MIB
MAX_TEXT = 200 * 1024
TOO_LARGE = "The file is larger than 64 MB, so it is not shown here."
NOT_SHOWN = "Files of this type are not shown here."
_PDF = TAKEN["pdf"].media_type
_TEXTS = frozenset(one.media_type for one in TAKEN.values() if one.text)
# by which reader a picture of a media type is opened
_READERS = {TAKEN[extension].media_type: extension for extension in FORMATS}


@dataclass(frozen=True)
class Shown:
    """What the page of a preview shows. `why_not` stands in the place of everything else."""

    pages: int = 0
    text: str | None = None
    cut: bool = False
    why_not: str = ""


def previewable(media_type: str) -> bool:
    """Can a file of this type be shown at all?"""
    return media_type in _READERS or media_type == _PDF or media_type in _TEXTS


def is_picture(media_type: str) -> bool:
    return media_type in _READERS


def look_at(actor: Actor, row: Attachment) -> Shown:
    """What there is to show of a file that was just opened. Commits, as `release` does, where it has to read the file."""
    if not previewable(row.media_type):
        return Shown(why_not=NOT_SHOWN)
    if row.size > MAX_SHOWN:
        return Shown(why_not=TOO_LARGE)
    if is_picture(row.media_type):
        return Shown(pages=1)
    opened = release(actor, row, row.record_id)
    try:
        if row.media_type in _TEXTS:
            text, cut = _beginning(opened.blocks)
            return Shown(text=text, cut=cut)
        return Shown(pages=min(MAX_PAGES, render(Job("pdf"), opened.blocks).pages))
    except Unreadable as error:
        return Shown(why_not=f"{SENTENCES[error.code]}.")
    finally:
        opened.blocks.close()


def draw(actor: Actor, row: Attachment, number: int, *, small: bool = False) -> Rendered:
    """A page of it as PNG, with the reader, the time and the marking across it. `Conflict` where there is none."""
    extension = "pdf" if row.media_type == _PDF else _READERS.get(row.media_type)
    if extension is None or row.size > MAX_SHOWN or not 1 <= number <= MAX_PAGES:
        raise Conflict("no_preview", NOT_SHOWN)
    lines = watermark(actor, row.item_marking, clock.now())
    longest = THUMBNAIL_LONGEST if small else PICTURE_LONGEST
    opened: OpenedAttachment = release(actor, row, row.record_id)
    try:
        job = Job(extension, draw=True, page=number, longest=longest, lines=lines)
        return render(job, opened.blocks)
    except Unreadable as error:
        raise Conflict("no_preview", f"{SENTENCES[error.code]}.") from error
    finally:
        opened.blocks.close()


def watermark(actor: Actor, marking: int, now: datetime) -> tuple[str, ...]:
    """Who looks, when (in London), and how it is marked."""
    return (f"{actor.name}, {actor.organisation_name}", format_datetime(now), Marking(marking).label)


def _beginning(blocks: Iterable[bytes]) -> tuple[str, bool]:
    """The first of a text, and whether there is more."""
    held = bytearray()
    for block in blocks:
        held += block
        if len(held) > MAX_TEXT:
            break
    begun = bytes(held[:MAX_TEXT])
    return _decoded(begun).replace("\0", ""), len(held) > MAX_TEXT


def _decoded(text: bytes) -> str:
    if text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return text[: len(text) // 2 * 2].decode("utf-16", "replace")
    try:
        # a character may be cut at the end
        return codecs.getincrementaldecoder("utf-8-sig")().decode(text)
    except UnicodeDecodeError:
        return text.decode("cp1252", "replace")
