"""Pages of one's own conditions: the terms of use, which come before everything else, and training, vetting and last day."""

from __future__ import annotations

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

from hub.access.actor import Actor
from hub.core import clock
from hub.core.errors import Invalid
from hub.extensions import db
from hub.joining import actions, queries
from hub.joining.policy import conditions_of, rules_of
from hub.joining.terms import IN_FORCE
from hub.settings.vetting import VETTING_LABELS, Vetting
from hub.web.addresses import inside
from hub.web.identity import current_actor
from hub.web.once import once
from hub.web.routes import Data, Door, Pages

pages = Pages("joining", __name__)


@pages.page("/terms", needs=Door.SIGNED_IN, event=None, data=Data.NONE, before_terms=True)
def terms() -> str:
    return _terms(current_actor())


@pages.page(
    "/terms",
    needs=Door.SIGNED_IN,
    event="terms.accepted",
    data=Data.NONE,
    methods=("POST",),
    before_terms=True,
)
def accept() -> Response | tuple[str, int]:
    actor = current_actor()

    def act() -> str:
        actions.accept_terms(actor, request.form.get("version", ""))
        return inside(request.form.get("next"))

    try:
        return once(actor, act)
    except Invalid as invalid:
        if invalid.code != "other_terms":
            raise
        db.session.rollback()
        return _terms(actor, {"version": invalid.message}), 422


def _terms(actor: Actor, errors: dict[str, str] | None = None) -> str:
    user = queries.find_own(actor)
    accepted = user.terms_accepted_at if user.terms_version == IN_FORCE else None
    return render_template(
        "joining/terms.html",
        version=IN_FORCE,
        accepted_at=accepted,
        anew=user.terms_version is not None,
        errors=errors or {},
        next=inside(request.values.get("next")),
    )


@pages.page("/account/conditions", needs=Door.SIGNED_IN, event=None, data=Data.STAFF)
def own() -> str:
    actor = current_actor()
    user = queries.find_own(actor)
    return render_template(
        "joining/own.html",
        user=user,
        conditions=conditions_of(user, clock.today(), rules_of(actor.partnership_id)),
        vetting=VETTING_LABELS[Vetting(user.vetting)] if user.vetting else "",
        terms_href=url_for("joining.terms"),
    )
