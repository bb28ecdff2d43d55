"""The list of people. The page of one person is composed in `casefile`, where incidents are known too."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import render_template, request

from hub.access.permissions import Permission
from hub.core.paging import Cursor
from hub.people.queries import list_people
from hub.people.vocabulary import INVOLVEMENT_ROLE_LABELS, InvolvementRole
from hub.web.context import mark_page
from hub.web.identity import current_actor
from hub.web.routes import Data, Pages

pages = Pages("people", __name__)
ADDRESS = "/people"


@pages.page(ADDRESS, needs=Permission.PERSON_READ, event="person.listed", data=Data.PERSONAL)
def index() -> str:
    given = request.args.get("role", "")
    role = InvolvementRole(given) if given in set(InvolvementRole) else None
    page = list_people(current_actor(), role=role, cursor=Cursor.parse(request.args.get("after")))
    mark_page(max((row.person.marking for row in page.rows), default=0), "personal data")
    kept = {"role": role.value} if role else {}
    label = INVOLVEMENT_ROLE_LABELS[role] if role else ""
    return render_template(
        "people/list.html",
        rows=page.rows,
        role=role.value if role else "",
        roles=list(INVOLVEMENT_ROLE_LABELS.items()),
        applied=[{"label": "Role", "items": [{"text": label, "remove_href": ADDRESS}]}] if role else [],
        next_href=f"{ADDRESS}?{urlencode({**kept, 'after': page.next_cursor})}" if page.next_cursor else None,
        first_href=f"{ADDRESS}?{urlencode(kept)}" if request.args.get("after") else None,
    )
