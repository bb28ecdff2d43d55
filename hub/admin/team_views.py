"""Administrators' pages of the organisation's teams: who wears each hat, of which employer; to make and name them, to add and to remove."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import flash, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.access.vocabulary import PURPOSE_LABELS, Purpose
from hub.accounts.models import Team
from hub.admin import teams as register
from hub.admin.team_form import TeamForm, parse_team
from hub.core.errors import Invalid
from hub.core.paging import Cursor
from hub.extensions import db
from hub.web import drafts
from hub.web.identity import current_actor
from hub.web.narrowing import Narrowed
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("teams", __name__)
ADDRESS = "/admin/teams"
Answer = Response | tuple[str, int]


@pages.page(ADDRESS, needs=Permission.ACCOUNT_MANAGE, event="accounts.listed", data=Data.STAFF)
def index() -> str:
    return render_template("admin/teams.html", teams=register.list_teams(current_actor()))


@pages.page(
    f"{ADDRESS}/new",
    needs=Permission.ACCOUNT_MANAGE,
    event="team.created",
    data=Data.STAFF,
    methods=("GET", "POST"),
)
def new() -> Answer:
    def act(form: TeamForm) -> str:
        team = register.create_team(current_actor(), form)
        flash(f"The team {team.name} is there. Put people into it.", "success")
        return url_for("teams.one", team_id=team.id)

    return _form(act, drafts.form_name("teams.new"), {"name": "", "purpose": Purpose.PREVENT_CRIME.value})


@pages.page(
    f"{ADDRESS}/<uuid:team_id>/edit",
    needs=Permission.ACCOUNT_MANAGE,
    event="team.changed",
    data=Data.STAFF,
    methods=("GET", "POST"),
)
def edit(team_id: UUID) -> Answer:
    actor = current_actor()

    def act(form: TeamForm) -> str:
        register.change_team(actor, team_id, form)
        return url_for("teams.one", team_id=team_id)

    team = register.open_team(actor, team_id)
    values = {"name": team.name, "purpose": team.default_purpose}
    return _form(act, drafts.form_name("teams.edit", team_id), values, team=team)


def _form(
    act: Callable[[TeamForm], str], draft: str, values: dict[str, str], *, team: Team | None = None
) -> Answer:
    actor, errors = current_actor(), {}
    values = {**values, **drafts.find_values(actor, draft)}
    if request.method == "POST":
        values = {name: request.form.get(name, "") for name in values}
        try:
            return once(actor, lambda: act(parse_team(request.form)), draft=draft)
        except Invalid as invalid:
            if not invalid.errors:
                raise
            db.session.rollback()
            errors = invalid.errors
    page = render_template(
        "admin/team_form.html",
        team=team,
        values=values,
        errors=errors,
        purposes=PURPOSE_LABELS.items(),
        draft_key=draft,
    )
    return page, 422 if errors else 200


@pages.page(
    f"{ADDRESS}/<uuid:team_id>",
    needs=Permission.ACCOUNT_MANAGE,
    event="accounts.listed",
    data=Data.STAFF,
)
def one(team_id: UUID) -> str:
    kept = drafts.find_values(current_actor(), _draft(team_id))
    return _page(team_id, kept.get("email", ""), {})


@pages.page(
    f"{ADDRESS}/<uuid:team_id>/members",
    needs=Permission.ACCOUNT_MANAGE,
    event="team.member_added",
    data=Data.STAFF,
    methods=("POST",),
    fresh=True,
)
def add(team_id: UUID) -> Response | tuple[str, int]:
    actor, back = current_actor(), url_for("teams.one", team_id=team_id)
    email = request.form.get("email", "")

    def act() -> str:
        user = register.add_member(actor, team_id, email)
        roles = " Which roles they hold is for their own employer to say."
        elsewhere = user.organisation_id != actor.organisation_id
        flash(f"{user.name} is in the team.{roles if elsewhere else ''}", "success")
        return back

    try:
        return once(actor, act, draft=_draft(team_id))
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _page(team_id, email, invalid.errors), 422


@pages.page(
    f"{ADDRESS}/<uuid:team_id>/members/<uuid:user_id>/remove",
    needs=Permission.ACCOUNT_MANAGE,
    event="team.member_removed",
    data=Data.STAFF,
    methods=("POST",),
    fresh=True,
)
def remove(team_id: UUID, user_id: UUID) -> Response:
    actor = current_actor()

    def act() -> str:
        user = register.remove_member(actor, team_id, user_id)
        flash(f"{user.name} is no longer in the team, and sees none of its records from now on.", "success")
        return url_for("teams.one", team_id=team_id)

    return once(actor, act)


def _page(team_id: UUID, email: str, errors: dict[str, str]) -> str:
    actor = current_actor()
    team = register.open_team(actor, team_id)
    narrowed = Narrowed(url_for("teams.one", team_id=team_id), {})
    page = register.find_members(actor, team_id, cursor=Cursor.parse(narrowed.after, by=str))
    asked = request.args.get("remove", "")
    return render_template(
        "admin/team.html",
        team=team,
        page=page,
        narrowed=narrowed,
        removing=next((one for one in page.rows if str(one.id) == asked), None),
        email=email,
        errors=errors,
        draft_key=_draft(team_id),
    )


def _draft(team_id: UUID) -> str:
    return drafts.form_name("teams.add", team_id)
