"""Telling one fact of a case, step by step; and the page on which its recipient reads it, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import flash, render_template, request
from werkzeug.wrappers import Response

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.access.vocabulary import PURPOSE_LABELS, Purpose
from hub.agreements.policy import Terms
from hub.agreements.vocabulary import GATEWAYS, LAWFUL_BASES
from hub.casefile.page import CasePage, open_case_page
from hub.core import clock
from hub.core.errors import Denied, Invalid
from hub.extensions import db
from hub.sharing.fact_forms import MAX_CONCERNING, MAX_WORDING, FactForm, parse_fact
from hub.sharing.facts import Recipients, check_fact, find_recipients, open_fact, share_fact
from hub.sharing.policy import usual_length
from hub.sharing.vocabulary import FACT_LABELS
from hub.web import drafts
from hub.web.context import mark_page
from hub.web.filters import format_date
from hub.web.identity import current_actor
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("case_facts", __name__)
told = Pages("facts", __name__)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
PARTS = ("day", "month", "year")
FIELDS = (
    "to",
    "purpose",
    "code",
    "concerning",
    "wording",
    "reason",
    *(f"{name}-{part}" for name in ("from_on", "until_on", "ends") for part in PARTS),
)
Values = Mapping[str, str]


@told.page("/facts/<uuid:grant_id>", needs=Permission.SHARE_READ, event="fact.opened", data=Data.PERSONAL)
def read(grant_id: UUID) -> str:
    found = open_fact(current_actor(), grant_id)
    mark_page(found.marking, "personal data")
    return render_template("facts/one.html", told=found)


@pages.page(
    "/cases/<uuid:case_id>/share/fact",
    needs=Permission.CASE_SHARE,
    event="case.opened",
    data=Data.PERSONAL,
    methods=("GET", "POST"),
)
def share(case_id: UUID) -> str | tuple[str, int]:
    """Shows the step that was asked for; a step that is not complete is shown again with what is missing."""
    page = _open_to_share(case_id)
    if request.method == "GET":
        kept = drafts.find_values(current_actor(), _draft(case_id))
        return _who(page, {name: kept.get(name, "") for name in FIELDS}, {})
    values, wanted = _values(), request.form.get("go", "")
    try:
        if wanted == "check":
            return _check(page, values)
        return _who(page, values, {}) if wanted == "who" else _what(page, values, {})
    except Invalid as invalid:
        db.session.rollback()
        return _again(page, values, invalid)


@pages.page(
    "/cases/<uuid:case_id>/share/fact/send",
    needs=Permission.CASE_SHARE,
    event="fact.shared",
    data=Data.PERSONAL,
    methods=("POST",),
)
def send(case_id: UUID) -> Response | tuple[str, int]:
    actor = current_actor()

    def act() -> str:
        share_fact(actor, case_id, parse_fact(request.form))
        flash("Told. They can read it once they have accepted; you will be told.", "success")
        return f"/cases/{case_id}/sharing"

    try:
        return once(actor, act, draft=_draft(case_id))
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _again(_open_to_share(case_id), _values(), invalid)


# ---- the steps ----------------------------------------------------------------------------------------------------


def _open_to_share(case_id: UUID) -> CasePage:
    page = open_case_page(current_actor(), case_id, "sharing")
    if not page.may.share:
        raise Denied("not_lead", "Only the team that leads this case can share it, while it is not closed.")
    return page


def _again(page: CasePage, values: Values, invalid: Invalid) -> tuple[str, int]:
    step = _who if "to" in invalid.errors else _what
    return step(page, values, invalid.errors), 422


def _who(page: CasePage, values: Values, errors: Mapping[str, str]) -> str:
    who = find_recipients(current_actor())
    carried = [(name, value) for name, value in values.items() if value and name != "to"]
    return _step("who", page, values, errors, who=who, carried=carried)


def _what(page: CasePage, values: Values, errors: Mapping[str, str]) -> str:
    actor = current_actor()
    who = find_recipients(actor)
    chosen = _chosen(who, values)
    live = _live(who, values)
    if not any(values[name] for name in FIELDS if name not in ("to", "purpose")):
        values = {**values, **_suggested(actor, live)}
    return _step(
        "what",
        page,
        values,
        errors,
        to_name=chosen,
        purposes=_purposes(live),
        codes=[(code.value, label) for code, label in FACT_LABELS.items()],
        latest=max(one.agreement.ends_at for one in live),
        limits=(MAX_CONCERNING, MAX_WORDING),
        draft_key=_draft(page.case.id),
    )


def _check(page: CasePage, values: Values) -> str:
    actor = current_actor()
    form = parse_fact(request.form)
    agreement = check_fact(actor, page.case.id, form)
    who = find_recipients(actor)
    terms = next((one for one in _live(who, values) if one.agreement.id == agreement), None)
    return _step(
        "check",
        page,
        values,
        {},
        to_name=_chosen(who, values),
        said=_sentence(form, _chosen(who, values)),
        until=f"The end of {_last_day(form)}",
        stands_on=_stands_on(terms, form),
        form=form,
        label=FACT_LABELS[form.code],
        carried=[(name, value) for name, value in values.items() if value],
    )


def _step(name: str, page: CasePage, values: Values, errors: Mapping[str, str], **more: Any) -> str:
    return render_template(
        f"facts/{name}.html", page=page, case=page.case, values=values, errors=dict(errors), **more
    )


def _values() -> dict[str, str]:
    return {name: request.form.get(name, "") for name in FIELDS}


def _chosen(who: Recipients, values: Values) -> str:
    """The recipient's name. Raises `Invalid` where it is none of those who may be told."""
    name = next((name for value, name, _ in who.choices if value == values["to"]), None)
    if name is None:
        raise Invalid("bad_fact", errors={"to": "Choose whom to tell"})
    return name


