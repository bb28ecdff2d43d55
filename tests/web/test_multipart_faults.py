"""The upload reader: limits, little memory, and a name for every fault."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.exceptions import ClientDisconnected

from hub.web.multipart import (
    BLOCK_BYTES,
    EPILOGUE_BYTES,
    BadMultipart,
    CutShort,
    FilePart,
    TooLarge,
    read_form_then_file,
)
from tests.web.bodies import BOUNDARY, END, FILE, LIMITS, TOKEN, TYPE, Trickle, parse, part

# --- limits


def test_a_file_of_exactly_the_limit_passes_and_one_byte_more_does_not() -> None:
    body = TOKEN + part('name="file"; filename="a"', bytes(5000)) + END
    assert len(parse(body, max_file_size=5000)[1][3]) == 5000
    with pytest.raises(TooLarge) as failure:
        parse(body, max_file_size=4999)
    assert failure.value.code == "file"


def test_a_file_too_large_is_given_up_at_the_limit() -> None:
    body = part('name="file"; filename="a"', bytes(900_000)) + END
    stream, limits = Trickle(body, []), LIMITS | {"max_file_size": 800_000}
    file = next(iter(read_form_then_file(cast("IO[bytes]", stream), TYPE, len(body), **limits)))
    assert isinstance(file, FilePart)
    received = 0
    with pytest.raises(TooLarge):
        for block in file.blocks:
            received += len(block)
    assert received <= 800_000
    assert stream.taken <= 800_000 + 2 * BLOCK_BYTES


def test_a_body_too_large_by_its_own_account_is_not_read_at_all() -> None:
    stream = Trickle(FILE + END, [])
    with pytest.raises(TooLarge) as failure:
        read_form_then_file(cast("IO[bytes]", stream), TYPE, 10_000_000, **LIMITS)
    assert (failure.value.code, stream.taken) == ("body", 0)


def test_a_field_of_exactly_the_limit_passes_and_one_byte_more_does_not() -> None:
    assert len(parse(part('name="a"', b"x" * 1000) + END)[0][1]) == 1000
    with pytest.raises(TooLarge) as failure:
        parse(part('name="a"', b"x" * 1001) + END)
    assert failure.value.code == "field"


def test_no_more_fields_than_allowed() -> None:
    fields = [part(f'name="f{number}"', b"") for number in range(6)]
    assert len(parse(b"".join(fields[:5]) + END)) == 5
    with pytest.raises(TooLarge) as failure:
        parse(b"".join(fields) + END)
    assert failure.value.code == "fields"


def test_no_more_files_than_allowed() -> None:
    with pytest.raises(TooLarge) as failure:
        parse(FILE + FILE + END)
    assert failure.value.code == "files"


def test_memory_stays_at_a_few_blocks_for_64_mib() -> None:
    size = 64 * 1024 * 1024
    head = (
        TOKEN + f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'.encode()
    )

    class Endless:
        """The body without ever holding it."""

        def __init__(self) -> None:
            self.left = size
            self.queue = head
            self.done = False

        def read(self, wanted: int) -> bytes:
            if not self.queue and self.left:
                block = bytes(min(BLOCK_BYTES, self.left))
                self.left -= len(block)
                self.queue = block
            if not self.queue and not self.done:
                self.done, self.queue = True, b"\r\n" + END
            block, self.queue = self.queue[:wanted], self.queue[wanted:]
            return block

    length = len(head) + size + 2 + len(END)
    tracemalloc.start()
    try:
        received = 0
        limits = LIMITS | {"max_file_size": size}
        for found in read_form_then_file(cast("IO[bytes]", Endless()), TYPE, length, **limits):
            if isinstance(found, FilePart):
                received = sum(len(block) for block in found.blocks)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert received == size
    assert peak < 12 * BLOCK_BYTES


@pytest.mark.parametrize("filler", [b"x", b"\n", b"--", b"-" * 40])
def test_a_preamble_without_end_is_refused_early(filler: bytes) -> None:
    body = (filler * 900_000)[:900_000]
    stream = Trickle(body, [])
    with pytest.raises(BadMultipart) as failure:
        list(read_form_then_file(cast("IO[bytes]", stream), TYPE, len(body), **LIMITS))
    assert failure.value.code == "malformed"
    assert stream.taken <= 4 * BLOCK_BYTES


def test_headers_without_end_are_refused_early() -> None:
    body = f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=".encode() + b"x" * 900_000
    stream = Trickle(body, [])
    with pytest.raises(BadMultipart):
        list(read_form_then_file(cast("IO[bytes]", stream), TYPE, len(body), **LIMITS))
    assert stream.taken <= 4 * BLOCK_BYTES


def test_a_delimiter_with_endless_padding_is_refused_early() -> None:
    body = TOKEN + END[:-4] + b" " * 900_000
    for sizes, failure in (([], TooLarge), ([len(TOKEN) + len(END) - 4], BadMultipart)):
        stream = Trickle(body, sizes)
        with pytest.raises(failure):
            list(read_form_then_file(cast("IO[bytes]", stream), TYPE, len(body), **LIMITS))
        assert stream.taken <= 4 * BLOCK_BYTES


# --- faults


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/mixed; boundary=x",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary=""',
        f"multipart/form-data; boundary={'x' * 71}",
        'multipart/form-data; boundary="x "',
        "multipart/form-data; boundary=ümlaut",
        'multipart/form-data; boundary="a\r\nb"',
        "multipart/form-data; boundary*=utf-8''%00",
    ],
)
def test_a_body_that_is_no_form_is_refused(content_type: str | None) -> None:
    with pytest.raises(BadMultipart) as failure:
        read_form_then_file(io.BytesIO(FILE + END), content_type, 10, **LIMITS)
    assert failure.value.code == "content_type"


@pytest.mark.parametrize("length", [None, -1])
def test_a_body_that_does_not_say_its_length_is_refused(length: int | None) -> None:
    with pytest.raises(BadMultipart) as failure:
        read_form_then_file(io.BytesIO(FILE + END), TYPE, length, **LIMITS)
    assert failure.value.code == "length_required"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (FILE + TOKEN + END, "field_after_file"),
        (TOKEN + TOKEN + END, "field_twice"),
        (TOKEN + part('name="token"; filename="a"', b"") + END, "field_twice"),
        (part('name="a"', b"nul\0") + END, "nul"),
        (part('name="a\0b"', b"") + END, "part_name"),
        (part('name=""', b"") + END, "part_name"),
        (part('filename="a"', b"") + END, "part_name"),
        (part("", b"") + END, "part_name"),
        (part(f'name="{"n" * 1025}"', b"") + END, "part_name"),
        (part('name="a"; filename="a\0.exe"', b"") + END, "filename"),
        (part("name=\"a\"; filename*=utf-8''a%0D%0Ab", b"") + END, "filename"),
        (part(f'name="a"; filename="{"n" * 1025}"', b"") + END, "filename"),
        (part('name="a"', b"\xff\xfe") + END, "not_utf8"),
        (part('name="a"', b"YQ==", "Content-Transfer-Encoding: base64") + END, "part_headers"),
        (part('name="a"', b"", 'Content-Disposition: form-data; name="b"') + END, "part_headers"),
        (TOKEN.replace(b"form-data", b"attachment") + END, "part_headers"),
        (TOKEN.replace(b"Content-Disposition", b"Content-Something") + END, "part_headers"),
        (TOKEN.replace(b'"token"', b'"\xff"') + END, "part_headers"),
        (TOKEN, "unfinished"),
        (TOKEN + END[:-4], "unfinished"),
        (TOKEN + FILE[:-4], "unfinished"),
        (TOKEN[:30], "unfinished"),
        (b"", "unfinished"),
        (TOKEN + END + b"x" * (EPILOGUE_BYTES + 1), "epilogue"),
    ],
)
def test_every_fault_of_a_body_has_a_name(body: bytes, code: str) -> None:
    for sizes in ([], [1] * len(body)):
        with pytest.raises(BadMultipart) as failure:
            parse(body, sizes)
        assert failure.value.code == code


WHOLE = TOKEN + FILE + END


@pytest.mark.parametrize("cut", range(len(WHOLE)))
def test_a_sender_who_hangs_up_is_told_from_a_whole_body(cut: int) -> None:
    with pytest.raises(CutShort):
        parse(WHOLE[:cut], length=len(WHOLE))


def test_a_declared_length_beyond_the_body_is_found_before_the_file_ends() -> None:
    stream = cast("IO[bytes]", Trickle(WHOLE, []))
    parts = read_form_then_file(stream, TYPE, len(WHOLE) + 5, **LIMITS)
    next(parts)
    file = next(parts)
    assert isinstance(file, FilePart)
    with pytest.raises(CutShort):
        list(file.blocks)


def test_nothing_beyond_the_declared_length_is_read() -> None:
    stream = Trickle(WHOLE + b"the next request", [])
    list(read_form_then_file(cast("IO[bytes]", stream), TYPE, len(WHOLE), **LIMITS))
    assert stream.taken == len(WHOLE)
    with pytest.raises(BadMultipart):
        parse(WHOLE, length=len(WHOLE) - 10)


@pytest.mark.parametrize("failure", [ConnectionResetError, TimeoutError, ClientDisconnected])
def test_a_line_that_breaks_is_a_body_cut_short(failure: type[Exception]) -> None:
    class Breaking(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise failure

    with pytest.raises(CutShort):
        list(read_form_then_file(cast("IO[bytes]", Breaking()), TYPE, 100, **LIMITS))


# --- whatever is sent

JUNK = st.one_of(
    st.binary(max_size=400),
    st.lists(
        st.sampled_from(
            [
                f"--{BOUNDARY}".encode(),
                b"--",
                b"\r\n",
                b"\r",
                b"\n",
                b"\r\n\r\n",
                b" ",
                b"\0",
                b"\xff",
                b";",
                b'"',
                b"\\",
                b"Content-Disposition: form-data",
                b'; name="a"',
                b'; filename="f"',
                b"; name*0*=utf-8''%",
                b"%00",
                b"Content-Type: ",
                b"Content-Transfer-Encoding: base64",
                b":",
                b"x" * 2000,
                TOKEN,
                FILE,
                END,
            ]
        ),
        max_size=25,
    ).map(b"".join),
)


def mutated(draw: Callable[..., Any]) -> bytes:
    body = bytearray(WHOLE)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(body)))
        body[at : at + draw(st.integers(0, 5))] = draw(st.binary(max_size=5))
    return bytes(body)


@given(
    body=st.one_of(JUNK, st.composite(mutated)()),
    sizes=st.lists(st.integers(1, 100), max_size=40),
    lie=st.integers(-5, 5),
)
@settings(max_examples=600, deadline=None)
def test_no_body_whatever_raises_anything_unnamed(body: bytes, sizes: list[int], lie: int) -> None:
    with suppress(BadMultipart, TooLarge, CutShort):
        parse(body, sizes, max(0, len(body) + lie))


@given(
    content_type=st.one_of(
        st.text(max_size=80), st.text(max_size=40).map("multipart/form-data; boundary={}".format)
    )
)
@settings(max_examples=200, deadline=None)
def test_no_content_type_whatever_raises_anything_unnamed(content_type: str) -> None:
    with suppress(BadMultipart, TooLarge, CutShort):
        list(read_form_then_file(io.BytesIO(WHOLE), content_type, len(WHOLE), **LIMITS))
