"""The papers of an agreement: adding the signed document as a stream, and downloading it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from flask import flash, render_template
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.agreements.notices import address_of
from hub.agreements.queries import open_agreement
from hub.attachments.limits import max_bytes
from hub.attachments.papers import add_paper, find_papers, open_paper, refuse_paper
from hub.attachments.receiving import take_upload
from hub.attachments.sending import as_download, asked
from hub.attachments.types import PAPERS, PAPERS_IN_WORDS, accept_of
from hub.core import clock
from hub.core.errors import Denied
from hub.web.identity import current_actor
from hub.web.multipart import FilePart
from hub.web.routes import Data, Pages

pages = Pages("papers", __name__)


@pages.page(
    "/agreements/<uuid:agreement_id>/papers",
    needs=Permission.ACCOUNT_MANAGE,
    event="agreement.opened",
    data=Data.STAFF,
)
def home(agreement_id: UUID) -> str:
    return _page(agreement_id, {})


@pages.page(
    "/agreements/<uuid:agreement_id>/papers",
    needs=Permission.ACCOUNT_MANAGE,
    event="paper.added",
    data=Data.STAFF,
    methods=("POST",),
    streams=True,
)
def add(agreement_id: UUID) -> Response | tuple[str, int]:
    actor = current_actor()

    def keep(_: Mapping[str, str], part: FilePart) -> str:
        add_paper(
            actor, agreement_id=agreement_id, name=part.filename, blocks=part.blocks, announced=part.announced
        )
        flash("The paper was encrypted and stored. Every party can read it.", "success")
        return address_of(agreement_id)

    return take_upload(
        actor, keep, lambda _: refuse_paper(actor), lambda errors, _: _page(agreement_id, errors)
    )


@pages.page(
    "/agreements/<uuid:agreement_id>/papers/<uuid:paper_id>",
    needs=Permission.AGREEMENT_READ,
    event="paper.downloaded",
    data=Data.STAFF,
)
def download(agreement_id: UUID, paper_id: UUID) -> Response:
    return as_download(open_paper(current_actor(), paper_id, asked(), agreement_id=agreement_id))


def _page(agreement_id: UUID, errors: dict[str, str]) -> str:
    actor = current_actor()
    entry = open_agreement(actor, agreement_id)
    if not entry.terms.takes_part(actor.organisation_id, clock.now()):
        raise Denied("left", "Your organisation is no longer a party to this agreement.")
    return render_template(
        "agreements/papers.html",
        agreement=entry.terms.agreement,
        papers=find_papers(actor, agreement_id=agreement_id),
        errors=errors,
        accept=accept_of(PAPERS),
        in_words=PAPERS_IN_WORDS,
        max_bytes=max_bytes(),
    )
