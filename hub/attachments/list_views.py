"""The list of a case's files to take away: why it is taken, then a PDF or a CSV."""

from __future__ import annotations

from uuid import UUID

from flask import request
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.attachments.forms import parse_reason
from hub.attachments.listing import (
    HEADINGS,
    PAPER_HEADINGS,
    PAPER_WIDTHS,
    EvidenceList,
    evidence_row,
    list_evidence,
    paper_row,
)
from hub.core import clock
from hub.web.documents import Paper, as_pdf
from hub.web.filters import format_datetime
from hub.web.identity import current_actor
from hub.web.routes import Data, Limit, Pages
from hub.web.spreadsheets import as_csv

pages = Pages("case_file_list", __name__)
LIST = "/cases/<uuid:case_id>/files/list"


@pages.page(
    f"{LIST}.csv",
    needs=Permission.FILE_DOWNLOAD,
    event="evidence.exported",
    data=Data.PERSONAL,
    methods=("POST",),
    fresh=True,
    limit=Limit.EXPORT,
)
def as_table(case_id: UUID) -> Response:
    found = list_evidence(current_actor(), case_id, reason=parse_reason(request.form), form="csv")
    first, *others = _above(found)
    rows = (evidence_row(number, file) for number, file in enumerate(found.files, 1))
    return as_csv(f"files-{found.reference}.csv", first, [*others, (), HEADINGS, *rows])


@pages.page(
    f"{LIST}.pdf",
    needs=Permission.FILE_DOWNLOAD,
    event="evidence.exported",
    data=Data.PERSONAL,
    methods=("POST",),
    fresh=True,
    limit=Limit.EXPORT,
)
def on_paper(case_id: UUID) -> Response:
    actor = current_actor()
    found = list_evidence(actor, case_id, reason=parse_reason(request.form), form="pdf")
    paper = Paper(
        title=f"Files of case {found.reference}",
        marking=found.marking.label,
        reader=f"{actor.name}, {actor.organisation_name}",
        taken_at=clock.now(),
        above=[("Files", str(len(found.files)))],
        headings=PAPER_HEADINGS,
        widths=PAPER_WIDTHS,
    )
    rows = (paper_row(number, file) for number, file in enumerate(found.files, 1))
    return as_pdf(f"files-{found.reference}.pdf", paper, rows)


def _above(found: EvidenceList) -> list[tuple[str, str]]:
    """What stands before the first row of the table."""
    actor = current_actor()
    return [
        ("Files of case", found.reference),
        ("Marking", found.marking.label),
        ("Taken by", f"{actor.name}, {actor.organisation_name}"),
        ("Taken on", format_datetime(clock.now())),
        ("Files", str(len(found.files))),
    ]
