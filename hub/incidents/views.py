"""Pages of incidents: the list, and the form that logs one. The page of one incident is composed in `casefile`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlencode

from flask import render_template, request
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.access.vocabulary import Marking
from hub.core import clock
from hub.core.errors import Invalid
from hub.core.paging import Cursor
from hub.extensions import db
from hub.incidents.actions import log_incident
from hub.incidents.forms import parse_incident
from hub.incidents.queries import IncidentFilter, list_incidents
from hub.incidents.vocabulary import INCIDENT_KIND_LABELS, INCIDENT_SOURCE_LABELS, IncidentSource
from hub.places.vocabulary import PLACE_KIND_LABELS
from hub.web import drafts
from hub.web.context import mark_page
from hub.web.identity import current_actor
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("incidents", __name__)
ADDRESS = "/incidents"
PERIODS = {"7": "Last 7 days", "28": "Last 28 days", "365": "Last 12 months"}
DRAFT = drafts.form_name("incidents.log")


@pages.page(ADDRESS, needs=Permission.INCIDENT_READ, event="incident.listed", data=Data.PERSONAL)
def index() -> str:
    actor = current_actor()
    chosen = _chosen()
    days = chosen["period"]
    wanted = IncidentFilter(
        kinds=tuple(chosen["kind"]),
        sources=tuple(chosen["source"]),
        first=clock.now() - timedelta(days=int(days[0])) if days else None,
        where=chosen["where"][0] if chosen["where"] else "",
    )
    page = list_incidents(actor, wanted, cursor=Cursor.parse(request.args.get("after")))
    mark_page(max((row.marking for row in page.rows), default=0), "personal data")
    return render_template(
        "incidents/list.html",
        rows=page.rows,
        next_href=_address(chosen, after=page.next_cursor) if page.next_cursor else None,
        first_href=_address(chosen) if request.args.get("after") else None,
        applied=_applied(chosen),
        chosen=chosen,
        kinds=list(INCIDENT_KIND_LABELS.items()),
        sources=list(INCIDENT_SOURCE_LABELS.items()),
        periods=list(PERIODS.items()),
        may_log=actor.may(Permission.INCIDENT_LOG),
    )


def _chosen() -> dict[str, list[str]]:
    """The filters of the address, without what is not in the lists."""
    return {
        "kind": [one for one in request.args.getlist("kind") if one in INCIDENT_KIND_LABELS],
        "source": [one for one in request.args.getlist("source") if one in INCIDENT_SOURCE_LABELS],
        "period": [one for one in request.args.getlist("period")[:1] if one in PERIODS],
        "where": [one.strip()[:100] for one in request.args.getlist("where")[:1] if one.strip()],
    }


def _address(chosen: Mapping[str, list[str]], *, after: str | None = None) -> str:
    parts = [(name, one) for name, values in chosen.items() for one in values]
    parts += [("after", after)] if after else []
    return f"{ADDRESS}?{urlencode(parts)}" if parts else ADDRESS


def _applied(chosen: Mapping[str, list[str]]) -> list[dict[str, object]]:
    labels: dict[str, tuple[str, Mapping[str, str]]] = {
        "kind": ("What happened", {key.value: label for key, label in INCIDENT_KIND_LABELS.items()}),
        "source": ("Who told us", {key.value: label for key, label in INCIDENT_SOURCE_LABELS.items()}),
        "period": ("When", PERIODS),
        "where": ("Where", {}),
    }
    groups: list[dict[str, object]] = []
    for name, values in chosen.items():
        title, words = labels[name]
        items = [
            {
                "text": words.get(one, one),
                "remove_href": _address({**chosen, name: [each for each in values if each != one]}),
            }
            for one in values
        ]
        if items:
            groups.append({"label": title, "items": items})
    return groups


@pages.page(
    f"{ADDRESS}/new",
    needs=Permission.INCIDENT_LOG,
    event="incident.logged",
    data=Data.PERSONAL,
    methods=("GET", "POST"),
)
def log() -> Response | str | tuple[str, int]:
    actor = current_actor()
    if request.method == "GET":
        draft = drafts.find(actor, DRAFT) or {}
        return _form({name: given[0] for name, given in draft.items() if given}, {}, drafted=bool(draft))

    def act() -> str:
        incident = log_incident(actor, parse_incident(request.form))
        return f"{ADDRESS}/{incident.id}/logged"

    try:
        return once(actor, act, draft=DRAFT)
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _form(request.form, invalid.errors), 422


def _form(values: Mapping[str, str], errors: dict[str, str], *, drafted: bool = False) -> str:
    sources = [
        (key, label) for key, label in INCIDENT_SOURCE_LABELS.items() if key is not IncidentSource.IMPORTED
    ]
    return render_template(
        "incidents/new.html",
        values=values,
        errors=errors,
        drafted=drafted,
        draft_key=DRAFT,
        kinds=list(INCIDENT_KIND_LABELS.items()),
        sources=sources,
        place_kinds=list(PLACE_KIND_LABELS.items()),
        markings=[(marking.value, marking.label) for marking in Marking],
        today=clock.today(),
    )
