"""Writes across a picture who looks at it, when, and how it is marked: legible, and hiding nothing."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageStat

FONT = Path(__file__).parent.parent / "static" / "vendor" / "dejavu" / "DejaVuSans.ttf"
_INK = (20, 20, 20)
_PAPER = (255, 255, 255)
_ANGLE = 30
# of 255: seen on any ground, read through without effort
_TILE_STRENGTH = 60
_DARK = 100
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def load_font() -> bytes:
    """Read before the process is locked. Nothing where the font was not installed."""
    return FONT.read_bytes() if FONT.is_file() else b""


def marked(picture: Image.Image, lines: tuple[str, ...], font: bytes) -> Image.Image:
    """A copy with the words tiled across it and, below it, in a band of their own."""
    if not lines:
        return picture
    small = max(picture.size) <= 400
    tiled = _tile(picture, "   ".join(lines), _sized(font, 11 if small else 22))
    return _with_band(tiled, lines, font, 10 if small else 20)


def _sized(font: bytes, size: int) -> Font:
    if not font:
        return ImageFont.load_default(size)
    return ImageFont.truetype(io.BytesIO(font), size, layout_engine=ImageFont.Layout.BASIC)


def _tile(picture: Image.Image, words: str, font: Font) -> Image.Image:
    """The words again and again along a diagonal: dark with a light edge, and the other way round on a dark picture."""
    dark = ImageStat.Stat(picture.convert("L")).mean[0] < _DARK
    ink, edge = (255, 0) if dark else (0, 255)
    left, top, right, bottom = font.getbbox(words)
    wide, high = int(right - left) + 60, int(bottom - top) * 6
    stamp = Image.new("LA", (wide, high), (0, 0))
    ImageDraw.Draw(stamp).text(
        (20, high // 3),
        words,
        font=font,
        fill=(ink, 255),
        stroke_width=1,
        stroke_fill=(edge, 255),
    )
    reach = int((picture.width**2 + picture.height**2) ** 0.5) + 2
    sheet = Image.new("LA", (reach, reach), (0, 0))
    for row, y in enumerate(range(0, reach, high)):
        for x in range(-wide // 2 * (row % 2), reach, wide):
            sheet.paste(stamp, (x, y))
    turned = sheet.rotate(_ANGLE)
    at = ((reach - picture.width) // 2, (reach - picture.height) // 2)
    turned = turned.crop((*at, at[0] + picture.width, at[1] + picture.height))
    strength = turned.getchannel("A").point([value * _TILE_STRENGTH // 255 for value in range(256)])
    out = picture.copy()
    out.paste(turned.getchannel("L").convert("RGB"), (0, 0), strength)
    return out


def _with_band(picture: Image.Image, lines: tuple[str, ...], font: bytes, size: int) -> Image.Image:
    width = max(picture.width, 160)
    drawn = [(line, _fitting(line, font, size, width - 12)) for line in lines]
    step = int(size * 1.4)
    out = Image.new("RGB", (width, picture.height + step * len(drawn) + 8), _PAPER)
    out.paste(picture, ((width - picture.width) // 2, 0))
    pen = ImageDraw.Draw(out)
    for number, (line, fitting) in enumerate(drawn):
        pen.text((6, picture.height + 4 + number * step), line, font=fitting, fill=_INK)
    return out


def _fitting(line: str, font: bytes, size: int, width: int) -> Font:
    """The largest letters, from `size` down to 7, with which the line is no wider than the picture."""
    while size > 7 and _sized(font, size).getbbox(line)[2] > width:
        size -= 1
    return _sized(font, size)
