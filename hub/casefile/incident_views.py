"""The page of one incident, what comes right after logging it, and the steps that add to it."""

from __future__ import annotations

from uuid import UUID

from flask import flash, render_template, request
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.access.vocabulary import RecordKind
from hub.casefile.incident_page import IncidentPage, find_case_by_reference, open_incident_page
from hub.casefile.involving_views import add_steps
from hub.cases.linking import link_incident
from hub.core.errors import Invalid
from hub.extensions import db
from hub.web.identity import current_actor
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("incident", __name__)
BASE = "/incidents/<uuid:incident_id>"


@pages.page(BASE, needs=Permission.INCIDENT_READ, event="incident.opened", data=Data.PERSONAL)
def show(incident_id: UUID) -> str:
    return _render(open_incident_page(current_actor(), incident_id))


def _render(page: IncidentPage, *, reference: str = "", errors: dict[str, str] | None = None) -> str:
    return render_template("casefile/incident.html", page=page, reference=reference, errors=errors or {})


@pages.page(f"{BASE}/logged", needs=Permission.INCIDENT_READ, event="incident.matched", data=Data.PERSONAL)
def logged(incident_id: UUID) -> str:
    page = open_incident_page(current_actor(), incident_id, act="incident.matched")
    return render_template("casefile/incident_logged.html", page=page)


@pages.page(
    f"{BASE}/cases",
    needs=Permission.CASE_CHANGE,
    event="case.incident_linked",
    data=Data.PERSONAL,
    methods=("POST",),
)
def attach(incident_id: UUID) -> Response | tuple[str, int]:
    """To a case chosen from the list of related ones (`case`), or by its reference as typed."""
    actor = current_actor()
    typed = request.form.get("reference", "")

    def act() -> str:
        case = link_incident(actor, _chosen_case(typed), incident_id)
        flash(f"The incident now belongs to {case.reference}.", "success")
        return f"/cases/{case.id}"

    try:
        return once(actor, act)
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _render(open_incident_page(actor, incident_id), reference=typed, errors=invalid.errors), 422


def _chosen_case(typed: str) -> UUID:
    chosen = request.form.get("case", "")
    if not chosen:
        return find_case_by_reference(current_actor(), typed)
    try:
        return UUID(chosen)
    except ValueError as error:
        raise Invalid("no_case", errors={"reference": "Select a case, or enter its reference"}) from error


add_steps(pages, RecordKind.INCIDENT, BASE, "incident_id")
