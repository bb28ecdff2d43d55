"""Administrators' page of their organisation's directory: what it may do, the address to copy, tokens made and ended."""

from __future__ import annotations

from uuid import UUID

from flask import current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.core.errors import Invalid
from hub.directories import actions, queries
from hub.directories.forms import LIVES, parse_life
from hub.directories.mounting import address
from hub.directories.queries import TOKEN_STATE_LABELS
from hub.extensions import db
from hub.web.identity import current_actor
from hub.web.once import earlier, finish, once, parse_form_key
from hub.web.routes import Data, Pages

pages = Pages("directories", __name__)
ADDRESS = "/admin/directory"


@pages.page(ADDRESS, needs=Permission.ACCOUNT_MANAGE, event=None, data=Data.STAFF)
def index() -> str:
    return _page({})


@pages.page(
    f"{ADDRESS}/tokens",
    needs=Permission.ACCOUNT_MANAGE,
    event="directory.token_made",
    data=Data.STAFF,
    methods=("POST",),
    fresh=True,
)
def make() -> Response | tuple[str, int]:
    actor, back = current_actor(), url_for("directories.index")
    key = parse_form_key(request.form.get("form_key"))
    try:
        begun = earlier(actor, key)
        if begun is not None:
            return redirect(begun, 303)
        made, token = actions.make_token(actor, parse_life(request.form))
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _page(invalid.errors), 422
    finish(key, back)
    db.session.commit()
    # the only page that ever shows it: only its hash is kept
    return render_template("directories/made.html", token=token, made=made, address=_base()), 200


@pages.page(
    f"{ADDRESS}/tokens/<uuid:token_id>/end",
    needs=Permission.ACCOUNT_MANAGE,
    event="directory.token_ended",
    data=Data.NONE,
    methods=("POST",),
    fresh=True,
)
def end(token_id: UUID) -> Response:
    actor = current_actor()

    def act() -> str:
        actions.end_token(actor, token_id)
        flash("The token has ended. Nothing that comes with it is answered any more.", "success")
        return url_for("directories.index")

    return once(actor, act)


def _page(errors: dict[str, str]) -> str:
    tokens = queries.list_tokens(current_actor())
    asked = request.args.get("end", "")
    return render_template(
        "directories/index.html",
        tokens=tokens,
        ending=next((one for one in tokens if one.works and str(one.id) == asked), None),
        rotating=any(one.works for one in tokens),
        state_labels=TOKEN_STATE_LABELS,
        lives=list(LIVES.items()),
        days=request.form.get("days", ""),
        address=_base(),
        errors=errors,
    )


def _base() -> str:
    return address(current_app.config["HUB_SETTINGS"].public_url)
