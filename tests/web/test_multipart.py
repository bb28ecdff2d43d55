"""The upload reader: the same parts however the stream is cut, and before the rest has arrived."""

from __future__ import annotations

import io
from typing import IO, Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import FileStorage, Headers, MultiDict
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartEncoder, Preamble
from werkzeug.test import EnvironBuilder

from hub.web.multipart import (
    BLOCK_BYTES,
    FieldPart,
    FilePart,
    TooLarge,
    read_form_then_file,
)
from tests.web.bodies import BOUNDARY, END, FILE, LIMITS, TOKEN, TYPE, Trickle, parse, part

# --- forms as clients send them


def test_a_form_of_werkzeugs_own_client_is_read() -> None:
    sent = MultiDict[str, Any]([("token", "t0k"), ("note", "Zoë, 25 kg\r\nnext line")])
    sent.add(
        "file",
        FileStorage(
            io.BytesIO(b"\x00\xff" * 1000), filename="Übersicht 1.pdf", content_type="application/pdf"
        ),
    )
    environ = EnvironBuilder(method="POST", data=sent).get_environ()
    parts = [
        (found.name, found.value)
        if isinstance(found, FieldPart)
        else (found.filename, found.content_type, b"".join(found.blocks))
        for found in read_form_then_file(
            environ["wsgi.input"], environ["CONTENT_TYPE"], int(environ["CONTENT_LENGTH"]), **LIMITS
        )
    ]
    assert parts == [
        ("token", "t0k"),
        ("note", "Zoë, 25 kg\r\nnext line"),
        ("Übersicht 1.pdf", "application/pdf", b"\x00\xff" * 1000),
    ]


def test_an_input_left_empty_is_a_file_without_name_and_content() -> None:
    empty = part('name="file"; filename=""', b"", "Content-Type: application/octet-stream")
    assert parse(TOKEN + empty + END) == [("token", "abc"), ("file", "", "application/octet-stream", b"")]


def test_several_files_are_read_where_they_are_allowed() -> None:
    second = part('name="file"; filename="b"', b"more")
    assert parse(TOKEN + FILE + second + END, max_files=2)[1:] == [
        ("file", "a.txt", "text/plain", b"content"),
        ("file", "b", "", b"more"),
    ]


def test_a_form_without_parts_is_empty() -> None:
    assert parse(END) == []


@pytest.mark.parametrize("after", [b"", b"\r\n", b"ignored"])
def test_what_stands_before_and_after_the_parts_is_no_part(after: bytes) -> None:
    assert parse(b"preamble\r\n" + TOKEN + END + after) == [("token", "abc")]


def test_a_file_is_given_out_before_the_rest_has_arrived() -> None:
    body = TOKEN + part('name="file"; filename="a"', bytes(10 * BLOCK_BYTES)) + END
    stream = Trickle(body, [])
    parts = read_form_then_file(cast("IO[bytes]", stream), TYPE, len(body), **LIMITS)
    assert stream.taken == 0
    assert next(parts) == FieldPart("token", "abc")
    file = next(parts)
    assert isinstance(file, FilePart)
    next(file.blocks)
    assert stream.taken <= 2 * BLOCK_BYTES


def test_a_token_is_known_before_any_byte_of_the_file_is_taken() -> None:
    head = (
        TOKEN + f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'.encode()
    )
    body = head + bytes(1000) + b"\r\n" + END
    stream = Trickle(body, [1] * len(body))
    parts = read_form_then_file(cast("IO[bytes]", stream), TYPE, len(body), **LIMITS)
    assert next(parts) == FieldPart("token", "abc")
    assert stream.taken <= len(TOKEN) + len(BOUNDARY) + 6


def test_a_file_that_is_not_read_is_passed_over_within_its_limit() -> None:
    body = FILE + part('name="file"; filename="b"', b"more") + END
    stream = cast("IO[bytes]", Trickle(body, []))
    files = list(read_form_then_file(stream, TYPE, len(body), **LIMITS, max_files=2))
    assert [found.filename for found in files if isinstance(found, FilePart)] == ["a.txt", "b"]
    with pytest.raises(TooLarge):
        for _ in read_form_then_file(
            cast("IO[bytes]", Trickle(body, [])),
            TYPE,
            len(body),
            **(LIMITS | {"max_file_size": 3}),
            max_files=2,
        ):
            pass


# --- the same, however it arrives

CRLF_RICH = st.lists(
    st.sampled_from(
        [b"\r", b"\n", b"-", b"--", b"\r\n--", BOUNDARY.encode()[:5], b"--" + BOUNDARY.encode()[:-1], b"x"]
    )
).map(b"".join)
# a whole delimiter within a file would rightly end it
CONTENT = st.one_of(st.binary(max_size=3000), CRLF_RICH).filter(lambda c: f"--{BOUNDARY}".encode() not in c)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50)


@given(
    value=TEXT, content=CONTENT, sizes=st.lists(st.integers(1, 200), max_size=60), first=st.integers(1, 400)
)
@settings(max_examples=300, deadline=None)
@example(value="", content=b"\r", sizes=[], first=1)
def test_the_cuts_of_the_stream_do_not_matter(
    value: str, content: bytes, sizes: list[int], first: int
) -> None:
    payload = value.encode()
    if f"--{BOUNDARY}".encode() in payload:
        return
    body = part('name="note"', payload) + part('name="file"; filename="f"', content) + END
    assert parse(body, [first, *sizes]) == [("note", value), ("file", "f", "", content)]


@pytest.mark.parametrize("padding", [b"", b" ", b" \t  "])
@pytest.mark.parametrize("content", [b"content", b"", b"ends in a break\r\n", b"\r", b"\n\r\n--"])
def test_every_single_cut_gives_the_same_file(content: bytes, padding: bytes) -> None:
    file = part('name="file"; filename="f"', content)
    body = TOKEN + file + END[:-2] + padding + b"\r\n"
    body = body.replace(BOUNDARY.encode() + b"\r\n", BOUNDARY.encode() + padding + b"\r\n")
    expected = parse(body)
    assert expected == [("token", "abc"), ("file", "f", "", content)]
    for cut in range(1, len(body)):
        assert parse(body, [cut]) == expected, body[:cut][-30:]


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_what_werkzeug_encodes_is_what_is_read(data: st.DataObject) -> None:
    names = st.text(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\%'), min_size=1, max_size=20
    )
    fields = data.draw(st.lists(st.tuples(names, TEXT), max_size=5, unique_by=lambda pair: pair[0]))
    content = data.draw(CONTENT)
    encoder = MultipartEncoder(BOUNDARY.encode())
    body = encoder.send_event(Preamble(data=b""))
    for name, value in fields:
        body += encoder.send_event(Field(name=name, headers=Headers()))
        body += encoder.send_event(Data(data=value.encode() or b"", more_data=False))
    body += encoder.send_event(File(name="\u2603", filename="f", headers=Headers([("Content-Type", "a/b")])))
    body += encoder.send_event(Data(data=content, more_data=False))
    body += encoder.send_event(Epilogue(data=b""))
    read = parse(body, data.draw(st.lists(st.integers(1, 300), max_size=30)))
    assert read == [*fields, ("\u2603", "f", "a/b", content)]
