"""What a file gets for an answer, asked of the checks alone; and what they cost."""

from __future__ import annotations

import contextlib
import io
import os
import random
import resource
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.attachments.naming import clean_name, extension_of
from hub.attachments.sealed_reader import open_sealed
from hub.attachments.types import PEEK_BYTES, TAKEN, check_type
from hub.core.errors import Invalid, Unavailable
from hub.crypto.errors import Unsealable
from hub.crypto.stream import encrypt_chunks
from hub.inspection.errors import Refused
from hub.inspection.inspecting import TEXTS, inspect
from hub.inspection.office import MAIN_TYPES, ODF_TYPES
from hub.inspection.text import watched
from tests.attachments.hostile import HOSTILE, Hostile
from tests.attachments.making import ORDINARY, mp4, odf, office, pdf

# what needs no process of its own
HERE = [name for name in ORDINARY if extension_of(name) in (*MAIN_TYPES, *ODF_TYPES, "mp4", "mov", "m4a", "wav", "ogg", "webm", "mp3")]  # fmt: skip


def answer(name: str, content: bytes) -> str | None:
    """As an upload is checked, without the hub around it."""
    try:
        name = clean_name(name)
        check_type(name, content[:PEEK_BYTES])
        extension = extension_of(name)
        if extension in TEXTS:
            for _ in watched(content[at : at + 1000] for at in range(0, len(content), 1000)):
                pass
        inspect(extension, io.BytesIO(content))
    except Invalid as error:
        return error.code
    return None


@pytest.mark.parametrize("one", HOSTILE, ids=str)
def test_a_hostile_file_gets_its_answer(one: Hostile) -> None:
    assert answer(one.name, one.make()) == one.answer


@pytest.mark.parametrize("name", ORDINARY)
def test_an_ordinary_file_is_taken(name: str) -> None:
    assert answer(name, ORDINARY[name]) is None


def test_there_is_an_ordinary_file_of_every_type() -> None:
    assert {extension_of(name) for name in ORDINARY} == set(TAKEN)


@pytest.mark.parametrize("name", ORDINARY)
def test_a_file_cut_short_is_not_taken(name: str) -> None:
    content = ORDINARY[name]
    if extension_of(name) in (*TEXTS, "mp3", "wav", "ogg", "webm", "gif"):
        return  # the beginning of a text or of a recording is one
    assert answer(name, content[: len(content) * 3 // 4]) in (
        "file_broken", "file_two_kinds", "picture_broken", "pdf_broken",
    )  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(HERE), st.integers(0, 2**32), st.integers(1, 6))
def test_whatever_is_changed_the_answer_is_yes_or_a_refusal(name: str, seed: int, changes: int) -> None:
    draw = random.Random(seed)
    content = bytearray(ORDINARY[name])
    for _ in range(changes):
        at = draw.randrange(len(content))
        content[at : at + draw.randrange(3)] = draw.randbytes(draw.randrange(3))
    with contextlib.suppress(Refused):
        inspect(extension_of(name), io.BytesIO(bytes(content)))


def test_a_bomb_is_answered_without_unpacking_it() -> None:
    """In a process of its own, so that nothing else is measured."""
    code = (
        "import io, resource\nfrom hub.inspection.inspecting import inspect\nfrom hub.inspection.errors import Refused\n"
        "content = open(0, 'rb').read()\nbefore = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    inspect('docx', io.BytesIO(content))\nexcept Refused as error:\n    print(error.code)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    bomb = office("docx", *[(f"word/media/{number}.bin", bytes(1024 * 1024)) for number in range(900)])
    ran = subprocess.run(
        [sys.executable, "-c", code], input=bomb, capture_output=True, check=True, timeout=120
    )
    grown = int(ran.stdout.split()[-1])
    assert grown < 64 * 1024, ran.stdout
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss > 0


def test_links_are_links_and_pictures_inside_are_pictures() -> None:
    assert answer("a.docx", office("docx", ("word/media/image1.png", ORDINARY["plan.png"]))) is None
    assert answer("a.odt", odf("odt", ("Pictures/1.png", ORDINARY["plan.png"]))) is None
    linked = b"<a xmlns:t='urn:t' xmlns:x='urn:x'><t:a x:href='https://www.gov.uk/'/></a>"
    assert answer("a.odt", odf("odt", content=linked)) is None
    assert answer("a.mp4", mp4(b"\0\0\0\x08free")) is None


def test_numbers_for_letters_do_not_hide_a_name() -> None:
    for spelling in (b"/JavaScript", b"/#4aavaScript", b"/Java#53cript", b"/J#61v#61S#63ript"):
        assert answer("a.pdf", pdf(catalog=b"/OpenAction << /S %s /JS (1) >>" % spelling)) == "pdf_script"
    assert answer("a.pdf", pdf(catalog=b"/Lang (en) /JavaScripture 1")) is None


def test_the_hub_itself_never_loads_the_readers_of_pictures_and_pdf() -> None:
    code = "import sys, hub.app, hub.jobs\nprint([one for one in ('PIL', 'pypdfium2', 'pillow_heif') if one in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"[]\n"


class _Store:
    def __init__(self, sealed: bytes) -> None:
        self.sealed = sealed
        self.longest = 0

    def read(self, key: str, version: str | None, offset: int, length: int) -> list[bytes]:
        self.longest = max(self.longest, length)
        return [self.sealed[offset : offset + length]]


def test_a_sealed_object_is_read_at_random_and_every_byte_of_it_verified() -> None:
    plain, key = os.urandom(3_000_000), os.urandom(32)
    sealed = b"".join(encrypt_chunks(key, b"context", [plain]))
    store = _Store(sealed)

    def opened() -> io.BufferedReader:
        return open_sealed(store, key, b"context", object_key="k", version=None, size=len(sealed))  # type: ignore[arg-type,return-value]

    reader = opened()
    for at, length in (
        (0, 10),
        (2_999_990, 100),
        (1_500_000, 70_000),
        (16_384, 16_384),
        (3_000_000, 5),
        (5, 0),
    ):
        reader.seek(at)
        assert reader.read(length) == plain[at : at + length]
    assert reader.seek(-100, io.SEEK_END) == 2_999_900 and reader.read() == plain[-100:]
    assert store.longest < 1024 * 1024
    store.sealed = sealed[:2_000_000] + bytes([sealed[2_000_000] ^ 1]) + sealed[2_000_001:]
    reader = opened()
    assert reader.read(1000) == plain[:1000]
    with pytest.raises(Unsealable):
        reader.seek(1_995_000)
        reader.read(5000)


def test_what_is_too_large_to_be_read_whole_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.inspection.inspecting.MAX_READ_WHOLE", 100)
    assert answer("a.pdf", pdf()) == "file_unchecked"


def test_where_nobody_can_look_nothing_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.rendering.running._run", lambda job, blocks: (3, b""))
    with pytest.raises(Unavailable, match="no_sandbox"):
        answer("a.pdf", pdf())
