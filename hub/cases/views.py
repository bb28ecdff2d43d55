"""Pages of cases: the list, a new one, and the forms that change its details, status and named people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import flash, render_template, request
from werkzeug.wrappers import Response

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.access.vocabulary import Marking
from hub.cases import actions, queries
from hub.cases.forms import parse_case, parse_change, parse_revision
from hub.cases.models import Case
from hub.cases.queries import CaseFilter, OpenedCase, list_cases, open_case
from hub.cases.vocabulary import (
    CASE_KIND_LABELS,
    CASE_SOURCE_LABELS,
    CASE_STATUS_LABELS,
    PRIORITY_LABELS,
    RISK_LABELS,
    STATUS_GROUPS,
)
from hub.core.errors import Conflict, Denied, Invalid, NotVisible
from hub.core.paging import Cursor
from hub.core.text import clean
from hub.extensions import db
from hub.web import drafts
from hub.web.context import mark_page
from hub.web.identity import current_actor
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("cases", __name__)
ADDRESS = "/cases"
ONE = f"{ADDRESS}/<uuid:case_id>"
BOTH = ("GET", "POST")
SCOPES = {
    "mine": "Cases I lead",
    "team": "Cases my team leads",
    "colleagues": "Cases my colleagues lead",
    "stranded": "Cases of my team without an officer",
    "shared": "Cases shared with us",
}
MARKINGS = [(marking.value, marking.label) for marking in Marking]
Answer = Response | str | tuple[str, int]
# name of the filter → its title and words
FILTERS: dict[str, tuple[str, Mapping[str, str]]] = {
    "scope": ("Whose", SCOPES),
    "status": (
        "Status",
        {key: title for key, (title, _) in STATUS_GROUPS.items()}
        | {key.value: label for key, label in CASE_STATUS_LABELS.items()},
    ),
    "kind": ("Type", {key.value: label for key, label in CASE_KIND_LABELS.items()}),
    "priority": ("Priority", {key.value: label for key, label in PRIORITY_LABELS.items()}),
    "risk": ("Risk", {key.value: label for key, label in RISK_LABELS.items()}),
    "title": ("Title", {}),
}


@pages.page(ADDRESS, needs=Permission.CASE_READ, event="case.listed", data=Data.PERSONAL)
def index() -> str:
    actor = current_actor()
    chosen = _chosen()
    wanted = CaseFilter(
        scope="".join(chosen["scope"]),
        statuses=_statuses(chosen["status"]),
        kinds=tuple(chosen["kind"]),
        priorities=tuple(chosen["priority"]),
        risks=tuple(chosen["risk"]),
        title="".join(chosen["title"]),
    )
    page = list_cases(actor, wanted, cursor=Cursor.parse(request.args.get("after")))
    mark_page(max((row.marking for row in page.rows), default=0))
    return render_template(
        "cases/list.html",
        rows=page.rows,
        next_href=_address(chosen, after=page.next_cursor) if page.next_cursor else None,
        first_href=_address(chosen) if request.args.get("after") else None,
        applied=_applied(chosen),
        chosen=chosen,
        words={name: list(words.items()) for name, (_, words) in FILTERS.items()},
        may_open=actor.may(Permission.CASE_OPEN),
    )


def _statuses(chosen: list[str]) -> tuple[str, ...]:
    """The states that are meant: a word may stand for several."""
    return tuple(
        status
        for one in chosen
        for status in (sorted(STATUS_GROUPS[one][1]) if one in STATUS_GROUPS else [one])
    )


def _chosen() -> dict[str, list[str]]:
    """The filters of the address, without what is not in the lists."""
    chosen = {
        name: [one for one in request.args.getlist(name) if one in words]
        for name, (_, words) in FILTERS.items()
    }
    chosen["scope"] = chosen["scope"][:1]
    chosen["title"] = [clean(one)[:100] for one in request.args.getlist("title")[:1] if clean(one)]
    return chosen


def _address(chosen: Mapping[str, list[str]], *, after: str | None = None) -> str:
    parts = [(name, one) for name, values in chosen.items() for one in values]
    parts += [("after", after)] if after else []
    return f"{ADDRESS}?{urlencode(parts)}" if parts else ADDRESS


def _applied(chosen: Mapping[str, list[str]]) -> list[dict[str, Any]]:
    groups = []
    for name, values in chosen.items():
        title, words = FILTERS[name]
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
    f"{ADDRESS}/new", needs=Permission.CASE_OPEN, event="case.created", data=Data.PERSONAL, methods=BOTH
)
def new() -> Answer:
    actor = current_actor()
    incident_id = _incident_id()
    draft = drafts.form_name("cases.new", incident_id)
    if request.method == "GET":
        kept = drafts.saved_at(actor, draft)
        return _new_form(actor, incident_id, draft, drafts.find_values(actor, draft), {}, kept)

    def act() -> str:
        case = actions.create_case(actor, parse_case(request.form), from_incident=incident_id)
        flash(f"The case is open. Its reference is {case.reference}.", "success")
        return f"{ADDRESS}/{case.id}"

    return tried(
        lambda: once(actor, act, draft=draft),
        lambda invalid: _new_form(actor, incident_id, draft, request.form, invalid.errors, None),
    )


def _incident_id() -> UUID | None:
    given = request.values.get("incident")
    if not given:
        return None
    try:
        return UUID(given)
    except ValueError as error:
        raise NotVisible from error


def tried(act: Callable[[], Response], again: Callable[[Invalid], str]) -> Answer:
    """The answer of an act, or its form again with what is wrong beside each field."""
    try:
        return act()
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return again(invalid), 422


def _new_form(
    actor: Actor,
    incident_id: UUID | None,
    draft: str,
    values: Mapping[str, str],
    errors: dict[str, str],
    kept: Any,
) -> str:
    incident = queries.open_source_incident(actor, incident_id) if incident_id else None
    if incident is not None:
        mark_page(incident.marking, "personal data")
    return render_template(
        "cases/new.html",
        values=values,
        errors=errors,
        kept=kept,
        draft_key=draft,
        incident=incident,
        officers=[(user.id, user.name) for user in queries.find_officers(actor)],
        me=actor.user_id,
        **_lists(),
    )


def _lists() -> dict[str, Any]:
    return {
        "kinds": list(CASE_KIND_LABELS.items()),
        "priorities": list(PRIORITY_LABELS.items()),
        "risks": list(RISK_LABELS.items()),
        "sources": list(CASE_SOURCE_LABELS.items()),
        "markings": MARKINGS,
    }


def open_for_lead(actor: Actor, case_id: UUID, part: str) -> OpenedCase:
    """Opens a case that the actor leads, for one of the forms about it."""
    found = open_case(actor, case_id, part)
    if not found.right.leads:
        raise Denied(
            "not_lead", "Another team leads this case: only they can change it. Nothing was changed."
        )
    mark_page(found.case.marking, "personal data")
    return found


@pages.page(
    f"{ONE}/edit", needs=Permission.CASE_CHANGE, event="case.changed", data=Data.PERSONAL, methods=BOTH
)
def edit(case_id: UUID) -> Answer:
    actor = current_actor()
    draft = drafts.form_name("cases.edit", case_id)
    if request.method == "GET":
        case = open_for_lead(actor, case_id, "edit").case
        kept = drafts.saved_at(actor, draft)
        saved = _values_of(case)
        values = drafts.find_values(actor, draft)
        # a draft may be older than what others saved since: its writer sees both before saving
        return _edit_form(actor, case, draft, values or saved, {}, kept, theirs=saved if values else None)

    def act() -> str:
        actions.change_case(actor, case_id, parse_change(request.form), revision=parse_revision(request.form))
        flash("The details are saved.", "success")
        return f"{ADDRESS}/{case_id}"

    try:
        return tried(
            lambda: once(actor, act, draft=draft),
            lambda invalid: _edit_form(
                actor, open_for_lead(actor, case_id, "edit").case, draft, request.form, invalid.errors, None
            ),
        )
    except Conflict as conflict:
        db.session.rollback()
        if conflict.code != "stale_case":
            raise
        case = open_for_lead(actor, case_id, "edit").case
        return _edit_form(
            actor, case, draft, request.form, {}, None, theirs=_values_of(case), clash=True
        ), 409


def _values_of(case: Case) -> dict[str, str]:
    year, month, day = (case.next_review_on or "--").split("-")[:3]
    return {
        "title": case.title,
        "priority": case.priority,
        "risk_level": case.risk_level,
        "marking": str(case.marking),
        "summary": case.summary,
        "lead_officer_id": str(case.lead_officer_id),
        "next_review_on-year": year,
        "next_review_on-month": month,
        "next_review_on-day": day,
    }


def _edit_form(
    actor: Actor,
    case: Case,
    draft: str,
    values: Mapping[str, str],
    errors: dict[str, str],
    kept: Any,
    *,
    theirs: dict[str, str] | None = None,
    clash: bool = False,
) -> str:
    officers = [(str(user.id), user.name) for user in queries.find_officers(actor)]
    return render_template(
        "cases/edit.html",
        case=case,
        values=values,
        errors=errors,
        kept=kept,
        draft_key=draft,
        officers=officers,
        differences=_differences(values, theirs, dict(officers)) if theirs else [],
        clash=clash,
        # after a clash, saving again is a decision made in sight of the other version
        revision=case.revision if theirs is not None or not errors else values.get("revision", ""),
        **_lists(),
    )


def _differences(
    mine: Mapping[str, str], theirs: dict[str, str], officers: dict[str, str]
) -> list[dict[str, str]]:
    """Each field that differs between what the reader typed and what somebody else saved meanwhile."""
    words: dict[str, tuple[str, Mapping[str, str]]] = {
        "title": ("Title", {}),
        "priority": ("Priority", {key.value: label for key, label in PRIORITY_LABELS.items()}),
        "risk_level": ("Risk", {key.value: label for key, label in RISK_LABELS.items()}),
        "marking": ("Marking", {str(value): label for value, label in MARKINGS}),
        "summary": ("Summary", {}),
        "lead_officer_id": ("Lead officer", officers),
    }
    return [
        {
            "label": label,
            "mine": known.get(mine.get(name, ""), mine.get(name, "")),
            "theirs": known.get(now, now),
        }
        for name, (label, known) in words.items()
        if clean(mine.get(name, "")) != (now := theirs[name])
    ]
