"""The People and places tab of a case, and the steps that add to it."""

from __future__ import annotations

from uuid import UUID

from flask import render_template

from hub.access.permissions import Permission
from hub.access.vocabulary import RecordKind, Section
from hub.accounts.queries import organisation_names
from hub.casefile.involving_views import add_steps
from hub.casefile.page import open_case_page
from hub.core.errors import NotVisible
from hub.people.queries import PersonInRecord, find_people_of
from hub.places.queries import PlaceInRecord, find_places_of
from hub.vehicles.queries import VehicleInRecord, find_vehicles_of
from hub.web.identity import current_actor
from hub.web.routes import Data, Pages

pages = Pages("case_people", __name__)
BASE = "/cases/<uuid:case_id>"


@pages.page(f"{BASE}/people", needs=Permission.CASE_READ, event="case.opened", data=Data.PERSONAL)
def show(case_id: UUID) -> str:
    actor = current_actor()
    page = open_case_page(actor, case_id, "people")
    if not page.reads(Section.PEOPLE, Section.VICTIM):
        raise NotVisible
    people = find_people_of(actor, [case_id]).get(case_id, [])
    places = find_places_of(actor, [case_id]).get(case_id, [])
    vehicles = find_vehicles_of(actor, [case_id]).get(case_id, [])
    items: list[PersonInRecord | PlaceInRecord | VehicleInRecord] = [*people, *places, *vehicles]
    page.mark(one.marking for one in items)
    return render_template(
        "casefile/people.html",
        page=page,
        base=f"/cases/{case_id}",
        people=people,
        places=places,
        vehicles=vehicles,
        organisations=organisation_names(one.contributor_organisation_id for one in items),
        own=actor.organisation_id,
    )


add_steps(pages, RecordKind.CASE, BASE, "case_id")
