"""The summary of a case: the first page that its readers meet."""

from __future__ import annotations

from uuid import UUID

from flask import render_template

from hub.access.permissions import Permission
from hub.casefile.log_views import entry_form
from hub.casefile.page import open_case_page
from hub.casefile.summary import find_summary
from hub.web.identity import current_actor
from hub.web.routes import Data, Pages

pages = Pages("casefile", __name__)


@pages.page("/cases/<uuid:case_id>", needs=Permission.CASE_READ, event="case.opened", data=Data.PERSONAL)
def summary(case_id: UUID) -> str:
    actor = current_actor()
    page = open_case_page(actor, case_id, "summary")
    found = find_summary(actor, page)
    page.mark(found.markings)
    return render_template(
        "casefile/summary.html", page=page, found=found, errors={}, form=entry_form(actor, page)
    )
