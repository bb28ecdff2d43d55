"""The papers of an assurance: adding evidence as a stream, and downloading it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from flask import flash, render_template
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.assurances.queries import open_assurance
from hub.attachments.limits import max_bytes
from hub.attachments.papers import add_paper, find_papers, open_paper, refuse_paper
from hub.attachments.receiving import take_upload
from hub.attachments.sending import as_download, asked
from hub.attachments.types import PAPERS, PAPERS_IN_WORDS, accept_of
from hub.web.identity import current_actor
from hub.web.multipart import FilePart
from hub.web.routes import Data, Pages

pages = Pages("evidence", __name__)


@pages.page(
    "/assurance/<uuid:assurance_id>/papers",
    needs=Permission.ACCOUNT_MANAGE,
    event="assurance.opened",
    data=Data.STAFF,
)
def home(assurance_id: UUID) -> str:
    return _page(assurance_id, {})


@pages.page(
    "/assurance/<uuid:assurance_id>/papers",
    needs=Permission.ACCOUNT_MANAGE,
    event="paper.added",
    data=Data.STAFF,
    methods=("POST",),
    streams=True,
)
def add(assurance_id: UUID) -> Response | tuple[str, int]:
    actor = current_actor()
    address = f"/assurance/{assurance_id}/papers"

    def keep(_: Mapping[str, str], part: FilePart) -> str:
        add_paper(
            actor, assurance_id=assurance_id, name=part.filename, blocks=part.blocks, announced=part.announced
        )
        flash(
            "The paper was encrypted and stored. The administrators of your partners can read it.", "success"
        )
        return address

    return take_upload(
        actor, keep, lambda _: refuse_paper(actor), lambda errors, _: _page(assurance_id, errors)
    )


@pages.page(
    "/assurance/<uuid:assurance_id>/papers/<uuid:paper_id>",
    needs=Permission.ACCOUNT_MANAGE,
    event="paper.downloaded",
    data=Data.STAFF,
)
def download(assurance_id: UUID, paper_id: UUID) -> Response:
    return as_download(open_paper(current_actor(), paper_id, asked(), assurance_id=assurance_id))


def _page(assurance_id: UUID, errors: dict[str, str]) -> str:
    actor = current_actor()
    return render_template(
        "assurances/papers.html",
        assurance=open_assurance(actor, assurance_id),
        papers=find_papers(actor, assurance_id=assurance_id),
        errors=errors,
        accept=accept_of(PAPERS),
        in_words=PAPERS_IN_WORDS,
        max_bytes=max_bytes(),
    )
