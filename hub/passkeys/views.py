"""Pages of one's own passkeys: which there are, adding one, giving one another name, taking one away."""

from __future__ import annotations

from uuid import UUID

from flask import current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.accounts import cookies
from hub.core.errors import Denied, Invalid
from hub.extensions import db
from hub.passkeys import actions, queries
from hub.passkeys.answers import ask, go_to, in_json
from hub.passkeys.party import NOT_HERE, party_of
from hub.passkeys.policy import is_strict
from hub.passkeys.telling import ADDRESS
from hub.web.context import lead_back
from hub.web.identity import current_actor, current_visit
from hub.web.once import once
from hub.web.routes import Data, Door, Pages

pages = Pages("passkeys", __name__)


@pages.page(ADDRESS, needs=Door.SIGNED_IN, event=None, data=Data.STAFF)
def home() -> str:
    actor = current_actor()
    return render_template(
        "passkeys/own.html",
        passkeys=queries.list_own(actor),
        not_here="" if party_of(current_app.config["HUB_SETTINGS"]) else NOT_HERE,
    )


@pages.page(f"{ADDRESS}/new", needs=Door.SIGNED_IN, event=None, data=Data.NONE, fresh=True)
def new() -> Response | str:
    party = party_of(current_app.config["HUB_SETTINGS"])
    if party is None:
        return redirect(url_for("passkeys.home"), 303)
    return render_template(
        "passkeys/new.html", origin=party.origin, strict=is_strict(current_actor().organisation_id)
    )


@pages.page(
    f"{ADDRESS}/begin", needs=Door.SIGNED_IN, event=None, data=Data.STAFF, methods=("POST",), fresh=True
)
@in_json
def begin() -> Response:
    asked = actions.begin_adding(current_actor(), _session_id(), request.form.get("label", ""))
    db.session.commit()
    return ask(*asked)


@pages.page(
    f"{ADDRESS}/add",
    needs=Door.SIGNED_IN,
    event="passkey.added",
    data=Data.NONE,
    methods=("POST",),
    fresh=True,
)
@in_json
def add() -> Response:
    actions.add_passkey(
        current_actor(),
        _session_id(),
        token=cookies.step(),
        credential=request.form.get("credential", ""),
        label=request.form.get("label", ""),
    )
    db.session.commit()
    flash("The passkey is added. You can sign in with it from now on.", "success")
    return go_to(url_for("passkeys.home"))


@pages.page(
    f"{ADDRESS}/<uuid:passkey_id>",
    needs=Door.SIGNED_IN,
    event="passkey.renamed",
    data=Data.STAFF,
    methods=("GET", "POST"),
)
def rename(passkey_id: UUID) -> Response | tuple[str, int]:
    actor, errors = current_actor(), {}
    if request.method == "POST":

        def act() -> str:
            actions.rename_passkey(actor, passkey_id, request.form.get("label", ""))
            flash("The passkey has another name.", "success")
            return ADDRESS

        try:
            return once(actor, act)
        except Invalid as invalid:
            db.session.rollback()
            if not invalid.errors:
                raise
            errors = invalid.errors
    passkey = queries.find_own(actor, passkey_id)
    label = request.form.get("label", passkey.label)
    page = render_template("passkeys/rename.html", passkey=passkey, label=label, errors=errors)
    return page, 422 if errors else 200


@pages.page(
    f"{ADDRESS}/<uuid:passkey_id>/remove",
    needs=Door.SIGNED_IN,
    event="passkey.removed",
    data=Data.STAFF,
    methods=("GET", "POST"),
    fresh=True,
)
def remove(passkey_id: UUID) -> Response | str:
    actor, session_id = current_actor(), _session_id()
    if request.method == "POST":

        def act() -> str:
            label = actions.remove_passkey(actor, session_id, passkey_id)
            flash(f"The passkey “{label}” is removed. It opens nothing any more.", "success")
            return ADDRESS

        lead_back(ADDRESS, "Your passkeys")
        return once(actor, act)
    return render_template("passkeys/remove.html", passkey=queries.find_own(actor, passkey_id))


def _session_id() -> UUID:
    visit = current_visit()
    if visit is None:
        raise Denied("not_signed_in", "Sign in to do this.")
    return visit.session_id
