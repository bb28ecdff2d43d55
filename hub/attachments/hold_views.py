"""Legal holds of a case and of one file: placing one, asking to lift it, and agreeing as the second."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import flash, request
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.attachments.forms import parse_reason
from hub.attachments.holding import ask_to_lift, lift_hold, place_hold
from hub.web.addresses import inside
from hub.web.identity import current_actor
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("case_holds", __name__)
HOLDS = "/cases/<uuid:case_id>/holds"
ONE = f"{HOLDS}/<uuid:hold_id>"


@pages.page(HOLDS, needs=Permission.FILE_HOLD, event="hold.placed", data=Data.PERSONAL, methods=("POST",))
def place(case_id: UUID) -> Response:
    actor = current_actor()
    return _acted(
        case_id,
        "It is under legal hold now.",
        lambda: place_hold(actor, case_id, reason=parse_reason(request.form)),
    )


@pages.page(
    "/cases/<uuid:case_id>/files/<uuid:attachment_id>/hold",
    needs=Permission.FILE_HOLD,
    event="hold.placed",
    data=Data.PERSONAL,
    methods=("POST",),
)
def place_on_file(case_id: UUID, attachment_id: UUID) -> Response:
    actor = current_actor()
    return _acted(
        case_id,
        "The file is under legal hold now.",
        lambda: place_hold(actor, case_id, reason=parse_reason(request.form), attachment_id=attachment_id),
    )


@pages.page(
    f"{ONE}/ask", needs=Permission.FILE_HOLD, event="hold.lift_asked", data=Data.PERSONAL, methods=("POST",)
)
def ask(case_id: UUID, hold_id: UUID) -> Response:
    actor = current_actor()
    return _acted(
        case_id,
        "You have asked to lift the hold. It stands until another supervisor agrees.",
        lambda: ask_to_lift(actor, case_id, hold_id, reason=parse_reason(request.form)),
    )


@pages.page(
    f"{ONE}/lift", needs=Permission.FILE_HOLD, event="hold.lifted", data=Data.PERSONAL, methods=("POST",)
)
def lift(case_id: UUID, hold_id: UUID) -> Response:
    actor = current_actor()
    return _acted(case_id, "The legal hold is lifted.", lambda: lift_hold(actor, case_id, hold_id))


def _acted(case_id: UUID, sentence: str, act: Callable[[], object]) -> Response:
    """Acts once and goes back to the page from which it was asked."""
    back = inside(request.form.get("back")) if request.form.get("back") else f"/cases/{case_id}/files"

    def done() -> str:
        act()
        flash(sentence, "success")
        return back

    return once(current_actor(), done)
