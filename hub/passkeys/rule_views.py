"""The administrators' page of whether the organisation asks for passkeys that stay on one device."""

from __future__ import annotations

from flask import flash, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.access.permissions import ROLES, Permission
from hub.core.errors import Denied, Invalid
from hub.passkeys import queries, requiring
from hub.passkeys.policy import is_strict
from hub.web.context import lead_back
from hub.web.identity import current_actor, current_visit
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("passkey_rule", __name__)
ADDRESS = "/admin/passkeys"


@pages.page(ADDRESS, needs=Permission.ACCOUNT_MANAGE, event=None, data=Data.STAFF, fresh=True)
def show() -> str:
    actor = current_actor()
    people: dict[str, dict[str, object]] = {}
    for one in queries.list_holders(actor):
        row = people.setdefault(str(one.user_id), {"name": one.name, "roles": [], "bound": one.bound})
        label = ROLES[one.role].label
        if isinstance(row["roles"], list) and label not in row["roles"]:
            row["roles"].append(label)
    rows = [{**row, "roles": ", ".join(map(str, row["roles"]))} for row in people.values()]  # type: ignore[call-overload]
    return render_template("passkeys/rule.html", strict=is_strict(actor.organisation_id), people=rows)


@pages.page(
    ADDRESS,
    needs=Permission.ACCOUNT_MANAGE,
    event="passkey_rule.set",
    data=Data.NONE,
    methods=("POST",),
    fresh=True,
)
def change() -> Response:
    actor, visit, wanted = current_actor(), current_visit(), request.form.get("strict")
    lead_back(ADDRESS, "Passkeys of administrators and auditors")
    if visit is None:
        raise Denied("not_signed_in", "Sign in to do this.")
    if wanted not in ("yes", "no"):
        raise Invalid("no_choice", "The form did not say whether the rule is to hold. Go back and choose.")
    session_id, strict = visit.session_id, wanted == "yes"

    def act() -> str:
        requiring.set_rule(actor, session_id, strict=strict)
        flash(
            "From now on administrators and auditors sign in with a passkey that stays on one device."
            if strict
            else "Administrators and auditors can sign in as everybody else does.",
            "success",
        )
        return url_for("passkey_rule.show")

    return once(actor, act)
