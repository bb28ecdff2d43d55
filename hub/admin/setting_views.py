"""The administrators' pages of what their partnership has set: all settings, and one with its history and a form."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.accounts.queries import user_names
from hub.admin.setting_changes import ADDRESS, change_setting, withdraw_setting
from hub.core import clock
from hub.core.errors import Invalid
from hub.extensions import db
from hub.settings.catalogue import SETTINGS, Setting
from hub.settings.forms import parse_setting
from hub.settings.kinds import Number
from hub.settings.queries import find_standing, list_retired, list_settings, setting_of
from hub.web import drafts
from hub.web.context import lead_back
from hub.web.filters import format_date
from hub.web.identity import current_actor
from hub.web.once import new_form_key, once
from hub.web.routes import Data, Pages

pages = Pages("settings", __name__)
FIELDS = ("chosen", "effective_from")


@pages.page(ADDRESS, needs=Permission.ACCOUNT_MANAGE, event=None, data=Data.STAFF)
def index() -> str:
    actor = current_actor()
    chapters, retired = list_settings(actor), list_retired(actor)
    setters = [
        row.stored.set_by
        for _, standings in chapters
        for one in standings
        for row in (one.in_force, *one.coming)
        if row
    ]
    setters += [one.stored.set_by for one in retired]
    return render_template(
        "settings/index.html", chapters=chapters, retired=retired, names=user_names(setters), address=ADDRESS
    )


@pages.page(f"{ADDRESS}/<code>", needs=Permission.ACCOUNT_MANAGE, event=None, data=Data.STAFF)
def show(code: str) -> str:
    setting = setting_of(code)
    return _page(setting, drafts.find_values(current_actor(), _draft(setting)), {})


@pages.page(
    f"{ADDRESS}/<code>",
    needs=Permission.ACCOUNT_MANAGE,
    event="setting.set",
    data=Data.STAFF,
    methods=("POST",),
    fresh=True,
)
def change(code: str) -> Response | tuple[str, int]:
    actor, setting = current_actor(), setting_of(code)
    values = {name: request.form.get(name, "") for name in FIELDS}

    def act() -> str:
        form = parse_setting(values, setting)
        change_setting(actor, setting, form)
        words, day = setting.kind.words(form.value), format_date(form.effective_from)
        flash(f"{setting.label}: {words} from {day}. The other administrators are told.", "success")
        return url_for("settings.show", code=code)

    try:
        return once(actor, act, draft=_draft(setting))
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _page(setting, values, invalid.errors), 422


@pages.page(
    f"{ADDRESS}/values/<uuid:setting_id>/withdraw",
    needs=Permission.ACCOUNT_MANAGE,
    event="setting.withdrawn",
    data=Data.NONE,
    methods=("POST",),
    fresh=True,
)
def withdraw(setting_id: UUID) -> Response:
    actor = current_actor()
    lead_back(ADDRESS, "Settings")

    def act() -> str:
        row = withdraw_setting(actor, setting_id)
        flash(
            f"Withdrawn. {SETTINGS[row.code].label} stays as it is. The other administrators are told.",
            "success",
        )
        return url_for("settings.show", code=row.code)

    return once(actor, act)


def _draft(setting: Setting[Any]) -> str:
    return drafts.form_name(f"settings.change.{setting.code}")


def _page(setting: Setting[Any], values: dict[str, str], errors: dict[str, str]) -> str:
    standing, history = find_standing(current_actor(), setting)
    people = [one.stored.set_by for one in history] + [one.stored.withdrawn_by for one in history]
    return render_template(
        "settings/one.html",
        setting=setting,
        standing=standing,
        history=history,
        # one for each form: the same one would make of a second form a repetition of the first
        keys={one.id: new_form_key() for one in standing.coming},
        names=user_names(one for one in people if one),
        default=setting.kind.words(setting.default),
        number=isinstance(setting.kind, Number),
        options=list(getattr(setting.kind, "options", {}).items()),
        values={"chosen": "", "effective_from": "", **values},
        errors=errors,
        today=clock.today(),
        draft_key=_draft(setting),
        address=ADDRESS,
    )
