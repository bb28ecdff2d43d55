"""Administrators' pages of roles that were asked for: the list, one of them, approving, refusing, withdrawing."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import flash, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.access.actor import Actor
from hub.access.permissions import ROLES, Permission
from hub.core.paging import Cursor
from hub.role_changes.actions import LIST, approve_change, refuse_change, withdraw_change
from hub.role_changes.models import RoleChange
from hub.role_changes.policy import NOT_APART, is_apart
from hub.role_changes.queries import list_changes, open_change
from hub.role_changes.vocabulary import DEAD, STATE_LABELS
from hub.web.identity import current_actor
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("role_changes", __name__)
ONE = f"{LIST}/<uuid:change_id>"


@pages.page(LIST, needs=Permission.ACCOUNT_MANAGE, event="role.listed", data=Data.STAFF)
def index() -> str:
    after = request.args.get("after")
    page = list_changes(current_actor(), Cursor.parse(after, by=str))
    return render_template("role_changes/list.html", page=page, after=after, labels=STATE_LABELS)


@pages.page(ONE, needs=Permission.ACCOUNT_MANAGE, event="role.viewed", data=Data.STAFF)
def show(change_id: UUID) -> str:
    actor = current_actor()
    row = open_change(actor, change_id)
    return render_template(
        "role_changes/one.html",
        row=row,
        label=STATE_LABELS[row.state],
        dead=DEAD.get(row.state, ""),
        apart=is_apart(actor, row.asked_by_id),
        not_apart=NOT_APART,
        allows=ROLES[row.role].description,
    )


@pages.page(
    f"{ONE}/approve",
    needs=Permission.ACCOUNT_MANAGE,
    event="role.granted",
    data=Data.STAFF,
    methods=("POST",),
    fresh=True,
)
def approve(change_id: UUID) -> Response:
    return _done(change_id, approve_change, "Approved. They sign in again to use the role.")


@pages.page(
    f"{ONE}/refuse",
    needs=Permission.ACCOUNT_MANAGE,
    event="role.refused",
    data=Data.STAFF,
    methods=("POST",),
    fresh=True,
)
def refuse(change_id: UUID) -> Response:
    return _done(change_id, refuse_change, "Refused. The role is not given.")


@pages.page(
    f"{ONE}/withdraw",
    needs=Permission.ACCOUNT_MANAGE,
    event="role.withdrawn",
    data=Data.STAFF,
    methods=("POST",),
    fresh=True,
)
def withdraw(change_id: UUID) -> Response:
    return _done(change_id, withdraw_change, "Withdrawn. Nobody decides it any more.")


def _done(change_id: UUID, act: Callable[[Actor, UUID], RoleChange], told: str) -> Response:
    actor = current_actor()

    def do() -> str:
        act(actor, change_id)
        flash(told, "success")
        return url_for("role_changes.show", change_id=change_id)

    return once(actor, do)
