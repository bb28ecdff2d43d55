"""The Files tab of a case: its files, adding one as a stream, and downloading one."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from flask import render_template, request
from werkzeug.wrappers import Response

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.access.vocabulary import Marking, Section
from hub.attachments import actions, queries
from hub.attachments.forms import MAX_DESCRIPTION, parse_file
from hub.attachments.limits import max_bytes
from hub.attachments.receiving import take_upload
from hub.attachments.sending import as_download, asked
from hub.attachments.types import ACCEPT, IN_WORDS
from hub.attachments.vocabulary import DOCUMENT_KIND_LABELS, DocumentKind
from hub.casefile.page import open_case_page
from hub.core.errors import NotVisible
from hub.core.paging import Cursor
from hub.web.identity import current_actor
from hub.web.multipart import FilePart
from hub.web.narrowing import Filter, Narrowed
from hub.web.routes import Data, Pages

pages = Pages("case_files", __name__)


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

    def keep(fields: Mapping[str, str], part: FilePart) -> str:
        return f"/cases/{case_id}/files?added={_attach(actor, case_id, fields, part)}"

    return take_upload(
        actor,
        keep,
        lambda why: actions.refuse_file(actor, case_id, why),
        lambda errors, values: _page(actor, case_id, errors, values),
        shown=("kind", "description", "marking"),
    )


def _attach(actor: Actor, case_id: UUID, fields: Mapping[str, str], part: FilePart) -> UUID:
    form = parse_file(fields)
    return actions.attach(
        actor,
        case_id,
        name=part.filename,
        kind=form.kind,
        description=form.description,
        marking=form.marking,
        media_type=part.content_type,
        blocks=part.blocks,
        announced=part.announced,
    ).id


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
    return as_download(queries.open_attachment(current_actor(), case_id, attachment_id, asked()))
