"""The Sharing tab of a case, and the three steps of sharing it. State travels in hidden fields: back keeps what was typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import flash, render_template, request
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.access.vocabulary import PURPOSE_LABELS, SECTION_LABELS, Marking, Purpose
from hub.casefile.page import CasePage, open_case_page
from hub.casefile.share_wizard import (
    SEVERAL,
    SINGLE,
    check_also,
    find_what,
    find_who,
    hidden,
    parts_in_words,
    sentence,
    until_in_words,
)
from hub.core import clock
from hub.core.errors import Denied, Invalid, NotVisible
from hub.extensions import db
from hub.sharing.actions import check_share, revoke_share, share_record
from hub.sharing.forms import ShareForm, parse_recipient, parse_share
from hub.sharing.policy import ENDS_SOON
from hub.sharing.queries import GrantRow, find_grants_of
from hub.sharing.vocabulary import ShareState
from hub.web import drafts
from hub.web.identity import current_actor
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("case_sharing", __name__)
Values = Mapping[str, Any]


@pages.page(
    "/cases/<uuid:case_id>/sharing", needs=Permission.CASE_READ, event="case.opened", data=Data.PERSONAL
)
def show(case_id: UUID) -> str:
    return _tab(case_id, request.args.get("end", ""), {})


@pages.page(
    "/cases/<uuid:case_id>/sharing/<uuid:grant_id>/end",
    needs=Permission.CASE_SHARE,
    event="share.revoked",
    data=Data.PERSONAL,
    methods=("POST",),
)
def end(case_id: UUID, grant_id: UUID) -> Response | tuple[str, int]:
    actor = current_actor()

    def act() -> str:
        grant = revoke_share(actor, grant_id, reason=request.form.get("reason", ""))
        if grant.record_id != case_id:
            raise NotVisible
        flash("The share has ended. They can no longer see the case.", "success")
        return f"/cases/{case_id}/sharing"

    try:
        return once(actor, act)
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _tab(case_id, str(grant_id), invalid.errors), 422


@pages.page(
    "/cases/<uuid:case_id>/share",
    needs=Permission.CASE_SHARE,
    event="case.opened",
    data=Data.PERSONAL,
    methods=("GET", "POST"),
)
def share(case_id: UUID) -> str | tuple[str, int]:
    """Shows the step that was asked for; a step that is not complete is shown again with what is missing."""
    page = _open_to_share(case_id)
    if request.method == "GET":
        kept = drafts.find(current_actor(), _draft(case_id)) or {}
        return _who(page, _values_of_draft(kept), {})
    values, wanted = _values(), request.form.get("go", "")
    try:
        if wanted == "who":
            return _who(page, values, {})
        to = _recipient(values)
        return _what(page, values, {}) if wanted == "what" else _check(page, values, to)
    except Invalid as invalid:
        db.session.rollback()
        step = _who if "to" in invalid.errors else _what
        return step(page, values, invalid.errors), 422


@pages.page(
    "/cases/<uuid:case_id>/share/send",
    needs=Permission.CASE_SHARE,
    event="case.shared",
    data=Data.PERSONAL,
    methods=("POST",),
)
def send(case_id: UUID) -> Response | tuple[str, int]:
    actor = current_actor()
    values = _values()

    def act() -> str:
        form = parse_share(request.form)
        share_record(actor, case_id, form, also=check_also(actor, case_id, _ids(values["also"])))
        flash("Shared. They can see it once they have accepted; you will be told.", "success")
        return f"/cases/{case_id}/sharing"

    try:
        return once(actor, act, draft=_draft(case_id))
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        page = _open_to_share(case_id)
        step = _who if "to" in invalid.errors else _what
        return step(page, values, invalid.errors), 422


# ---- the steps ----------------------------------------------------------------------------------------------------


def _who(page: CasePage, values: Values, errors: Mapping[str, str]) -> str:
    who = find_who(current_actor(), page.case)
    return _step("who", page, values, errors, who=who, hidden=hidden({**values, "to": ""}))


def _what(page: CasePage, values: Values, errors: Mapping[str, str]) -> str:
    what = find_what(current_actor(), page.case, _recipient(values)[:2])
    fresh = not any(values[name] for name in ("reason", "purpose", "ends-year", "sections"))
    return _step(
        "what",
        page,
        {**values, **what.suggested} if fresh else values,
        errors,
        what=what,
        markings=[(str(one.value), f"Up to {one.label}") for one in Marking],
        draft_key=_draft(page.case.id),
    )


def _check(page: CasePage, values: Values, to: tuple[UUID, UUID | None, UUID | None]) -> str:
    actor = current_actor()
    form: ShareForm = parse_share(request.form)
    also = check_also(actor, page.case.id, _ids(values["also"]))
    check_share(actor, page.case.id, form, also=also)
    what = find_what(actor, page.case, to[:2])
    chosen = {str(one) for one in also}
    return _step(
        "check",
        page,
        values,
        {},
        what=what,
        said=sentence(actor, page.case, form, what.to_name, len(also)),
        parts=parts_in_words(form) + [words for key, words in what.incidents if key in chosen],
        until=until_in_words(form),
        purpose=next(
            (f"{words}. {under}." for key, words, under in what.purposes if key == form.purpose), ""
        ),
        hidden=hidden(values),
    )


def _step(name: str, page: CasePage, values: Values, errors: Mapping[str, str], **more: Any) -> str:
    return render_template(
        f"sharing/{name}.html", page=page, case=page.case, values=values, errors=dict(errors), **more
    )


def _open_to_share(case_id: UUID) -> CasePage:
    page = open_case_page(current_actor(), case_id, "sharing")
    if not page.may.share:
        raise Denied("not_lead", "Only the team that leads this case can share it, while it is not closed.")
    return page


def _recipient(values: Values) -> tuple[UUID, UUID | None, UUID | None]:
    errors: dict[str, str] = {}
    organisation, team, user = parse_recipient(values, errors)
    if organisation is None:
        raise Invalid("bad_share", errors=errors)
    return organisation, team, user


def _values() -> dict[str, Any]:
    return {
        **{name: request.form.get(name, "") for name in SINGLE},
        **{name: request.form.getlist(name) for name in SEVERAL},
    }


def _values_of_draft(kept: Mapping[str, list[str]]) -> dict[str, Any]:
    return {
        **{name: (kept.get(name) or [""])[0] for name in SINGLE},
        **{name: kept.get(name, []) for name in SEVERAL},
    }


def _ids(given: list[str]) -> list[UUID]:
    try:
        return [UUID(one) for one in given]
    except ValueError as error:
        raise Invalid("bad_share", errors={"also": "Choose incidents from the list"}) from error


def _draft(case_id: UUID) -> str:
    return drafts.form_name("case_sharing.share", case_id)


# ---- the tab ------------------------------------------------------------------------------------------------------


def _tab(case_id: UUID, ending: str, errors: Mapping[str, str]) -> str:
    actor = current_actor()
    page = open_case_page(actor, case_id, "sharing")
    rows = find_grants_of(actor, case_id)
    shown = [_line(page, row) for row in rows]
    ends = page.right.leads and actor.may(Permission.CASE_SHARE)
    return render_template(
        "casefile/sharing.html",
        page=page,
        live=[line for line in shown if not line["over"]],
        over=[line for line in shown if line["over"]],
        may_end=ends,
        ending=next((line for line in shown if ends and line["id"] == ending and not line["over"]), None),
        reason=request.form.get("reason", ""),
        errors=dict(errors),
    )


def _line(page: CasePage, row: GrantRow) -> dict[str, Any]:
    grant = row.grant
    soon = (
        row.state is ShareState.ACTIVE
        and grant.ends_at is not None
        and grant.ends_at < clock.now() + ENDS_SOON
    )
    return {
        "id": str(grant.id),
        "grant": grant,
        "row": row,
        "who": row.to_name,
        "detail": row.to_detail or "The whole organisation",
        "state": "ends_soon" if soon else row.state.value,
        "over": row.state.over,
        "sections": [SECTION_LABELS[one] for one in SECTION_LABELS if one.value in grant.sections],
        "purpose": PURPOSE_LABELS[Purpose(grant.purpose)]
        if grant.purpose
        else "Any, inside the organisation",
        "marking": Marking(grant.max_marking).label,
        "href": f"/cases/{page.case.id}/sharing?end={grant.id}",
    }
