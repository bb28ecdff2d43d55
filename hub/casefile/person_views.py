"""The page of one person: what each organisation tells, the records they have a role in, the incidents in order."""

from __future__ import annotations

from uuid import UUID

from flask import render_template

from hub.access.permissions import Permission
from hub.cases.queries import find_case_rows
from hub.incidents.queries import find_incident_rows
from hub.people.queries import open_person
from hub.web.context import mark_page
from hub.web.identity import current_actor
from hub.web.routes import Data, Pages

pages = Pages("person", __name__)


@pages.page(
    "/people/<uuid:person_id>", needs=Permission.PERSON_READ, event="person.opened", data=Data.PERSONAL
)
def show(person_id: UUID) -> str:
    actor = current_actor()
    person = open_person(actor, person_id)
    cases = {row.id: row for row in find_case_rows(actor, person.record_ids)}
    incidents = find_incident_rows(actor, person.record_ids)
    around = [*(row.marking for row in cases.values()), *(row.marking for row in incidents)]
    mark_page(max([person.marking, *around]), "personal data")
    roles: dict[UUID, list[str]] = {}
    for one in person.roles:
        roles.setdefault(one.record_id, []).append(one.role_label)
    titles = {**{row.id: row.title for row in incidents}, **{key: row.title for key, row in cases.items()}}
    return render_template(
        "people/person.html", person=person, cases=cases, incidents=incidents, roles=roles, titles=titles
    )
