"""My work: the first page of the day, and the lists behind it. Those who read no content are led to their own desk."""

from __future__ import annotations

from datetime import timedelta

from flask import redirect, render_template
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.casefile.work import SHOWN_AT_MOST, open_work
from hub.casefile.work_lists import list_news, list_without_case
from hub.chronology.vocabulary import ENTRY_KIND_LABELS, EntryKind
from hub.core.paging import Cursor
from hub.incidents.vocabulary import INCIDENT_KIND_LABELS, IncidentKind
from hub.role_changes.queries import find_own_waiting
from hub.web.context import mark_page
from hub.web.identity import current_actor
from hub.web.narrowing import Filter, Narrowed
from hub.web.routes import Data, Door, Pages

pages = Pages("work", __name__)
NEWS, INCIDENTS = "/work/news", "/work/incidents"
PERIODS = {"7": "Last 7 days", "14": "Last 14 days", "28": "Last 28 days", "365": "Last 12 months"}
DESKS = (
    (Permission.AUDIT_READ, "/audit"),
    (Permission.ACCOUNT_MANAGE, "/admin"),
    (Permission.EMERGENCY_REVIEW, "/emergencies"),
    (Permission.SHARE_READ, "/shared"),
)


@pages.page("/", needs=Door.SIGNED_IN, event="work.viewed", data=Data.PERSONAL)
def home() -> Response | str:
    actor = current_actor()
    if not actor.may(Permission.WORK_READ):
        for permission, desk in DESKS:
            if actor.may(permission):
                return redirect(desk)
        return render_template("work/no_role.html", waiting=find_own_waiting(actor))
    work = open_work(actor)
    mark_page(work.marking)
    return render_template(
        "work/home.html",
        work=work,
        first=max(work.overdue + work.soon, SHOWN_AT_MOST),
        may_log=actor.may(Permission.INCIDENT_LOG),
        may_open=actor.may(Permission.CASE_OPEN),
    )


@pages.page(NEWS, needs=Permission.WORK_READ, event="work.viewed", data=Data.PERSONAL)
def news() -> str:
    narrowed = Narrowed(
        NEWS, {"period": Filter("When", PERIODS), "kind": Filter("Kind of entry", ENTRY_KIND_LABELS)}
    )
    page = list_news(
        current_actor(),
        kind=EntryKind(narrowed["kind"]) if narrowed["kind"] else None,
        within=_within(narrowed),
        cursor=Cursor.parse(narrowed.after),
    )
    mark_page(max((row.case.marking for row in page.rows), default=0))
    return render_template("work/news.html", page=page, narrowed=narrowed)


@pages.page(INCIDENTS, needs=Permission.INCIDENT_READ, event="incident.listed", data=Data.PERSONAL)
def incidents() -> str:
    narrowed = Narrowed(
        INCIDENTS,
        {
            "period": Filter("When it was logged", PERIODS),
            "kind": Filter("What happened", INCIDENT_KIND_LABELS),
        },
    )
    page = list_without_case(
        current_actor(),
        kind=IncidentKind(narrowed["kind"]) if narrowed["kind"] else None,
        within=_within(narrowed),
        cursor=Cursor.parse(narrowed.after),
    )
    mark_page(max((row.marking for row in page.rows), default=0), "personal data")
    return render_template("work/incidents.html", page=page, narrowed=narrowed)


def _within(narrowed: Narrowed) -> timedelta | None:
    return timedelta(days=int(narrowed["period"])) if narrowed["period"] else None
