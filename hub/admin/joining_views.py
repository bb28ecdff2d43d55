"""Administrators' pages of what an account stands on: details changed, moved to another team, opened again with a new last day."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import flash, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.accounts.queries import user_names
from hub.admin import queries as accounts
from hub.admin import teams as register
from hub.core import clock
from hub.core.errors import Invalid
from hub.extensions import db
from hub.joining import actions, queries
from hub.joining.forms import parse_details, parse_last_day, values_of
from hub.joining.policy import check_may_change, check_may_reopen, rules_of
from hub.settings.vetting import VETTING_LABELS
from hub.web import drafts
from hub.web.identity import current_actor
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("joiners", __name__)
ADDRESS = "/admin/users/<uuid:user_id>"
Answer = Response | str | tuple[str, int]


@pages.page(
    f"{ADDRESS}/details",
    needs=Permission.ACCOUNT_MANAGE,
    event="user.conditions_set",
    data=Data.STAFF,
    methods=("GET", "POST"),
    fresh=True,
)
def details(user_id: UUID) -> Answer:
    actor, draft = current_actor(), drafts.form_name("joiners.details", user_id)
    user = queries.open_user(actor, user_id)

    def act() -> str:
        form = parse_details(request.form, user, today=clock.today(), rules=rules_of(actor.partnership_id))
        changed = actions.change_details(actor, user_id, form)
        flash(f"The details of {changed.name} are saved.", "success")
        return url_for("admin.user", user_id=user_id)

    def show(errors: dict[str, str]) -> str:
        check_may_change(actor, user)
        kept = request.form.to_dict() if errors else drafts.find_values(actor, draft)
        return render_template(
            "joining/details.html",
            user=user,
            values={**values_of(user), **kept},
            levels=list(VETTING_LABELS.items()),
            set_by=user_names([user.conditions_set_by])[user.conditions_set_by]
            if user.conditions_set_by
            else "",
            errors=errors,
            draft_key=draft,
        )

    return _answer(act, show, draft)


@pages.page(
    f"{ADDRESS}/teams",
    needs=Permission.ACCOUNT_MANAGE,
    event="team.member_added",
    data=Data.STAFF,
    methods=("GET", "POST"),
    fresh=True,
)
def move(user_id: UUID) -> Answer:
    actor, draft = current_actor(), drafts.form_name("joiners.move", user_id)
    user = queries.open_user(actor, user_id)
    teams = {str(key): name for key, name in accounts.find_teams(actor).items()}

    def act() -> str:
        given = request.form.getlist("teams")
        # half of what was ticked is not what was meant
        wanted = frozenset(UUID(one) for one in given) if set(given) <= set(teams) else frozenset()
        moved = register.move_user(actor, user_id, wanted)
        flash(f"The teams of {moved.name} are changed. They see the records of these from now on.", "success")
        return url_for("admin.user", user_id=user_id)

    def show(errors: dict[str, str]) -> str:
        in_now = [str(key) for key in register.find_own_teams(actor, user_id)]
        kept = drafts.find(actor, draft) or {}
        return render_template(
            "joining/move.html",
            user=user,
            teams=list(teams.items()),
            chosen=request.form.getlist("teams") if errors else kept.get("teams", in_now),
            errors=errors,
            draft_key=draft,
        )

    return _answer(act, show, draft)


@pages.page(
    f"{ADDRESS}/reopen",
    needs=Permission.ACCOUNT_MANAGE,
    event="user.reinstated",
    data=Data.STAFF,
    methods=("GET", "POST"),
    fresh=True,
)
def reopen(user_id: UUID) -> Answer:
    actor, draft = current_actor(), drafts.form_name("joiners.reopen", user_id)
    user = queries.open_user(actor, user_id)

    def act() -> str:
        opened = actions.reopen_user(actor, user_id, parse_last_day(request.form, today=clock.today()))
        flash(f"The account of {opened.name} is open again.", "success")
        return url_for("admin.user", user_id=user_id)

    def show(errors: dict[str, str]) -> str:
        check_may_reopen(actor, user)
        return render_template(
            "joining/reopen.html",
            user=user,
            values=request.form.to_dict() if errors else drafts.find_values(actor, draft),
            errors=errors,
            draft_key=draft,
        )

    return _answer(act, show, draft)


def _answer(act: Callable[[], str], show: Callable[[dict[str, str]], str], draft: str) -> Answer:
    """The form; or what it led to; or the form again, with what is wrong beside each field."""
    if request.method == "GET":
        return show({})
    try:
        return once(current_actor(), act, draft=draft)
    except Invalid as invalid:
        if not invalid.errors:
            raise
        db.session.rollback()
        return show(invalid.errors), 422
