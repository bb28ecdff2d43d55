"""The page for those who lead a case: which organisations have looked at it, how often in which month, and no people."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask import render_template

from hub.access.permissions import Permission
from hub.accounts.queries import organisation_names
from hub.audit.reporting import find_months
from hub.cases.queries import open_case
from hub.core.errors import Denied
from hub.web.context import mark_page
from hub.web.identity import current_actor
from hub.web.routes import Data, Pages

pages = Pages("case_seen", __name__)


@pages.page("/cases/<uuid:case_id>/seen", needs=Permission.CASE_READ, event="case.opened", data=Data.PERSONAL)
def seen(case_id: UUID) -> str:
    actor = current_actor()
    found = open_case(actor, case_id, "seen")
    if not found.right.leads:
        raise Denied("not_lead", "Only those who lead the case see who has looked at it.")
    mark_page(found.case.marking, "personal data")
    # a member of the lead team who is employed elsewhere reads another log, which does not tell it all
    whole = found.case.owner_organisation_id == actor.organisation_id
    months = find_months(actor, case_id) if whole else []
    names = organisation_names(one.organisation_id for one in months)
    rows = [
        {
            "month": date.fromisoformat(f"{one.month}-01").strftime("%B %Y"),
            "organisation": names.get(one.organisation_id, ""),
            "opened": one.opened,
            "listed": one.listed,
        }
        for one in months
    ]
    return render_template("reviews/seen.html", case=found.case, rows=rows, whole=whole)
