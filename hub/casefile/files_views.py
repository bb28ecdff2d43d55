"""The Files tab of a case: its files, adding one as a stream, and downloading one.

The upload reads its body itself: the form's token and key are checked before the first byte of the file is taken, and
nothing of it is ever written to disk (`hub.web.multipart`). `request.form` and `request.files` stay untouched.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from flask import redirect, render_template, request
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wrappers import Response

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.access.vocabulary import Marking, Section
from hub.attachments import actions, queries
from hub.attachments.forms import MAX_DESCRIPTION, parse_file
from hub.attachments.limits import max_bytes, too_large
from hub.attachments.naming import disposition
from hub.attachments.types import ACCEPT, IN_WORDS
from hub.attachments.vocabulary import DOCUMENT_KIND_LABELS, DocumentKind
from hub.casefile.page import open_case_page
from hub.core.errors import Conflict, HubError, Invalid, NotVisible
from hub.core.paging import Cursor
from hub.extensions import db
from hub.web.gate import check_csrf
from hub.web.identity import current_actor
from hub.web.multipart import BadMultipart, CutShort, FilePart, TooLarge, read_form_then_file
from hub.web.narrowing import Filter, Narrowed
from hub.web.once import earlier, finish, parse_form_key
from hub.web.routes import Data, Pages

MAX_FIELD_BYTES = 32 * 1024
MAX_FIELDS = 10
# what is read and thrown away after a refusal, so that the browser hears the answer instead of a broken line
DRAIN_TIMES_LIMIT = 2
DRAIN_SECONDS = 15.0
SANDBOX = "sandbox; default-src 'none'"

pages = Pages("case_files", __name__)


@dataclass
class _Received:
    """What has come of the form so far: shown again when the file is refused."""

    values: dict[str, str] = field(default_factory=dict)


@pages.page(
    "/cases/<uuid:case_id>/files", needs=Permission.CASE_READ, event="case.opened", data=Data.PERSONAL
)
def home(case_id: UUID) -> str:
    return _page(current_actor(), case_id, {}, {})


@pages.page(
    "/cases/<uuid:case_id>/files",
    needs=Permission.FILE_ATTACH,
    event="attachment.added",
    data=Data.PERSONAL,
    methods=("POST",),
    streams=True,
)
def upload(case_id: UUID) -> Response | tuple[str, int]:
    actor = current_actor()
    received = _Received()
    # the application's small limit is for forms without files; the reader of this one has its own, and says so on the page
    request.max_content_length = sys.maxsize
    try:
        return redirect(_receive(actor, case_id, received), 303)
    except (Invalid, Conflict, BadMultipart, TooLarge, CutShort) as error:
        db.session.rollback()
        refusal = _refusal(error)
        actions.refuse_file(actor, case_id, refusal.why)
        db.session.commit()
        return _page(actor, case_id, refusal.errors, received.values), refusal.status
    finally:
        _drain()


def _receive(actor: Actor, case_id: UUID, received: _Received) -> str:
    """Reads the form and keeps the file; the address to go to. Commits."""
    fields: dict[str, str] = {}
    limit = max_bytes()
    parts = read_form_then_file(
        request.stream,
        request.content_type,
        request.content_length,
        max_file_size=limit,
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
        received.values.update({name: fields.get(name, "") for name in ("kind", "description", "marking")})
        begun = earlier(actor, key)
        # the key is taken for good with the row at the end: no transaction is held over the stream
        db.session.rollback()
        if begun is not None:
            return begun
        attachment_id = _attach(actor, case_id, fields, part)
        address = f"/cases/{case_id}/files?added={attachment_id}"
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


def _attach(actor: Actor, case_id: UUID, fields: Mapping[str, str], part: FilePart) -> UUID:
    form = parse_file(fields)
    if not part.filename:
        raise Invalid("no_file", errors={"file": "Choose a file"})
    return actions.attach(
        actor,
        case_id,
        name=part.filename,
        kind=form.kind,
        description=form.description,
        marking=form.marking,
        media_type=part.content_type,
        blocks=part.blocks,
    ).id


@dataclass(frozen=True)
class _Refusal:
    why: str
    errors: dict[str, str]
    status: int


def _refusal(error: HubError) -> _Refusal:
    """The refusal as the page shows it; a form that is not ours goes to the error page instead."""
    if isinstance(error, Invalid):
        if error.code in ("bad_form_token", "bad_form_key", "foreign_form_key"):
            raise error
        status = 413 if error.code == "file_too_large" else 422
        return _Refusal(error.code, error.errors or {"file": error.message}, status)
    if isinstance(error, TooLarge):
        sentence = too_large(max_bytes()).errors["file"]
        return _Refusal("file_too_large", {"file": sentence}, 413)
    if isinstance(error, Conflict):
        return _Refusal(error.code, {"file": error.message}, 409)
    return _Refusal(error.code, {"file": error.message}, 411 if error.code == "length_required" else 400)


def _drain() -> None:
    """Reads on to the end of the body, within bounds: an answer sent before would be lost with the line."""
    until = time.monotonic() + DRAIN_SECONDS
    left = DRAIN_TIMES_LIMIT * max_bytes()
    try:
        while left > 0 and time.monotonic() < until and (block := request.stream.read(64 * 1024)):
            left -= len(block)
    except (OSError, ClientDisconnected):
        pass


def _page(actor: Actor, case_id: UUID, errors: Mapping[str, str], values: Mapping[str, str]) -> str:
    page = open_case_page(actor, case_id, "files")
    if not page.reads(Section.FILES):
        raise NotVisible
    # the form on the same page has a field `kind` of its own
    narrowed = Narrowed(f"/cases/{case_id}/files", {"is": Filter("Kind of file", DOCUMENT_KIND_LABELS)})
    only = DocumentKind(narrowed["is"]) if narrowed["is"] else None
    files = queries.find_attachments(actor, case_id, kind=only, cursor=Cursor.parse(narrowed.after))
    page.mark(row.marking for row in files.rows)
    added = request.args.get("added", "")
    return render_template(
        "casefile/files.html",
        page=page,
        files=files,
        added=next((row for row in files.rows if str(row.id) == added), None),
        not_scanned=any(row.scan_state in ("not_scanned", "pending") for row in files.rows),
        narrowed=narrowed,
        errors=dict(errors),
        values=dict(values),
        kinds=[(kind.value, label) for kind, label in DOCUMENT_KIND_LABELS.items()],
        markings=[(str(int(one)), one.label) for one in Marking if one <= actor.clearance],
        max_bytes=max_bytes(),
        max_description=MAX_DESCRIPTION,
        accept=ACCEPT,
        in_words=IN_WORDS,
    )


@pages.page(
    "/cases/<uuid:case_id>/files/<uuid:attachment_id>",
    needs=Permission.FILE_DOWNLOAD,
    event="attachment.downloaded",
    data=Data.PERSONAL,
)
def download(case_id: UUID, attachment_id: UUID) -> Response:
    found = queries.open_attachment(current_actor(), case_id, attachment_id)
    response = Response(found.blocks, mimetype=None, content_type=found.meta.media_type)
    response.headers["Content-Length"] = str(found.meta.size)
    response.headers["Content-Disposition"] = disposition(found.meta.name)
    response.headers["Content-Security-Policy"] = SANDBOX
    response.headers["Accept-Ranges"] = "none"
    return response
