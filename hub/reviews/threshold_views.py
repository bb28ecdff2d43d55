"""The page of the thresholds of alerts: every rule, the number in force, and one field to set another from a day on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import flash, render_template, request
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.core import clock
from hub.core.errors import Invalid, NotVisible
from hub.extensions import db
from hub.reviews import actions
from hub.reviews.forms import parse_threshold
from hub.reviews.policy import may_set_thresholds
from hub.reviews.rules import RULES
from hub.reviews.threshold_queries import find_thresholds
from hub.web.identity import current_actor
from hub.web.once import new_form_key, once
from hub.web.routes import Data, Pages

pages = Pages("thresholds", __name__)
LIST = "/alert-rules"
FIELDS = ("threshold", "valid_from", "newest")


@pages.page(LIST, needs=Permission.ALERT_SET, event=None, data=Data.STAFF)
def index() -> str:
    return _page("", {}, {})


@pages.page(
    f"{LIST}/<code>",
    needs=Permission.ALERT_SET,
    event="threshold.set",
    data=Data.STAFF,
    methods=("POST",),
)
def change(code: str) -> Response | tuple[str, int]:
    actor, rule = current_actor(), RULES.get(code)
    if rule is None:
        raise NotVisible
    # every rule has its form on the one page, so each field bears the name of its rule
    given = {name: request.form.get(f"{name}-{code}", "") for name in FIELDS}

    def act() -> str:
        setting = actions.set_threshold(actor, rule, parse_threshold(given, rule))
        flash(f"Saved. {rule.title}: {setting.threshold} from {setting.valid_from:%-d %B %Y}.", "success")
        return f"{LIST}#{code}"

    try:
        return once(actor, act)
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        errors = {f"{name}-{code}": text for name, text in invalid.errors.items()}
        return _page(code, given, errors), 422


def _page(wrong: str, values: Mapping[str, Any], errors: dict[str, str]) -> str:
    """`wrong` is the rule whose form was sent and not taken."""
    actor = current_actor()
    return render_template(
        "reviews/thresholds.html",
        rules=list(find_thresholds(actor).values()),
        # one for each form: the same one would make of a second form a repetition of the first
        keys={code: new_form_key() for code in RULES},
        may_set=may_set_thresholds(actor),
        today=clock.today(),
        wrong=wrong,
        values=values,
        errors=errors,
    )
