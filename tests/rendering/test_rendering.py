"""Copies for showing: upright, scaled, marked, without a word of the camera's; and a renderer that always ends."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator

import pytest
from PIL import Image, ImageChops

from hub.core.errors import Unavailable
from hub.rendering import running
from hub.rendering.jobs import FORMATS, Job, Unreadable
from hub.rendering.running import render
from hub.rendering.watermark import FONT
from tests.attachments.making import ORDINARY, pdf, photograph, picture

LINES = ("Zofia Wróbel, Northbrook Council", "29 November 2026 at 9:12am", "OFFICIAL-SENSITIVE")
PICTURES = [name for name in ORDINARY if name.rpartition(".")[2] in FORMATS]


def shown(extension: str, content: bytes, **wanted: object) -> Image.Image:
    return Image.open(io.BytesIO(render(Job(extension, draw=True, **wanted), [content]).picture))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of_every_format_is_drawn_small(name: str) -> None:
    drawn = shown(name.rpartition(".")[2], ORDINARY[name], longest=48)
    assert drawn.format == "PNG" and max(drawn.size) == 48


def test_the_copy_is_upright_and_says_nothing_of_place_camera_or_owner() -> None:
    original = photograph()
    assert b"Canary" in original and b"Mill Lane" in original
    drawn = shown("jpg", original)
    # 320 by 200 lying on its side; its yellow edge is at the top once it is turned
    assert drawn.size == (200, 320)
    red, green, blue = drawn.convert("RGB").getpixel((100, 5))
    assert red > 200 and green > 200 and blue < 80
    assert dict(drawn.getexif()) == {} and drawn.info == {}
    held = io.BytesIO()
    drawn.save(held, "PNG")
    sent = render(Job("jpg", draw=True), [original]).picture
    kinds = {
        sent[at - 4 : at]
        for at in range(12, len(sent))
        if sent[at - 4 : at] in (b"eXIf", b"tEXt", b"iTXt", b"zTXt", b"iCCP")
    }
    assert kinds == set() and b"Canary" not in sent and b"Amara" not in sent


def test_a_large_picture_is_scaled_and_a_small_one_is_not() -> None:
    large = picture("JPEG", (4000, 2000))
    assert shown("jpg", large).size == (1600, 800)
    assert shown("jpg", large, longest=320).size == (320, 160)
    assert shown("jpg", picture("JPEG", (100, 50))).size == (100, 50)


def test_the_words_stand_across_the_picture_and_below_it() -> None:
    plain = shown("png", picture("PNG", (800, 600)))
    marked = shown("png", picture("PNG", (800, 600)), lines=LINES)
    assert marked.width == 800 and marked.height > 660
    for quarter in ((0, 0, 400, 300), (400, 0, 800, 300), (0, 300, 400, 600), (400, 300, 800, 600)):
        assert ImageChops.difference(plain.crop(quarter), marked.crop(quarter)).getbbox() is not None
    # and what is beneath can still be seen
    difference = ImageChops.difference(plain, marked.crop((0, 0, 800, 600))).convert("L")
    assert difference.getextrema()[1] < 100
    band = marked.crop((0, 600, 800, marked.height)).convert("L")
    assert band.getextrema()[0] < 60
    # another reader's picture is another picture
    others = shown(
        "png", picture("PNG", (800, 600)), lines=("Tomasz Nowak, Tarrow Valley Police", *LINES[1:])
    )
    assert ImageChops.difference(marked, others).getbbox() is not None


def test_the_font_has_the_letters_of_polish_and_welsh_names() -> None:
    from PIL import ImageFont

    font = ImageFont.truetype(FONT, 40)
    none = bytes(font.getmask("\U0010fffd"))
    assert all(bytes(font.getmask(letter)) != none for letter in "ółżśćńŵŷğșЖΩ")


def test_pages_of_a_pdf_are_counted_and_drawn() -> None:
    content = pdf(pages=3)
    assert render(Job("pdf"), [content]).pages == 3
    drawn = render(Job("pdf", draw=True, page=2, lines=LINES), [content[:100], content[100:]])
    assert drawn.pages == 3 and max(Image.open(io.BytesIO(drawn.picture)).size) > 1600
    with pytest.raises(Unreadable, match="no_page"):
        render(Job("pdf", draw=True, page=4), [content])


def test_an_error_of_the_file_on_its_way_passes_through() -> None:
    def cut() -> Iterator[bytes]:
        yield pdf()[:100]
        raise Unavailable("file_unsound")

    with pytest.raises(Unavailable, match="file_unsound"):
        render(Job("pdf"), cut())


def test_a_renderer_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "RUN_SECONDS", 0.01)
    with pytest.raises(Unreadable, match="too_costly"):
        render(Job("pdf"), [pdf()])


def test_two_at_once_and_the_third_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "WAIT_SECONDS", 0.2)
    gate = threading.Event()

    def slow() -> Iterator[bytes]:
        gate.wait(30)
        yield pdf()

    busy = [threading.Thread(target=render, args=(Job("pdf"), slow())) for _ in range(running.AT_ONCE)]
    for one in busy:
        one.start()
    time.sleep(0.3)
    with pytest.raises(Unavailable, match="rendering_busy"):
        render(Job("pdf"), [pdf()])
    gate.set()
    for one in busy:
        one.join()
    assert render(Job("pdf"), [pdf()]).pages == 1


def test_where_the_lock_is_missing_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_run", lambda job, blocks: (3, b""))
    with pytest.raises(Unavailable, match="no_sandbox"):
        render(Job("pdf"), [pdf()])
