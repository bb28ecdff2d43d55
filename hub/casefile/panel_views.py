"""Sharing a case with a panel in two clicks: choose the panel, then one sentence to confirm with why it is necessary."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask import flash, render_template, request
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.casefile.page import CasePage, open_case_page
from hub.core.errors import Denied, Invalid
from hub.extensions import db
from hub.panels.actions import LONGEST_REASON, PanelShare, share_with_panel
from hub.panels.offers import Offer, find_offers
from hub.web import drafts
from hub.web.filters import count_words, format_date
from hub.web.identity import current_actor
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("case_panels", __name__)
SECOND = timedelta(seconds=1)


@pages.page(
    "/cases/<uuid:case_id>/share/panel",
    needs=Permission.CASE_SHARE,
    event="case.opened",
    data=Data.PERSONAL,
)
def choose(case_id: UUID) -> str:
    """The panels; with one chosen, the sentence to confirm."""
    page = _open_to_share(case_id)
    kept = drafts.find_values(current_actor(), _draft(case_id))
    return _page(page, request.args.get("panel", ""), kept.get("reason", ""), {})


@pages.page(
    "/cases/<uuid:case_id>/share/panel/send",
    needs=Permission.CASE_SHARE,
    event="case.shared",
    data=Data.PERSONAL,
    methods=("POST",),
)
def send(case_id: UUID) -> Response | tuple[str, int]:
    actor = current_actor()
    panel, reason = request.form.get("panel", ""), request.form.get("reason", "")

    def act() -> str:
        done = share_with_panel(actor, case_id, _id(panel), reason=reason)
        flash(_said(done), "success")
        return f"/cases/{case_id}/sharing"

    try:
        return once(actor, act, draft=_draft(case_id))
    except Invalid as invalid:
        db.session.rollback()
        if "reason" not in invalid.errors:
            raise
        return _page(_open_to_share(case_id), panel, reason, invalid.errors), 422


def _open_to_share(case_id: UUID) -> CasePage:
    page = open_case_page(current_actor(), case_id, "sharing")
    if not page.may.share:
        raise Denied("not_lead", "Only the team that leads this case can share it, while it is not closed.")
    return page


def _page(page: CasePage, panel: str, reason: str, errors: dict[str, str]) -> str:
    offers = find_offers(current_actor(), page.case)
    chosen = next((one for one in offers if str(one.row.panel.id) == panel and not one.refusal), None)
    if chosen is None:
        return render_template("panels/choose.html", page=page, offers=offers)
    return render_template(
        "panels/share.html",
        page=page,
        offer=chosen,
        said=_sentence(page, chosen),
        until=f"The end of {_last_day(chosen)}",
        reason=reason,
        limit=LONGEST_REASON,
        errors=errors,
        draft_key=_draft(page.case.id),
    )


def _sentence(page: CasePage, offer: Offer) -> str:
    """What will happen, to whom, until when: one plain sentence."""
    panel = offer.row.panel
    who = _and([seat.called for seat in offer.ready])
    adding = "read and add to" if panel.may_contribute else "read, and not change,"
    purpose = f"the purpose ‘{offer.row.purpose}’"
    return (
        f"From now until the end of {_last_day(offer)}, {who} can {adding} the parts of {page.case.reference} "
        f"listed below, while they work for {purpose}. You can end each share at any time."
    )


def _said(done: PanelShare) -> str:
    said = f"Shared with {_and([seat.called for seat in done.reached])}. They can see it now."
    if done.left_out:
        others = "; ".join(f"{seat.called}: {why[:1].lower()}{why[1:]}" for seat, why in done.left_out)
        said += (
            f" Not shared with {count_words(len(done.left_out), 'member', 'members')}: {others.rstrip('.')}."
        )
    return said


def _last_day(offer: Offer) -> str:
    return format_date(offer.ends_at - SECOND)


def _and(words: list[str]) -> str:
    return " and ".join(part for part in ("; ".join(words[:-1]), words[-1] if words else "") if part)


def _id(given: str) -> UUID:
    try:
        return UUID(given)
    except ValueError as error:
        raise Invalid("bad_panel", "Choose a panel. Go back to the list of panels.") from error


def _draft(case_id: UUID) -> str:
    return drafts.form_name("case_panels.share", case_id)
