"""Shared with us: records of partners under the purpose in hand, the answers to what is offered, own contributions."""

from __future__ import annotations

from uuid import UUID

from flask import flash, render_template, request
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.access.vocabulary import PURPOSE_LABELS, SECTION_LABELS, Purpose
from hub.attachments.sending import as_download, asked
from hub.casefile.contributed import open_contributed_file, open_contribution
from hub.casefile.shared import SharedPage, SharedPart, find_elsewhere, find_part_owners, open_shared
from hub.core.errors import Invalid
from hub.core.paging import Cursor
from hub.extensions import db
from hub.handovers.queries import waiting_count as hand_overs_waiting
from hub.sharing.actions import answer_share
from hub.sharing.queries import find_waiting_one
from hub.sharing.vocabulary import STATE_LABELS
from hub.web.context import mark_page
from hub.web.identity import current_actor
from hub.web.narrowing import Filter, Narrowed
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("sharing", __name__)
ADDRESS = "/shared"
PART_LABELS = {
    SharedPart.LIVE: "Shared now",
    SharedPart.WAITING: "Waiting for your answer",
    SharedPart.ENDED: "Ended",
    SharedPart.CONTRIBUTED: "What we added",
}


@pages.page(ADDRESS, needs=Permission.SHARE_READ, event="share.listed", data=Data.PERSONAL)
def shared() -> str:
    return _page(request.args.get("reject", ""), {})


@pages.page(
    f"{ADDRESS}/<uuid:grant_id>/answer",
    needs=Permission.SHARE_ANSWER,
    event="share.accepted",
    data=Data.PERSONAL,
    methods=("POST",),
)
def answer(grant_id: UUID) -> Response | tuple[str, int]:
    actor = current_actor()
    accept = request.form.get("answer") == "accept"

    def act() -> str:
        grant = answer_share(actor, grant_id, accept=accept, reason=request.form.get("reason", ""))
        said = "accepted. It is in the list below" if accept else "rejected. The owner is told why"
        flash(f"{grant.record_reference}: {said}.", "success")
        return ADDRESS

    try:
        return once(actor, act)
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _page(str(grant_id), invalid.errors), 422


@pages.page(
    "/contributed/<uuid:entry_id>",
    needs=Permission.SHARE_READ,
    event="contribution.opened",
    data=Data.PERSONAL,
)
def contributed(entry_id: UUID) -> str:
    found = open_contribution(current_actor(), entry_id)
    mark_page(found.marking, "personal data")
    return render_template("sharing/contributed.html", item=found)


@pages.page(
    "/contributed/<uuid:entry_id>/file",
    needs=Permission.FILE_DOWNLOAD,
    event="attachment.downloaded",
    data=Data.PERSONAL,
)
def contributed_file(entry_id: UUID) -> Response:
    return as_download(open_contributed_file(current_actor(), entry_id, asked()))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _page(rejecting: str, errors: dict[str, str]) -> str:
    actor = current_actor()
    given = request.args.get("show", "")
    part = SharedPart(given) if given in set(SharedPart) else SharedPart.LIVE
    narrowed = Narrowed(
        ADDRESS,
        {
            "from": Filter(
                "Lead organisation", find_part_owners(actor, part, _uuid(request.args.get("from", "")))
            )
        },
        carried={} if part is SharedPart.LIVE else {"show": part.value},
    )
    found = open_shared(
        actor,
        part,
        owner_id=_uuid(narrowed["from"]),
        after=Cursor.parse(narrowed.after),
    )
    mark_page(found.marking, "personal data")
    answers = actor.may(Permission.SHARE_ANSWER)
    asked = _uuid(rejecting) if answers else None
    return render_template(
        "casefile/shared.html",
        found=found,
        narrowed=narrowed,
        tabs_shown=_tabs(found),
        elsewhere=find_elsewhere(actor),
        may_answer=answers,
        rejecting=find_waiting_one(actor, asked) if asked else None,
        reason=request.form.get("reason", ""),
        errors=errors,
        purpose_in_hand=PURPOSE_LABELS[Purpose(actor.purpose)],
        section_labels=SECTION_LABELS,
        state_labels=STATE_LABELS,
    )


def _tabs(found: SharedPage) -> list[dict[str, object]]:
    actor = current_actor()
    tabs: list[dict[str, object]] = [
        {
            "label": label,
            "href": ADDRESS if part is SharedPart.LIVE else f"{ADDRESS}?show={part.value}",
            "active": part is found.part,
            "count": found.waiting_number or None if part is SharedPart.WAITING else None,
        }
        for part, label in PART_LABELS.items()
    ]
    if actor.may(Permission.CASE_READ):
        waiting = hand_overs_waiting(actor) or None
        tabs.append({"label": "Hand-overs", "href": "/hand-overs", "active": False, "count": waiting})
    return tabs
