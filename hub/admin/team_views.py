"""Administrators' pages of the organisation's teams: who wears each hat, of which employer; to add and to remove."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.accounts.sessions import check_fresh
from hub.admin import teams as register
from hub.core.errors import Denied, Invalid
from hub.core.paging import Cursor
from hub.extensions import db
from hub.web import drafts
from hub.web.identity import current_actor, current_visit
from hub.web.narrowing import Narrowed
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("teams", __name__)
ADDRESS = "/admin/teams"


@pages.page(ADDRESS, needs=Permission.ACCOUNT_MANAGE, event="accounts.listed", data=Data.STAFF)
def index() -> str:
    return render_template("admin/teams.html", teams=register.list_teams(current_actor()))


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
)
def add(team_id: UUID) -> Response | tuple[str, int]:
    actor, back = current_actor(), url_for("teams.one", team_id=team_id)
    email = request.form.get("email", "")
    if not _fresh():
        # what was typed waits until the administrator has confirmed who they are
        drafts.keep(actor, _draft(team_id), {"email": [email]})
        db.session.commit()
        return redirect(url_for("accounts.confirm", next=back), 303)

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
    )


def _fresh() -> bool:
    visit = current_visit()
    try:
        if visit is not None:
            check_fresh(visit)
    except Denied as denied:
        if denied.code != "stale_session":
            raise
        return False
    return True


def _draft(team_id: UUID) -> str:
    return drafts.form_name("teams.add", team_id)
