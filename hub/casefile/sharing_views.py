"""Who sees a case, or an incident without its case: the table of its shares, their end and their change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import flash, render_template, request
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.access.vocabulary import SECTION_LABELS, Marking, RecordKind, Section
from hub.casefile.page import CasePage, May
from hub.casefile.preview_views import add_previews
from hub.casefile.share_subject import Subject, lead_back_to_sharing, open_subject
from hub.casefile.share_views import add_wizard
from hub.core import clock
from hub.core.errors import Denied, Invalid, NotVisible
from hub.extensions import db
from hub.sharing.actions import revoke_share
from hub.sharing.changing import change_share, find_terms_of
from hub.sharing.facts import Fact, fact_of
from hub.sharing.forms import parse_change
from hub.sharing.policy import ENDS_SOON
from hub.sharing.queries import GrantRow, find_grants_of
from hub.sharing.vocabulary import ShareState
from hub.web.filters import format_date
from hub.web.identity import current_actor
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("case_sharing", __name__)
incident_pages = Pages("incident_sharing", __name__)
Answer = Response | str | tuple[str, int]
CHANGEABLE = (ShareState.PENDING, ShareState.ACTIVE)


def _add_sharing(pages: Pages, kind: RecordKind, base: str, record: str, opened: str) -> None:
    """Registers the Sharing page below the address of a record; `record` is the name of its id in that address."""
    reads = Permission.CASE_READ if kind is RecordKind.CASE else Permission.INCIDENT_READ

    @pages.page(f"{base}/sharing", needs=reads, event=opened, data=Data.PERSONAL)
    def show(**ids: UUID) -> Answer:
        return _tab(kind, ids[record], request.args.get("end", ""), {})

    @pages.page(
        f"{base}/sharing/<uuid:grant_id>/end",
        needs=Permission.CASE_SHARE,
        event="share.revoked",
        data=Data.PERSONAL,
        methods=("POST",),
    )
    def end(grant_id: UUID, **ids: UUID) -> Answer:
        return _end(kind, ids[record], grant_id)

    @pages.page(
        f"{base}/sharing/<uuid:grant_id>/change",
        needs=Permission.CASE_SHARE,
        event="share.changed",
        data=Data.PERSONAL,
        methods=("GET", "POST"),
    )
    def change(grant_id: UUID, **ids: UUID) -> Answer:
        if request.method == "GET":
            return _change_form(kind, ids[record], grant_id, None, {})
        return _change(kind, ids[record], grant_id)


def _end(kind: RecordKind, record_id: UUID, grant_id: UUID) -> Answer:
    actor = current_actor()
    lead_back_to_sharing(kind, record_id)

    def act() -> str:
        grant = revoke_share(actor, grant_id, reason=request.form.get("reason", ""))
        if grant.record_id != record_id:
            raise NotVisible
        flash(f"The share has ended. They can no longer see the {kind.value}.", "success")
        return f"/{kind.value}s/{record_id}/sharing"

    try:
        return once(actor, act)
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _tab(kind, record_id, str(grant_id), invalid.errors), 422


def _change(kind: RecordKind, record_id: UUID, grant_id: UUID) -> Answer:
    actor = current_actor()
    lead_back_to_sharing(kind, record_id)

    def act() -> str:
        grant = change_share(actor, grant_id, parse_change(request.form))
        if grant.record_id != record_id:
            raise NotVisible
        flash("The share has changed. It counts from their next click, and they are told.", "success")
        return f"/{kind.value}s/{record_id}/sharing"

    try:
        return once(actor, act)
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _change_form(kind, record_id, grant_id, request.form, invalid.errors), 422


# ---- what the pages show ------------------------------------------------------------------------------------------


def _tab(kind: RecordKind, record_id: UUID, ending: str, errors: Mapping[str, str]) -> str:
    actor = current_actor()
    subject = open_subject(actor, kind, record_id)
    rows = find_grants_of(actor, record_id)
    facts = fact_of(actor, [row.grant.id for row in rows if row.grant.fact_only])
    shown = [_line(subject, row, facts.get(row.grant.id)) for row in rows]
    ends = subject.leads and actor.may(Permission.CASE_SHARE)
    return render_template(
        "casefile/sharing.html",
        page=subject.page,
        subject=subject,
        live=[line for line in shown if not line["over"]],
        over=[line for line in shown if line["over"]],
        may_end=ends,
        steps=_steps(subject),
        ending=next((line for line in shown if ends and line["id"] == ending and not line["over"]), None),
        reason=request.form.get("reason", ""),
        errors=dict(errors),
    )


def _steps(subject: Subject) -> list[dict[str, Any]]:
    """What may be done about who sees the record, the first as a button."""
    base = subject.base
    may = subject.page.may if isinstance(subject.page, CasePage) else May()
    steps = (
        (subject.may_share, f"Share this {subject.noun}", "/share"),
        (subject.may_share and subject.is_case, "Share with a panel", "/share/panel"),
        (subject.may_share and subject.is_case, "Tell one fact", "/share/fact"),
        (subject.leads and may.consent, "Consents", "/consents"),
        (may.hand_over, "Hand over", "/hand-over"),
    )
    return [{"label": label, "href": base + path} for allowed, label, path in steps if allowed]


def _line(subject: Subject, row: GrantRow, fact: Fact | None) -> dict[str, Any]:
    grant = row.grant
    soon = (
        row.state is ShareState.ACTIVE
        and grant.ends_at is not None
        and grant.ends_at < clock.now() + ENDS_SOON
    )
    address = f"{subject.base}/sharing"
    changeable = row.state in CHANGEABLE and not grant.fact_only
    return {
        "id": str(grant.id),
        "grant": grant,
        "row": row,
        "who": row.to_name,
        "detail": row.to_detail or "The whole organisation",
        "state": "ends_soon" if soon else row.state.value,
        "over": row.state.over,
        "sections": row.sections or [fact.in_words if fact else "One fact, and nothing of the record"],
        "purpose": row.purpose or "Any, inside the organisation",
        "end_href": f"{address}?end={grant.id}",
        "change_href": f"{address}/{grant.id}/change" if changeable else "",
        "preview_href": f"{address}/{grant.id}/preview" if changeable else "",
    }


def _change_form(
    kind: RecordKind,
    record_id: UUID,
    grant_id: UUID,
    typed: Mapping[str, Any] | None,
    errors: Mapping[str, str],
) -> str:
    actor = current_actor()
    subject = open_subject(actor, kind, record_id)
    row = next((one for one in find_grants_of(actor, record_id) if one.grant.id == grant_id), None)
    if row is None:
        raise NotVisible
    if not subject.leads:
        raise Denied("not_lead", f"Only the team that leads this {subject.noun} can change a share of it.")
    terms = find_terms_of(actor, row.grant)
    covered = set(terms.agreement.sections) if terms else {one.value for one in Section}
    offered = [one for one in subject.sections if one.value in covered or one.value in row.grant.sections]
    return render_template(
        "sharing/change.html",
        page=subject.page,
        subject=subject,
        row=row,
        values=_kept(typed) if typed is not None else _present(row),
        errors=dict(errors),
        changeable=row.state in CHANGEABLE and not row.grant.fact_only,
        sections=[(one.value, SECTION_LABELS[one]) for one in offered],
        greyed=[SECTION_LABELS[one] for one in subject.sections if one not in offered],
        markings=[(str(one.value), f"Up to {one.label}") for one in Marking],
        latest=format_date(terms.agreement.ends_at) if terms else "",
    )


def _present(row: GrantRow) -> dict[str, Any]:
    """The share as it is."""
    day = row.last_day.astimezone(clock.LONDON) if row.last_day else None
    return {
        "sections": row.grant.sections,
        "max_marking": str(row.grant.max_marking),
        "may_contribute": "yes" if row.grant.may_contribute else "",
        "ends": {"day": day.day, "month": day.month, "year": day.year} if day else "",
        "reason": "",
        "revision": row.grant.revision,
    }


def _kept(typed: Mapping[str, Any]) -> dict[str, Any]:
    listed = typed.getlist("sections") if hasattr(typed, "getlist") else typed.get("sections", [])
    return {
        "sections": listed,
        "max_marking": typed.get("max_marking", ""),
        "may_contribute": typed.get("may_contribute", ""),
        "ends": {part: typed.get(f"ends-{part}", "") for part in ("day", "month", "year")},
        "reason": typed.get("reason", ""),
        "revision": typed.get("revision", ""),
    }


for _pages, _kind, _base, _record, _opened in (
    (pages, RecordKind.CASE, "/cases/<uuid:case_id>", "case_id", "case.opened"),
    (
        incident_pages,
        RecordKind.INCIDENT,
        "/incidents/<uuid:incident_id>",
        "incident_id",
        "incident.opened",
    ),
):
    _add_sharing(_pages, _kind, _base, _record, _opened)
    add_wizard(_pages, _kind, _base, _record, _opened)
    add_previews(_pages, _kind, _base, _record)
