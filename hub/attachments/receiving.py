"""An upload over HTTP: the form's fields first, then the file as a stream, of which nothing is ever written to disk.

The form's token and key are checked before the first byte of the file is taken (`hub.web.multipart`). `request.form` and
`request.files` stay untouched.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from flask import redirect, request
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wrappers import Response

from hub.access.actor import Actor
from hub.attachments.limits import max_bytes, too_large
from hub.core.errors import Conflict, HubError, Invalid
from hub.extensions import db
from hub.web.gate import check_csrf
from hub.web.multipart import BadMultipart, CutShort, FilePart, TooLarge, read_form_then_file
from hub.web.once import earlier, finish, parse_form_key

MAX_FIELD_BYTES = 32 * 1024
MAX_FIELDS = 20
# what is read and thrown away after a refusal, so that the browser hears the answer instead of a broken line
DRAIN_TIMES_LIMIT = 2
DRAIN_SECONDS = 15.0

# What is done with the fields and the file: stores it and tells the address to go to
Keep = Callable[[Mapping[str, str], FilePart], str]
# Writes down that the file was refused, and why; the page again, with its errors and what had come of the form
NoteRefusal = Callable[[str], None]
Again = Callable[[dict[str, str], dict[str, str]], str]


@dataclass(frozen=True)
class Refusal:
    """A refusal as a page shows it."""

    why: str
    errors: dict[str, str]
    status: int


def take_upload(
    actor: Actor, keep: Keep, note_refusal: NoteRefusal, again: Again, *, shown: Collection[str] = ()
) -> Response | tuple[str, int]:
    """The answer to an upload: on to where it was kept, or its page again with what is wrong. Commits.

    `shown` are the fields whose values the page gets back.
    """
    values: dict[str, str] = {}
    try:
        return redirect(_receive(actor, keep, values, shown), 303)
    except (Invalid, Conflict, BadMultipart, TooLarge, CutShort) as error:
        db.session.rollback()
        refusal = refusal_of(error)
        note_refusal(refusal.why)
        db.session.commit()
        return again(refusal.errors, values), refusal.status
    finally:
        drain()


def _receive(actor: Actor, keep: Keep, values: dict[str, str], shown: Collection[str]) -> str:
    """Reads the form and has the file kept; the address to go to."""
    # the application's small limit is for forms without files; the reader of this one has its own, and says so on the page
    request.max_content_length = sys.maxsize
    fields: dict[str, str] = {}
    parts = read_form_then_file(
        request.stream,
        request.content_type,
        request.content_length,
        max_file_size=max_bytes(),
        max_field_size=MAX_FIELD_BYTES,
        max_fields=MAX_FIELDS,
    )
    key, address = None, ""
    for part in parts:
        if not isinstance(part, FilePart):
            fields[part.name] = part.value
            continue
        check_csrf(fields.get("csrf_token") or request.headers.get("X-CSRF-Token"))
        key = parse_form_key(fields.get("form_key"))
        values.update({name: fields.get(name, "") for name in shown})
        begun = earlier(actor, key)
        # the key is taken for good with the row at the end: no transaction is held over the stream
        db.session.rollback()
        if begun is not None:
            return begun
        if not part.filename:
            raise Invalid("no_file", errors={"file": "Choose a file"})
        address = keep(fields, part)
    if key is None:
        check_csrf(fields.get("csrf_token") or request.headers.get("X-CSRF-Token"))
        raise Invalid("no_file", errors={"file": "Choose a file"})
    begun = earlier(actor, key)
    if begun is not None:  # the same form came twice at once, and the other was first: this file is swept
        db.session.rollback()
        return begun
    finish(key, address)
    db.session.commit()
    return address


def refusal_of(error: HubError) -> Refusal:
    """The refusal as the page shows it; a form that is not ours goes to the error page instead."""
    if isinstance(error, Invalid):
        if error.code in ("bad_form_token", "bad_form_key", "foreign_form_key"):
            raise error
        status = 413 if error.code == "file_too_large" else 422
        return Refusal(error.code, error.errors or {"file": error.message}, status)
    if isinstance(error, TooLarge):
        sentence = too_large(max_bytes()).errors["file"]
        return Refusal("file_too_large", {"file": sentence}, 413)
    if isinstance(error, Conflict):
        return Refusal(error.code, {"file": error.message}, 409)
    return Refusal(error.code, {"file": error.message}, 411 if error.code == "length_required" else 400)


def drain() -> None:
    """Reads on to the end of the body, within bounds: an answer sent before would be lost with the line."""
    until = time.monotonic() + DRAIN_SECONDS
    left = DRAIN_TIMES_LIMIT * max_bytes()
    try:
        while left > 0 and time.monotonic() < until and (block := request.stream.read(64 * 1024)):
            left -= len(block)
    except (OSError, ClientDisconnected):
        pass
