"""The three steps of sharing a case, or an incident without its case: who, what and why, check. State travels in hidden
fields: back keeps what was typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import flash, render_template, request
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.access.vocabulary import Marking, RecordKind
from hub.casefile.share_subject import Subject, lead_back_to_sharing, open_to_share
from hub.casefile.share_telling import SEVERAL, SINGLE, hidden, tell
from hub.casefile.share_who import find_who
from hub.casefile.share_wizard import To, check_also, find_what
from hub.cases.policy import check_live
from hub.cases.queries import load_for_change
from hub.core.errors import Invalid
from hub.extensions import db
from hub.sharing.actions import check_share, share_record
from hub.sharing.forms import parse_recipient, parse_share
from hub.web import drafts
from hub.web.identity import current_actor
from hub.web.once import once
from hub.web.routes import Data, Pages

Values = Mapping[str, Any]
Answer = Response | str | tuple[str, int]


def add_wizard(pages: Pages, kind: RecordKind, base: str, record: str, opened: str) -> None:
    """Registers the steps below the address of a record; `record` is the name of its id in that address."""

    @pages.page(
        f"{base}/share",
        needs=Permission.CASE_SHARE,
        event=opened,
        data=Data.PERSONAL,
        methods=("GET", "POST"),
    )
    def share(**ids: UUID) -> Answer:
        return _share(kind, ids[record])

    @pages.page(
        f"{base}/share/send",
        needs=Permission.CASE_SHARE,
        event="case.shared",
        data=Data.PERSONAL,
        methods=("POST",),
    )
    def send(**ids: UUID) -> Answer:
        return _send(kind, ids[record])


def _share(kind: RecordKind, record_id: UUID) -> Answer:
    """Shows the step that was asked for; a step that is not complete is shown again with what is missing."""
    subject = open_to_share(current_actor(), kind, record_id)
    if request.method == "GET":
        kept = drafts.find(current_actor(), draft_of(kind, record_id)) or {}
        return _who(subject, _values_of_draft(kept), {})
    values, wanted = typed_values(), request.form.get("go", "")
    try:
        if wanted == "who":
            return _who(subject, values, {})
        to = _recipient(values)
        return _what(subject, values, {}) if wanted == "what" else _check(subject, values, to)
    except Invalid as invalid:
        return show_wrong(subject, values, invalid)


def _send(kind: RecordKind, record_id: UUID) -> Answer:
    actor = current_actor()
    values = typed_values()
    lead_back_to_sharing(kind, record_id)

    def act() -> str:
        if kind is RecordKind.CASE:
            check_live(load_for_change(actor, record_id))
        form = parse_share(request.form)
        also = check_also(actor, kind, record_id, typed_ids(values["also"]))
        grant = share_record(actor, record_id, form, also=also)
        flash("Shared. They can see it once they have accepted; you will be told.", "success")
        return f"/{kind.value}s/{grant.record_id}/sharing"

    try:
        return once(actor, act, draft=draft_of(kind, record_id))
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return show_wrong(open_to_share(actor, kind, record_id), values, invalid)


def show_wrong(subject: Subject, values: Values, invalid: Invalid) -> tuple[str, int]:
    """The step in which something is missing, with what was typed."""
    db.session.rollback()
    step = _who if "to" in invalid.errors else _what
    return step(subject, values, invalid.errors), 422


def _who(subject: Subject, values: Values, errors: Mapping[str, str]) -> str:
    who = find_who(current_actor(), subject, values)
    carried = hidden({**values, "to": "", "find": "", "of": ""})
    return _step("who", subject, values, errors, who=who, hidden=carried)


def _what(subject: Subject, values: Values, errors: Mapping[str, str]) -> str:
    what = find_what(current_actor(), subject, _recipient(values))
    fresh = not any(values[name] for name in ("reason", "purpose", "ends-year", "sections"))
    return _step(
        "what",
        subject,
        {**values, **what.suggested} if fresh else values,
        errors,
        what=what,
        markings=[(str(one.value), f"Up to {one.label}") for one in Marking],
        draft_key=draft_of(subject.kind, subject.id),
    )


def _check(subject: Subject, values: Values, to: To) -> str:
    actor = current_actor()
    form = parse_share(request.form)
    also = check_also(actor, subject.kind, subject.id, typed_ids(values["also"]))
    footing = check_share(actor, subject.id, form, also=also)
    what = find_what(actor, subject, to)
    told = tell(subject, form, what, footing, also)
    return _step("check", subject, values, {}, what=what, told=told, hidden=hidden(values))


def _step(name: str, subject: Subject, values: Values, errors: Mapping[str, str], **more: Any) -> str:
    return render_template(
        f"sharing/{name}.html",
        page=subject.page,
        subject=subject,
        values=values,
        errors=dict(errors),
        **more,
    )


def _recipient(values: Values) -> To:
    errors: dict[str, str] = {}
    organisation, team, user = parse_recipient(values, errors)
    if organisation is None:
        raise Invalid("bad_share", errors=errors)
    return organisation, team, user


def typed_values() -> dict[str, Any]:
    return {
        **{name: request.form.get(name, "") for name in SINGLE},
        **{name: request.form.getlist(name) for name in SEVERAL},
    }


def _values_of_draft(kept: Mapping[str, list[str]]) -> dict[str, Any]:
    return {
        **{name: (kept.get(name) or [""])[0] for name in SINGLE},
        **{name: kept.get(name, []) for name in SEVERAL},
    }


def typed_ids(given: list[str]) -> list[UUID]:
    try:
        return [UUID(one) for one in given]
    except ValueError as error:
        raise Invalid("bad_share", errors={"also": "Choose incidents from the list"}) from error


def draft_of(kind: RecordKind, record_id: UUID) -> str:
    return drafts.form_name(f"{kind.value}_sharing.share", record_id)
