"""Shared with us: records of partners under the purpose in hand, the answers to what is offered, own contributions."""

from __future__ import annotations

from uuid import UUID

from flask import flash, render_template, request
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.access.vocabulary import PURPOSE_LABELS, SECTION_LABELS, Purpose
from hub.casefile.shared import open_contribution, open_shared
from hub.core.errors import Invalid
from hub.core.paging import Cursor
from hub.extensions import db
from hub.sharing.actions import answer_share
from hub.sharing.vocabulary import STATE_LABELS
from hub.web.context import mark_page
from hub.web.identity import current_actor
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("sharing", __name__)


@pages.page("/shared", needs=Permission.SHARE_READ, event="share.listed", data=Data.PERSONAL)
def shared() -> str:
    return _page(request.args.get("reject", ""), {})


@pages.page(
    "/shared/<uuid:grant_id>/answer",
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
        return "/shared"

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
    return render_template("sharing/contributed.html", entry=open_contribution(current_actor(), entry_id))


def _owner(text: str) -> UUID | None:
    """The lead organisation to keep to; whatever is no id keeps to none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _page(rejecting: str, errors: dict[str, str]) -> str:
    actor = current_actor()
    owner = _owner(request.args.get("from", ""))
    after = request.args.get("after")
    found = open_shared(actor, owner_id=owner, after=Cursor.parse(after))
    mark_page(found.marking, "personal data")
    answers = actor.may(Permission.SHARE_ANSWER)
    return render_template(
        "casefile/shared.html",
        found=found,
        owner=str(owner or ""),
        first_page=not after,
        may_answer=answers,
        rejecting=next((row for row in found.waiting if answers and str(row.grant.id) == rejecting), None),
        reason=request.form.get("reason", ""),
        errors=errors,
        purpose_labels={one.value: label for one, label in PURPOSE_LABELS.items()},
        purpose_in_hand=PURPOSE_LABELS[Purpose(actor.purpose)],
        section_labels=SECTION_LABELS,
        state_labels=STATE_LABELS,
    )
