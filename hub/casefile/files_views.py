"""The Files tab of a case: its files and what is hidden, adding some as streams, and downloading one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from flask import render_template, request
from werkzeug.wrappers import Response

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.attachments import actions, queries
from hub.attachments.choices import details_choices, sections_to_add
from hub.attachments.forms import FileForm, parse_file
from hub.attachments.holding import find_holds
from hub.attachments.limits import offer_of
from hub.attachments.receiving_many import MAX_AT_ONCE, Result, Taking, take_uploads
from hub.attachments.sending import as_download, asked
from hub.attachments.vocabulary import DOCUMENT_KIND_LABELS, FILE_SECTIONS, DocumentKind
from hub.casefile.page import open_case_page
from hub.core.errors import NotVisible
from hub.core.paging import Cursor
from hub.web.identity import current_actor
from hub.web.multipart import FilePart
from hub.web.narrowing import Filter, Narrowed
from hub.web.routes import Data, Pages

pages = Pages("case_files", __name__)
FIELDS = (
    "kind", "description", "marking", "source", "exhibit", "section", "audience",
    "taken_on-day", "taken_on-month", "taken_on-year",
)  # fmt: skip
HIDDEN = {"yes": "Hidden files"}


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

    def keep(form: FileForm, part: FilePart) -> UUID:
        return actions.attach(
            actor,
            case_id,
            name=part.filename,
            kind=form.kind,
            description=form.description,
            marking=form.marking,
            details=form.details,
            media_type=part.content_type,
            blocks=part.blocks,
            announced=part.announced,
        ).id

    return take_uploads(
        actor,
        Taking(
            parse=parse_file,
            keep=keep,
            original_of=lambda key: queries.find_original(actor, case_id, key),
            note_refusal=lambda why: actions.refuse_file(actor, case_id, why),
            address=lambda ids: f"/cases/{case_id}/files?added={','.join(str(key) for key in ids)}",
            again=lambda errors, values, results: _page(actor, case_id, errors, values, results),
            shown=FIELDS,
        ),
    )


def _page(
    actor: Actor,
    case_id: UUID,
    errors: Mapping[str, str],
    values: Mapping[str, str],
    results: Sequence[Result] = (),
) -> str:
    page = open_case_page(actor, case_id, "files")
    if not page.reads(*FILE_SECTIONS):
        raise NotVisible
    # the form on the same page has a field `kind` of its own
    narrowed = Narrowed(
        f"/cases/{case_id}/files",
        {"is": Filter("Kind of file", DOCUMENT_KIND_LABELS), "hidden": Filter("Show", HIDDEN)},
    )
    files = queries.find_attachments(
        actor,
        case_id,
        kind=DocumentKind(narrowed["is"]) if narrowed["is"] else None,
        hidden=bool(narrowed["hidden"]),
        cursor=Cursor.parse(narrowed.after),
    )
    page.mark(row.marking for row in files.rows)
    added = request.args.get("added", "").split(",")
    holds = find_holds(actor, case_id)
    return render_template(
        "casefile/files.html",
        page=page,
        files=files,
        added=[row for row in files.rows if str(row.id) in added],
        results=results if len(results) > 1 else (),
        whole_holds=[hold for hold in holds if hold.attachment_id is None],
        held={hold.attachment_id for hold in holds},
        narrowed=narrowed,
        errors=dict(errors),
        values=dict(values),
        hidden_choices=list(HIDDEN.items()),
        choices=details_choices(actor, sections_to_add(page.right, list(page.grants))),
        record_marking=page.case.marking,
        offer=offer_of(page.case.partnership_id),
        max_files=MAX_AT_ONCE,
    )


@pages.page(
    "/cases/<uuid:case_id>/files/<uuid:attachment_id>",
    needs=Permission.FILE_DOWNLOAD,
    event="attachment.downloaded",
    data=Data.PERSONAL,
)
def download(case_id: UUID, attachment_id: UUID) -> Response:
    return as_download(queries.open_attachment(current_actor(), case_id, attachment_id, asked()))
