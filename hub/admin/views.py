"""Pages of administrators: where they start, users of the organisation, the role matrix, invitations."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from flask import current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.access.actor import Actor
from hub.access.permissions import ROLES, Permission, Role
from hub.accounts.models import User
from hub.admin import actions, queries
from hub.admin.forms import InviteForm, parse_invitation, parse_roles
from hub.admin.home import SECTIONS, counts_of
from hub.admin.policy import ACCOUNT_STATE_LABELS, PERMISSION_LABELS, AccountState
from hub.admin.queries import AccountFilter
from hub.core import clock
from hub.core.errors import Invalid
from hub.core.paging import Cursor
from hub.extensions import db
from hub.joining.forms import FIELDS as CONDITION_FIELDS
from hub.joining.policy import rules_of
from hub.lists.catalogue import JOB_ROLE
from hub.lists.entries import labels_of
from hub.role_changes.policy import how_given
from hub.role_changes.queries import find_waiting
from hub.settings.catalogue import INVITATION_HOURS, RESET_MINUTES
from hub.settings.values import value_of
from hub.settings.vetting import VETTING_LABELS
from hub.web import drafts
from hub.web.identity import current_actor
from hub.web.narrowing import Filter, Narrowed
from hub.web.once import earlier, finish, once, parse_form_key
from hub.web.routes import Data, Pages

pages = Pages("admin", __name__)
FIELDS = ("name", "email", "job_title", "team_id", *CONDITION_FIELDS)


@pages.page("/admin", needs=Permission.ACCOUNT_MANAGE, event=None, data=Data.NONE)
def home() -> str:
    return render_template("admin/home.html", sections=SECTIONS, counts=counts_of(current_actor()))


@pages.page("/admin/users", needs=Permission.ACCOUNT_MANAGE, event="accounts.listed", data=Data.STAFF)
def users() -> str:
    actor = current_actor()
    teams = {str(key): name for key, name in queries.find_teams(actor).items()}
    narrowed = Narrowed(
        url_for("admin.users"),
        {
            "name": Filter("Name"),
            "state": Filter("State", ACCOUNT_STATE_LABELS),
            "team": Filter("Team", teams),
            "needs": Filter("Training, vetting and last day", {"attention": "Needs attention"}),
        },
    )
    state, team = narrowed["state"], narrowed["team"]
    wanted = AccountFilter(
        AccountState(state) if state else None,
        UUID(team) if team else None,
        narrowed["name"],
        narrowed["needs"] == "attention",
    )
    page = queries.list_accounts(actor, wanted, cursor=Cursor.parse(narrowed.after, by=str))
    return render_template(
        "admin/users.html", page=page, narrowed=narrowed, state_labels=ACCOUNT_STATE_LABELS
    )


@pages.page("/admin/roles", needs=Permission.ACCOUNT_MANAGE, event=None, data=Data.NONE)
def roles() -> str:
    rows = [
        {
            "label": PERMISSION_LABELS[permission],
            "held": [permission in ROLES[role].permissions for role in Role],
        }
        for permission in Permission
    ]
    return render_template("admin/roles.html", roles=[ROLES[role] for role in Role], rows=rows)


@pages.page(
    "/admin/users/new",
    needs=Permission.ACCOUNT_MANAGE,
    event="user.invited",
    data=Data.STAFF,
    methods=("GET", "POST"),
    fresh=True,
)
def invite() -> Response | tuple[str, int]:
    actor = current_actor()
    draft = drafts.form_name("admin.invite")
    teams = queries.find_teams(actor)
    kept = drafts.find(actor, draft) or {}
    values = {name: (kept.get(name) or [""])[0] for name in FIELDS}
    chosen, errors = kept.get("roles", []), {}
    if request.method == "POST":
        values, chosen = {name: request.form.get(name, "") for name in FIELDS}, request.form.getlist("roles")
        key = parse_form_key(request.form.get("form_key"))
        try:
            begun = earlier(actor, key)
            if begun is not None:
                return redirect(begun, 303)
            user, secret, given = actions.invite_user(actor, _invitation(actor, chosen, teams))
            drafts.drop(actor, draft)
            finish(key, url_for("admin.user", user_id=user.id))
            db.session.commit()
            return _link_once(user, secret, waits=given.sentence)
        except Invalid as invalid:
            if not invalid.errors:
                raise
            db.session.rollback()
            errors = invalid.errors
    page = render_template(
        "admin/invite.html",
        values=values,
        chosen=chosen,
        errors=errors,
        teams=list(teams.items()),
        jobs=labels_of(actor, JOB_ROLE),
        how_given=how_given(actor),
        roles=[(role.value, ROLES[role].label, ROLES[role].description) for role in Role],
        levels=list(VETTING_LABELS.items()),
        draft_key=draft,
    )
    return page, 422 if errors else 200


def _invitation(actor: Actor, roles: list[str], teams: Mapping[UUID, str]) -> InviteForm:
    rules = rules_of(actor.partnership_id)
    return parse_invitation(request.form, roles, teams, today=clock.today(), rules=rules)


def _link_once(user: User, secret: str, *, reset: bool = False, waits: str = "") -> tuple[str, int]:
    """The only page that ever shows the link: only its hash is kept."""
    address = current_app.config["HUB_SETTINGS"].public_url + url_for("accounts.enrol", secret=secret)
    setting = RESET_MINUTES if reset else INVITATION_HOURS
    lasts = setting.kind.words(value_of(current_actor().partnership_id, setting))
    page = render_template(
        "admin/invited.html", user=user, address=address, reset=reset, lasts=lasts, waits=waits
    )
    return page, 200


@pages.page(
    "/admin/users/<uuid:user_id>", needs=Permission.ACCOUNT_MANAGE, event="user.opened", data=Data.STAFF
)
def user(user_id: UUID) -> str:
    return _user_page(user_id, {})


def _user_page(user_id: UUID, errors: dict[str, str]) -> str:
    actor = current_actor()
    kept = drafts.find(actor, _roles_draft(user_id)) or {}
    account = queries.open_account(actor, user_id)
    held = [role.value for role in queries.find_roles(actor, user_id)]
    return render_template(
        "admin/user.html",
        account=account,
        own=user_id == actor.user_id,
        state_labels=ACCOUNT_STATE_LABELS,
        roles=[(role.value, ROLES[role].label, ROLES[role].description) for role in Role],
        chosen=request.form.getlist("roles") if errors else kept.get("roles", held),
        errors=errors,
        waiting=find_waiting(actor, user_id),
        how_given=how_given(actor),
        draft_key=_roles_draft(user_id),
    )


def _roles_draft(user_id: UUID) -> str:
    return drafts.form_name("admin.roles", user_id)


@pages.page(
    "/admin/users/<uuid:user_id>/roles",
    needs=Permission.ACCOUNT_MANAGE,
    event="role.asked",
    data=Data.STAFF,
    methods=("POST",),
    fresh=True,
)
def change_roles(user_id: UUID) -> Response | tuple[str, int]:
    actor, back = current_actor(), url_for("admin.user", user_id=user_id)

    def act() -> str:
        wanted = parse_roles(request.form.getlist("roles"))
        changed, given = actions.change_roles(actor, user_id, wanted)
        done = f"The roles of {changed.name} are changed. They sign in again to use them."
        flash(f"Asked. {given.sentence}" if given.asked else done, "success")
        return back

    try:
        return once(actor, act, draft=_roles_draft(user_id))
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _user_page(user_id, invalid.errors), 422


@pages.page(
    "/admin/users/<uuid:user_id>/sessions/end",
    needs=Permission.ACCOUNT_MANAGE,
    event="session.revoked",
    data=Data.STAFF,
    methods=("POST",),
    fresh=True,
)
def end_sessions(user_id: UUID) -> Response:
    actor = current_actor()

    def act() -> str:
        ended, number = actions.end_sessions(actor, user_id)
        flash(f"{ended.name} is signed out everywhere ({number} sessions).", "success")
        return url_for("admin.user", user_id=user_id)

    return once(actor, act)


@pages.page(
    "/admin/users/<uuid:user_id>/link",
    needs=Permission.ACCOUNT_MANAGE,
    event="user.invited",
    data=Data.STAFF,
    methods=("POST",),
    fresh=True,
)
def renew(user_id: UUID) -> Response | tuple[str, int]:
    actor, back = current_actor(), url_for("admin.user", user_id=user_id)
    key = parse_form_key(request.form.get("form_key"))
    begun = earlier(actor, key)
    if begun is not None:
        return redirect(begun, 303)
    renewed, secret = actions.renew_invitation(actor, user_id)
    finish(key, back)
    db.session.commit()
    return _link_once(renewed, secret)


@pages.page(
    "/admin/users/<uuid:user_id>/reset",
    needs=Permission.ACCOUNT_MANAGE,
    event="user.reset",
    data=Data.STAFF,
    methods=("POST",),
    fresh=True,
)
def reset(user_id: UUID) -> Response | tuple[str, int]:
    actor = current_actor()
    key = parse_form_key(request.form.get("form_key"))
    begun = earlier(actor, key)
    if begun is not None:
        return redirect(begun, 303)
    changed, secret = actions.reset_user(actor, user_id)
    finish(key, url_for("admin.user", user_id=user_id))
    db.session.commit()
    return _link_once(changed, secret, reset=True)


@pages.page(
    "/admin/users/<uuid:user_id>/close",
    needs=Permission.ACCOUNT_MANAGE,
    event="user.disabled",
    data=Data.STAFF,
    methods=("POST",),
    fresh=True,
)
def close(user_id: UUID) -> Response:
    actor, back = current_actor(), url_for("admin.user", user_id=user_id)

    def act() -> str:
        closed = actions.disable_user(actor, user_id)
        flash(f"The account of {closed.name} is closed. Every session has ended.", "success")
        return back

    return once(actor, act)