def _live(who: Recipients, values: Values) -> list[Terms]:
    return who.terms.get(UUID(values["to"].split(":")[1]), [])


def _purposes(live: list[Terms]) -> list[tuple[str, str, str]]:
    found: dict[str, list[str]] = {}
    for terms in live:
        for one in terms.purposes:
            words = f"{terms.called}: {GATEWAYS[one.gateway]}, {LAWFUL_BASES[one.lawful_basis]}"
            found.setdefault(one.purpose, []).append(words)
    return [(purpose, PURPOSE_LABELS[Purpose(purpose)], "; ".join(under)) for purpose, under in found.items()]


def _stands_on(terms: Terms | None, form: FactForm) -> str:
    permitted = terms.permission_for(str(form.share.purpose)) if terms else None
    if terms is None or permitted is None or form.share.purpose is None:
        return ""
    words = f"{PURPOSE_LABELS[form.share.purpose]}, by {GATEWAYS[permitted.gateway]}"
    return f"{words}. {LAWFUL_BASES[permitted.lawful_basis]}. {terms.called}."


def _suggested(actor: Actor, live: list[Terms]) -> dict[str, str]:
    """The usual end, or the last whole day of the agreement; and the purpose where there is but one."""
    now, latest = clock.now(), max(one.agreement.ends_at for one in live)
    usual = now + usual_length(actor)
    end = (usual if usual < latest else latest - DAY).astimezone(clock.LONDON)
    purposes = {one.purpose for terms in live for one in terms.purposes}
    return {
        "ends-day": str(end.day),
        "ends-month": str(end.month),
        "ends-year": str(end.year),
        **({"purpose": purposes.pop()} if len(purposes) == 1 else {}),
    }


def _sentence(form: FactForm, to_name: str) -> str:
    """What will happen, to whom, until when: one plain sentence."""
    who = to_name if form.share.to_team_id else f"people of {to_name}"
    purpose = f"‘{PURPOSE_LABELS[form.share.purpose]}’" if form.share.purpose else ""
    return (
        f"Once they have accepted, {who} will read this and nothing else, while they work for the purpose {purpose}, "
        f"until the end of {_last_day(form)}. You can end it at any time."
    )


def _last_day(form: FactForm) -> str:
    return format_date(form.share.ends_at - SECOND) if form.share.ends_at else ""


def _draft(case_id: UUID) -> str:
    return drafts.form_name("case_facts.share", case_id)
