"""Looks through a picture and draws its copy: turned upright, scaled, and without a word of what its camera wrote."""

from __future__ import annotations

import io
import struct
import warnings
import zlib

import pillow_heif
from PIL import Image, ImageOps

from hub.rendering.jobs import FORMATS, MAX_FRAMES, MAX_PIXELS, Unreadable

# decoded of all frames of an animation together
MAX_FRAME_PIXELS = 10 * MAX_PIXELS
# what the readers of these formats raise on content that is none
BROKEN = (
    OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, TypeError, OverflowError, struct.error, zlib.error,
    RuntimeError, AttributeError,
)  # fmt: skip


def prepare() -> None:
    """Loads the readers, while files can be opened still."""
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    warnings.simplefilter("ignore")
    pillow_heif.options.DECODE_THREADS = 1
    pillow_heif.register_heif_opener(thumbnails=False)
    Image.preinit()
    Image.init()


def look_through(content: bytes, extension: str) -> None:
    """`Unreadable` unless it is a picture of this kind that can be decoded within bounds."""
    picture = _opened(content, extension)
    try:
        frames = getattr(picture, "n_frames", 1)
        if frames > MAX_FRAMES or frames * picture.width * picture.height > MAX_FRAME_PIXELS:
            raise Unreadable("picture_frames")
        picture.draft("RGB", (64, 64))
        picture.load()
    except BROKEN as error:
        raise Unreadable("picture_broken") from error


def drawn(content: bytes, extension: str, longest: int) -> Image.Image:
    """The picture's own points on white, nothing else of it."""
    picture = _opened(content, extension)
    try:
        picture.draft("RGB", (longest, longest))
        turned = ImageOps.exif_transpose(picture)
        turned.thumbnail((longest, longest))
        turned = turned.convert("RGBA")
    except BROKEN as error:
        raise Unreadable("picture_broken") from error
    copy = Image.new("RGB", turned.size, (255, 255, 255))
    copy.paste(turned, (0, 0), turned)
    return copy


def as_png(picture: Image.Image) -> bytes:
    held = io.BytesIO()
    picture.save(held, "PNG", compress_level=6)
    return held.getvalue()


def _opened(content: bytes, extension: str) -> Image.Image:
    """By the reader of this one format, and never larger than the limit: the size stands in the header."""
    try:
        picture: Image.Image = Image.open(io.BytesIO(content), formats=[FORMATS[extension]])
    except Image.DecompressionBombError as error:
        raise Unreadable("picture_pixels") from error
    except BROKEN as error:
        raise Unreadable("picture_broken") from error
    if picture.width * picture.height > MAX_PIXELS:
        raise Unreadable("picture_pixels")
    if picture.width < 1 or picture.height < 1:
        raise Unreadable("picture_broken")
    return picture
