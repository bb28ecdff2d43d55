"""Seeing a file of a case without having it: a page with marked copies, and the copies themselves."""

from __future__ import annotations

from uuid import UUID

from flask import render_template, request
from werkzeug.wrappers import Response

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.attachments import previewing
from hub.attachments.models import Attachment
from hub.attachments.queries import open_row
from hub.attachments.releasing import name_of
from hub.attachments.sending import SANDBOX
from hub.core.errors import NotVisible
from hub.rendering.running import Rendered
from hub.web.context import mark_page
from hub.web.identity import current_actor
from hub.web.routes import Data, Pages

pages = Pages("case_previews", __name__)
ADDRESS = "/cases/<uuid:case_id>/files/<uuid:attachment_id>/preview"
ACT = "attachment.previewed"


@pages.page(ADDRESS, needs=Permission.FILE_PREVIEW, event=ACT, data=Data.PERSONAL)
def show(case_id: UUID, attachment_id: UUID) -> str:
    actor = current_actor()
    row = _open(actor, case_id, attachment_id)
    file = {"name": name_of(row, row.record_id), "size": row.size, "description": row.description}
    marking = row.item_marking
    href = f"/cases/{case_id}/files/{attachment_id}"
    shown = previewing.look_at(actor, row)
    number = request.args.get("page", 1, type=int)
    if shown.pages and not 1 <= number <= shown.pages:
        raise NotVisible
    mark_page(marking, "personal data")
    return render_template(
        "casefile/file_preview.html",
        file=file,
        marked=bool(marking),
        shown=shown,
        number=number,
        href=href,
        files_href=f"/cases/{case_id}/files",
        case_href=f"/cases/{case_id}",
    )


@pages.page(f"{ADDRESS}/<int:number>.png", needs=Permission.FILE_PREVIEW, event=ACT, data=Data.PERSONAL)
def picture(case_id: UUID, attachment_id: UUID, number: int) -> Response:
    actor = current_actor()
    return _as_picture(previewing.draw(actor, _open(actor, case_id, attachment_id, again=True), number))


@pages.page(f"{ADDRESS}/thumb", needs=Permission.FILE_PREVIEW, event=ACT, data=Data.PERSONAL)
def thumbnail(case_id: UUID, attachment_id: UUID) -> Response:
    actor = current_actor()
    row = _open(actor, case_id, attachment_id, again=True)
    return _as_picture(previewing.draw(actor, row, 1, small=True))


def _open(actor: Actor, case_id: UUID, attachment_id: UUID, *, again: bool = False) -> Attachment:
    actor.check_may(Permission.FILE_PREVIEW)
    return open_row(actor, case_id, attachment_id, ACT, again=again)


def _as_picture(drawn: Rendered) -> Response:
    """Shown in a page of the hub's own, and never run as anything else."""
    response = Response(drawn.picture, content_type="image/png")
    response.headers["Content-Security-Policy"] = SANDBOX
    return response
