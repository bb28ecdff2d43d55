"""The access history of a case, for those who lead it: partners in numbers, one's own people by name."""

from __future__ import annotations

from uuid import UUID

from flask import render_template

from hub.access.permissions import Permission
from hub.accounts.queries import organisation_names, user_names
from hub.audit.queries import find_looks
from hub.casefile.page import open_case_page
from hub.core.errors import Denied
from hub.web.identity import current_actor
from hub.web.routes import Data, Pages

pages = Pages("case_access", __name__)


@pages.page(
    "/cases/<uuid:case_id>/access", needs=Permission.CASE_READ, event="case.opened", data=Data.PERSONAL
)
def access(case_id: UUID) -> str:
    actor = current_actor()
    page = open_case_page(actor, case_id, "access")
    if not page.right.leads:
        raise Denied("not_lead", "Only those who lead the case see who has looked at it.")
    looks = find_looks(actor, case_id)
    organisations = organisation_names(one.organisation_id for one in looks)
    names = user_names(one.user_id for one in looks if one.user_id)
    rows = [
        {
            "name": names.get(one.user_id, "A colleague")
            if one.user_id
            else organisations.get(one.organisation_id, ""),
            "opened": one.opened,
            "listed": one.listed,
            "changed": one.changed,
            "refused": one.refused,
            "last_at": one.last_at,
            "own": one.organisation_id == actor.organisation_id,
        }
        for one in looks
    ]
    return render_template(
        "casefile/access.html",
        page=page,
        own=[row for row in rows if row["own"]],
        partners=[row for row in rows if not row["own"]],
        organisation=actor.organisation_name,
    )
