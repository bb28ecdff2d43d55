"""The page on which an administrator confirms, once a month, who still needs access; and opens suspended accounts again."""

from __future__ import annotations

from uuid import UUID

from flask import flash, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.attestations import actions, queries
from hub.attestations.policy import LINE_STATE_LABELS, LineState
from hub.core.errors import Invalid
from hub.core.paging import Cursor
from hub.extensions import db
from hub.web.identity import current_actor
from hub.web.narrowing import Filter, Narrowed
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("attestations", __name__)


@pages.page(
    "/admin/attestation", needs=Permission.ACCOUNT_MANAGE, event="attestation.opened", data=Data.STAFF
)
def home() -> str:
    return _page({})


@pages.page(
    "/admin/attestation/<uuid:attestation_id>/confirm",
    needs=Permission.ACCOUNT_MANAGE,
    event="attestation.confirmed",
    data=Data.STAFF,
    methods=("POST",),
)
def confirm(attestation_id: UUID) -> Response | tuple[str, int]:
    actor = current_actor()

    def act() -> str:
        count = actions.confirm_users(actor, attestation_id, _chosen())
        flash(f"Confirmed: {count} still {'needs' if count == 1 else 'need'} access.", "success")
        return url_for("attestations.home")

    try:
        return once(actor, act)
    except Invalid as invalid:
        if not invalid.errors:
            raise
        db.session.rollback()
        return _page(invalid.errors), 422


@pages.page(
    "/admin/attestation/users/<uuid:user_id>/reinstate",
    needs=Permission.ACCOUNT_MANAGE,
    event="user.reinstated",
    data=Data.STAFF,
    methods=("POST",),
    fresh=True,
)
def reinstate(user_id: UUID) -> Response:
    actor, back = current_actor(), url_for("attestations.home")

    def act() -> str:
        user = actions.reinstate_user(actor, user_id)
        flash(f"The account of {user.name} is open again, and confirmed.", "success")
        return back

    return once(actor, act)


def _chosen() -> list[UUID]:
    """`Invalid` where a tick holds no id: the page makes none such."""
    try:
        return [UUID(one) for one in request.form.getlist("user")]
    except ValueError as error:
        raise Invalid("bad_user", errors={"user": "Tick people of the list"}) from error


def _page(errors: dict[str, str]) -> str:
    actor = current_actor()
    narrowed = Narrowed(url_for("attestations.home"), {"state": Filter("State", LINE_STATE_LABELS)})
    wanted = LineState(narrowed["state"]) if narrowed["state"] else None
    month, page = queries.open_list(actor, wanted, cursor=Cursor.parse(narrowed.after, by=str))
    alone = queries.is_only_administrator(actor)
    return render_template(
        "attestations/home.html",
        month=month,
        page=page,
        narrowed=narrowed,
        alone=alone,
        chosen=request.form.getlist("user"),
        to_tick=[
            row.user_id for row in page.rows if row.state is LineState.WAITING and (alone or not row.own)
        ],
        state_labels=LINE_STATE_LABELS,
        errors=errors,
    )
