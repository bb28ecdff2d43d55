"""The administrators' page of which files the partnership takes, and how large."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import flash, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.admin.file_rules_form import NUMBERS, parse_file_rules
from hub.attachments.file_policy import policy_of, set_policy
from hub.attachments.types import TAKEN
from hub.core.errors import Invalid
from hub.extensions import db
from hub.web.identity import current_actor
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("file_rules", __name__)
ADDRESS = "/admin/files"


@pages.page(ADDRESS, needs=Permission.ACCOUNT_MANAGE, event=None, data=Data.NONE)
def show() -> str:
    rules = asdict(policy_of(current_actor().partnership_id))
    return _page({field: rules[field] for field in NUMBERS}, rules["extensions"], {})


@pages.page(
    ADDRESS, needs=Permission.ACCOUNT_MANAGE, event="file_policy.set", data=Data.NONE, methods=("POST",)
)
def change() -> Response | tuple[str, int]:
    actor = current_actor()
    chosen = request.form.getlist("extensions")
    values = {field: request.form.get(field, "") for field in NUMBERS}

    def act() -> str:
        form = parse_file_rules(values, chosen)
        set_policy(actor, **asdict(form))
        flash("The rules hold from now on. Files that are stored already stay as they are.", "success")
        return url_for("file_rules.show")

    try:
        return once(actor, act)
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _page(values, chosen, invalid.errors), 422


def _page(values: dict[str, Any], chosen: Any, errors: dict[str, str]) -> str:
    return render_template(
        "admin/file_rules.html",
        rules=policy_of(current_actor().partnership_id),
        types=[(extension, f".{extension}") for extension in TAKEN],
        chosen=list(chosen),
        values=values,
        errors=errors,
    )
