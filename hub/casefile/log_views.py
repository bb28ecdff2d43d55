"""The log of a case: its timeline with filters, and the form that adds an entry on the spot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import flash, render_template, request
from werkzeug.wrappers import Response

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.access.vocabulary import AUDIENCE_LABELS, Marking, Section
from hub.casefile.page import CasePage, open_case_page
from hub.chronology.actions import add_entry
from hub.chronology.forms import OFFERED_AUDIENCES, parse_entry
from hub.chronology.models import Entry
from hub.chronology.queries import EntryFilter, find_contributors, find_entries, find_entry_to_correct
from hub.chronology.vocabulary import ENTRY_KIND_LABELS, ENTRY_NATURE_LABELS, EntryKind
from hub.core import clock
from hub.core.errors import Invalid, NotVisible
from hub.core.paging import Cursor
from hub.extensions import db
from hub.web import drafts
from hub.web.identity import current_actor
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("case_log", __name__)
ADDRESS = "/cases/<uuid:case_id>/log"
# written by the hub itself
NOT_OFFERED = frozenset({EntryKind.SYSTEM})


@dataclass(frozen=True)
class EntryFormData:
    """What the form of an entry shows: the typed values, the lists, the draft, and the entry that it corrects."""

    values: Mapping[str, str]
    draft_key: str
    kept: datetime | None
    kinds: list[tuple[str, str]]
    natures: list[tuple[str, str]]
    markings: list[tuple[int, str]]
    audiences: list[tuple[str, str]]
    correcting: Entry | None = None


def entry_form(
    actor: Actor, page: CasePage, values: Mapping[str, str] | None = None, correcting: Entry | None = None
) -> EntryFormData:
    """The form as typed, or else as the draft has it, or else empty."""
    draft = draft_of(page.case.id)
    kept = None
    if values is None:
        values = drafts.find_values(actor, draft)
        kept = drafts.saved_at(actor, draft) if values else None
    if not values and correcting is not None:
        values = {"text": correcting.text, "kind": correcting.kind, "nature": correcting.nature}
    return EntryFormData(
        values=values,
        draft_key=draft,
        kept=kept,
        kinds=[(kind.value, label) for kind, label in ENTRY_KIND_LABELS.items() if kind not in NOT_OFFERED],
        natures=[(nature.value, label) for nature, label in ENTRY_NATURE_LABELS.items()],
        markings=[(marking.value, marking.label) for marking in Marking if marking <= actor.clearance],
        audiences=[(one.value, AUDIENCE_LABELS[one]) for one in OFFERED_AUDIENCES],
        correcting=correcting,
    )


def draft_of(case_id: UUID) -> str:
    return drafts.form_name("case_log.add", case_id)


@pages.page(ADDRESS, needs=Permission.CASE_READ, event="case.opened", data=Data.PERSONAL)
def show(case_id: UUID) -> str:
    actor = current_actor()
    page = open_case_page(actor, case_id, "log")
    correcting = None
    if request.args.get("corrects"):
        correcting = find_entry_to_correct(actor, case_id, _uuid(request.args["corrects"]))
        if correcting is None:
            raise NotVisible
    return _render(actor, page, entry_form(actor, page, correcting=correcting), {})


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotVisible from error


def _render(actor: Actor, page: CasePage, form: EntryFormData, errors: dict[str, str]) -> str:
    if not page.reads(Section.CHRONOLOGY):
        raise NotVisible
    address = f"/cases/{page.case.id}/log"
    organisations = {str(key): name for key, name in find_contributors(actor, page.case.id).items()}
    chosen = _chosen(organisations)
    found = find_entries(
        actor,
        page.case.id,
        EntryFilter(
            kinds=tuple(chosen["type"]),
            natures=tuple(chosen["is"]),
            organisations=tuple(UUID(one) for one in chosen["organisation"]),
            significant=bool(chosen["only"]),
        ),
        cursor=Cursor.parse(request.args.get("after")),
        since=page.opened.last_looked_at,
        ended_at=page.case.closed_at,
        correct_href=address if page.may.entry else None,
    )
    page.mark(entry.item_marking for entry in found.rows)
    return render_template(
        "casefile/log.html",
        page=page,
        entries=found.rows,
        next_href=_with(address, chosen, after=found.next_cursor) if found.next_cursor else None,
        first_href=_with(address, chosen) if request.args.get("after") else None,
        applied=_applied(address, chosen, organisations),
        chosen=chosen,
        organisations=list(organisations.items()),
        form=form,
        errors=errors,
        today=clock.today(),
    )


def _chosen(organisations: Mapping[str, str]) -> dict[str, list[str]]:
    """The filters of the address, without what is not in the lists. Their names differ from the form's on the same page."""
    given = request.args.getlist
    return {
        "type": [one for one in given("type") if one in ENTRY_KIND_LABELS],
        "is": [one for one in given("is") if one in ENTRY_NATURE_LABELS],
        "organisation": [one for one in given("organisation") if one in organisations],
        "only": [one for one in given("only")[:1] if one == "significant"],
    }


def _with(address: str, chosen: Mapping[str, list[str]], *, after: str | None = None) -> str:
    parts = [(name, one) for name, values in chosen.items() for one in values]
    parts += [("after", after)] if after else []
    return f"{address}?{urlencode(parts)}" if parts else address


def _applied(
    address: str, chosen: Mapping[str, list[str]], organisations: Mapping[str, str]
) -> list[dict[str, Any]]:
    words: dict[str, tuple[str, Mapping[str, str]]] = {
        "type": ("Kind of entry", {key.value: label for key, label in ENTRY_KIND_LABELS.items()}),
        "is": ("Fact or assessment", {key.value: label for key, label in ENTRY_NATURE_LABELS.items()}),
        "organisation": ("Organisation", organisations),
        "only": ("Only", {"significant": "Significant entries"}),
    }
    return [
        {
            "label": words[name][0],
            "items": [
                {
                    "text": words[name][1][one],
                    "remove_href": _with(address, {**chosen, name: [each for each in values if each != one]}),
                }
                for one in values
            ],
        }
        for name, values in chosen.items()
        if values
    ]


@pages.page(ADDRESS, needs=Permission.ENTRY_ADD, event="entry.added", data=Data.PERSONAL, methods=("POST",))
def add(case_id: UUID) -> Response | tuple[str, int]:
    actor = current_actor()
    back = f"/cases/{case_id}" if request.form.get("from") == "summary" else f"/cases/{case_id}/log"

    def act() -> str:
        entry = add_entry(actor, case_id, parse_entry(request.form))
        flash("The entry is in the log.", "success")
        return f"{back}#entry-{entry.id}"

    try:
        return once(actor, act, draft=draft_of(case_id))
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        page = open_case_page(actor, case_id, "log")
        corrects = request.form.get("corrects_id", "")
        correcting = find_entry_to_correct(actor, case_id, _uuid(corrects)) if corrects else None
        return _render(actor, page, entry_form(actor, page, request.form, correcting), invalid.errors), 422
