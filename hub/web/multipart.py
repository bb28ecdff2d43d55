"""Uploads read as they arrive: first the small text fields of a form, then each file as a stream of blocks.

Werkzeug's own form parser spools large files to disk as plaintext, and whatever touches `request.form` starts
it. An upload route reads its body here instead: token and key are checked before the first byte of a file is
taken, and nothing is ever written to disk. Fields must come before files, and each field once.

The decoder is Werkzeug's. Two faults of it are worked around, both of which show only when a read happens to
end within a delimiter: between the last two dashes it counts the line break before the delimiter as part of
the file (`_whole_delimiter`), and after an empty payload it takes half a delimiter for the payload
(`_starts_undecided`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from werkzeug.datastructures import Headers
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Event, Field, File, MultipartDecoder, NeedData, State

from hub.core.errors import HubError

BLOCK_BYTES = 64 * 1024
# Beside the payload: the headers of one part, the preamble, and what may stand after the last delimiter
HEADER_BYTES = 16 * 1024
EPILOGUE_BYTES = 1024
PADDING_BYTES = 256
NAME_CHARACTERS = 1024

_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PLAIN_ENCODINGS = frozenset({"", "7bit", "8bit", "binary"})


class BadMultipart(HubError):
    """The body is not a form as this route takes it; `code` says what is wrong."""

    default = "The upload could not be read. Nothing was saved. Go back and try again."


class TooLarge(HubError):
    """A file, a field or the whole body is larger than this route takes."""

    default = "What you sent is too large. Nothing was saved."


class CutShort(HubError):
    """The body ended early: the sender hung up."""

    default = "The upload broke off. Nothing was saved. Try again."

    def __init__(self) -> None:
        super().__init__("cut_short")


@dataclass(frozen=True)
class FieldPart:
    """One text field."""

    name: str
    value: str = field(repr=False)


@dataclass(frozen=True)
class FilePart:
    """One file, to be read before going on. `filename` and `content_type` are only the sender's claims.

    So is `announced`: what the body's length leaves for this file, if it is the last. An input left empty by the user arrives with an empty name and no blocks.
    """

    name: str
    filename: str
    content_type: str
    blocks: Iterator[bytes] = field(repr=False)
    announced: int = 0


@dataclass(frozen=True)
class _Limits:
    file_bytes: int
    field_bytes: int
    fields: int
    files: int

    @property
    def body_bytes(self) -> int:
        """The largest body that could keep to the limits."""
        parts = (self.fields + self.files) * HEADER_BYTES
        return self.files * self.file_bytes + self.fields * self.field_bytes + parts + HEADER_BYTES


def read_form_then_file(
    stream: IO[bytes],
    content_type: str | None,
    content_length: int | None,
    *,
    max_file_size: int,
    max_field_size: int,
    max_fields: int,
    max_files: int = 1,
) -> Iterator[FieldPart | FilePart]:
    """The parts of a form in their order. Nothing is read before the first is asked for.

    Raises BadMultipart, TooLarge or CutShort, here or later: an upload counts only once this iterator has
    ended, so store nothing for good before. When the last file's blocks end, the whole body has been read and
    found complete.
    """
    limits = _Limits(max_file_size, max_field_size, max_fields, max_files)
    boundary = _boundary(content_type)
    if content_length is None or content_length < 0:
        raise BadMultipart("length_required")
    if content_length > limits.body_bytes:
        raise TooLarge("body")
    return _Body(stream, boundary, content_length, limits).parts()


class _Body:
    """One body on its way through the decoder, never more than a block of it at a time."""

    def __init__(self, stream: IO[bytes], boundary: bytes, length: int, limits: _Limits) -> None:
        self.stream = stream
        self.unread = length
        self.limits = limits
        self.decoder = MultipartDecoder(boundary, BLOCK_BYTES + HEADER_BYTES)
        self.delimiter = b"--" + boundary
        self.undecided = re.compile(re.escape(self.delimiter) + rb"(-|[ \t\f\v]*)\Z")
        self.tail = b""
        self.names: set[str] = set()
        self.fields = 0
        self.files = 0

    def parts(self) -> Iterator[FieldPart | FilePart]:
        while (event := self._next()) is not None:
            if isinstance(event, File):
                part = self._file(event)
                yield part
                for _ in part.blocks:  # whatever the caller left unread
                    pass
            elif isinstance(event, Field):
                yield self._text(event)

    def _text(self, event: Field) -> FieldPart:
        name = _name(event.name, event.headers)
        self.fields += 1
        if self.files:
            raise BadMultipart("field_after_file")
        if self.fields > self.limits.fields:
            raise TooLarge("fields")
        if name in self.names:
            raise BadMultipart("field_twice")
        self.names.add(name)
        value = b"".join(self._data(self.limits.field_bytes, "field"))
        if b"\0" in value:
            raise BadMultipart("nul")
        try:
            return FieldPart(name, value.decode())
        except UnicodeDecodeError:
            raise BadMultipart("not_utf8") from None

    def _file(self, event: File) -> FilePart:
        name = _name(event.name, event.headers)
        self.files += 1
        if self.files > self.limits.files:
            raise TooLarge("files")
        if name in self.names:
            raise BadMultipart("field_twice")
        if _CONTROL.search(event.filename) or len(event.filename) > NAME_CHARACTERS:
            raise BadMultipart("filename")
        content_type = event.headers.get("content-type", "")
        return FilePart(name, event.filename, content_type, self._file_blocks(), self._announced())

    def _announced(self) -> int:
        """What is left of the body before the last delimiter, as every browser writes it."""
        around = len(b"\r\n") + len(b"\r\n" + self.delimiter + b"--\r\n")
        return max(0, self.unread + len(self.decoder.buffer) - around)

    def _file_blocks(self) -> Iterator[bytes]:
        yield from self._data(self.limits.file_bytes, "file")
        if self.decoder.state is State.EPILOGUE:
            self._end()

    def _data(self, limit: int, what: str) -> Iterator[bytes]:
        """The payload of the part just begun, stopped at the first byte over the limit."""
        size = 0
        while True:
            event = self._next()
            if not isinstance(event, Data):
                raise BadMultipart("malformed")
            size += len(event.data)
            if size > limit:
                raise TooLarge(what)
            if event.data:
                yield event.data
            if not event.more_data:
                return

    def _next(self) -> Event | None:
        """The decoder's next event, reading on as needed; None at the end of the form."""
        while self.decoder.state is not State.EPILOGUE:
            if self._starts_undecided():
                self._feed()
                continue
            try:
                event = self.decoder.next_event()
            except ValueError:  # no Content-Disposition, or headers that are not UTF-8
                raise BadMultipart("part_headers") from None
            if not isinstance(event, NeedData):
                return event
            self._feed()
        self._end()
        return None

    def _starts_undecided(self) -> bool:
        """Whether too little is there to tell a payload from the delimiter that ends an empty one."""
        begun = self.decoder.state is State.DATA_START
        return begun and self.unread > 0 and len(self.decoder.buffer) < len(self.delimiter) + 2 * len("\r\n")

    def _feed(self) -> None:
        block = self._whole_delimiter(self._read(BLOCK_BYTES))
        try:
            self.decoder.receive_data(block)
        except RequestEntityTooLarge:  # no delimiter, or a part's headers without end
            raise BadMultipart("malformed") from None

    def _whole_delimiter(self, block: bytes) -> bytes:
        """The block, and more of the stream while its end may be the middle of a delimiter."""
        keep = len(self.delimiter) + PADDING_BYTES
        end = self.tail + block
        added = 0
        while self.unread and self.undecided.search(end, max(0, len(end) - keep)):
            if added == PADDING_BYTES:
                raise BadMultipart("malformed")
            more = self._read(1)
            block += more
            end += more
            added += 1
        self.tail = end[-keep:]
        return block

    def _read(self, size: int) -> bytes:
        if not self.unread:
            raise BadMultipart("unfinished")
        try:
            block = self.stream.read(min(size, self.unread))
        except (OSError, ClientDisconnected):
            raise CutShort from None
        if not block:
            raise CutShort
        self.unread -= len(block)
        return block

    def _end(self) -> None:
        """Read what is declared after the last delimiter, if it is little: only then is the body whole."""
        if len(self.decoder.buffer) + self.unread > EPILOGUE_BYTES:
            raise BadMultipart("epilogue")
        while self.unread:
            self._read(self.unread)


def _boundary(content_type: str | None) -> bytes:
    kind, options = parse_options_header(content_type or "")
    boundary = options.get("boundary", "")
    if kind.lower() != "multipart/form-data" or not _BOUNDARY.fullmatch(boundary):
        raise BadMultipart("content_type")
    return boundary.encode("ascii")


def _name(name: str | None, headers: Headers) -> str:
    """The part's name, when its headers are those of a form part."""
    dispositions = headers.getlist("content-disposition")
    kind, _ = parse_options_header(dispositions[0])
    encoding = headers.get("content-transfer-encoding", "")
    if len(dispositions) != 1 or kind.lower() != "form-data" or encoding.lower() not in _PLAIN_ENCODINGS:
        raise BadMultipart("part_headers")
    if not name or _CONTROL.search(name) or len(name) > NAME_CHARACTERS:
        raise BadMultipart("part_name")
    return name
