"""The administrators' pages of code lists: all of them to look up and take away, and changing those that can be changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import flash, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.admin.code_lists import (
    HEADINGS,
    CodeList,
    Line,
    editable_of,
    find_code_list,
    list_code_lists,
    table_rows,
)
from hub.core import clock
from hub.core.errors import Invalid, NotVisible
from hub.extensions import db
from hub.lists.actions import add_entry, relabel_entry, retire_entry
from hub.lists.forms import parse_end, parse_entry, parse_label
from hub.web import drafts
from hub.web.context import lead_back
from hub.web.filters import format_date
from hub.web.identity import current_actor
from hub.web.once import new_form_key, once
from hub.web.routes import Data, Pages
from hub.web.spreadsheets import as_csv

pages = Pages("code_lists", __name__)
LISTS = "/admin/lists"
ADD, RELABEL, RETIRE = ("label", "code", "official_code", "day"), ("label", "official_code", "day"), ("end",)


@pages.page(LISTS, needs=Permission.ACCOUNT_MANAGE, event=None, data=Data.NONE)
def index() -> str:
    return render_template("lists/index.html", lists=list_code_lists(current_actor()))


@pages.page(f"{LISTS}/all.csv", needs=Permission.ACCOUNT_MANAGE, event=None, data=Data.NONE)
def all_csv() -> Response:
    return as_csv("code-lists.csv", HEADINGS, list(table_rows(list_code_lists(current_actor()))))


@pages.page(f"{LISTS}/<list_code>", needs=Permission.ACCOUNT_MANAGE, event=None, data=Data.NONE)
def show(list_code: str) -> str:
    return render_template("lists/one.html", found=find_code_list(current_actor(), list_code))


@pages.page(f"{LISTS}/<list_code>/list.csv", needs=Permission.ACCOUNT_MANAGE, event=None, data=Data.NONE)
def one_csv(list_code: str) -> Response:
    found = find_code_list(current_actor(), list_code)
    return as_csv(f"code-list-{found.code}.csv", HEADINGS, list(table_rows([found])))


@pages.page(
    f"{LISTS}/<list_code>/new",
    needs=Permission.ACCOUNT_MANAGE,
    event="list.changed",
    data=Data.NONE,
    methods=("GET", "POST"),
)
def add(list_code: str) -> Response | tuple[str, int]:
    actor, which = current_actor(), editable_of(list_code)
    draft = drafts.form_name(f"code_lists.add.{list_code}")
    if request.method == "GET":
        return _adding(list_code, drafts.find_values(actor, draft), {}), 200
    values = _given(ADD)

    def act() -> str:
        form = parse_entry(values)
        add_entry(actor, which, form)
        flash(f"{form.label} is on the list from {format_date(form.day)}.", "success")
        return url_for("code_lists.show", list_code=list_code)

    return _carried_out(act, draft, lambda errors: _adding(list_code, values, errors))


@pages.page(f"{LISTS}/<list_code>/<entry_code>", needs=Permission.ACCOUNT_MANAGE, event=None, data=Data.NONE)
def entry(list_code: str, entry_code: str) -> str:
    return _changing(list_code, entry_code, {}, {})


@pages.page(
    f"{LISTS}/<list_code>/<entry_code>/label",
    needs=Permission.ACCOUNT_MANAGE,
    event="list.changed",
    data=Data.NONE,
    methods=("POST",),
)
def relabel(list_code: str, entry_code: str) -> Response | tuple[str, int]:
    actor, which, values = current_actor(), editable_of(list_code), _given(RELABEL)
    lead_back(url_for("code_lists.entry", list_code=list_code, entry_code=entry_code), "The entry")

    def act() -> str:
        form = parse_label(values)
        relabel_entry(actor, which, entry_code, form)
        flash(f"It is called {form.label} from {format_date(form.day)}.", "success")
        return url_for("code_lists.show", list_code=list_code)

    return _carried_out(act, None, lambda errors: _changing(list_code, entry_code, values, errors))


@pages.page(
    f"{LISTS}/<list_code>/<entry_code>/retire",
    needs=Permission.ACCOUNT_MANAGE,
    event="list.changed",
    data=Data.NONE,
    methods=("POST",),
)
def retire(list_code: str, entry_code: str) -> Response | tuple[str, int]:
    actor, which, values = current_actor(), editable_of(list_code), _given(RETIRE)
    lead_back(url_for("code_lists.entry", list_code=list_code, entry_code=entry_code), "The entry")

    def act() -> str:
        day = parse_end(values)
        retire_entry(actor, which, entry_code, day)
        flash(f"It is not offered from {format_date(day)}. Records that have it keep it.", "success")
        return url_for("code_lists.show", list_code=list_code)

    return _carried_out(act, None, lambda errors: _changing(list_code, entry_code, values, errors))


def _given(fields: tuple[str, ...]) -> dict[str, str]:
    return {name: request.form.get(name, "") for name in fields}


def _carried_out(
    act: Callable[[], str], draft: str | None, again: Callable[[dict[str, str]], str]
) -> Response | tuple[str, int]:
    try:
        return once(current_actor(), act, draft=draft)
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return again(invalid.errors), 422


def _adding(list_code: str, values: dict[str, str], errors: dict[str, str]) -> str:
    return render_template(
        "lists/add.html",
        found=find_code_list(current_actor(), list_code),
        values={**dict.fromkeys(ADD, ""), **values},
        errors=errors,
        today=clock.today(),
        draft_key=drafts.form_name(f"code_lists.add.{list_code}"),
    )


def _changing(list_code: str, entry_code: str, values: dict[str, Any], errors: dict[str, str]) -> str:
    editable_of(list_code)
    found = find_code_list(current_actor(), list_code)
    lines = [line for line in found.lines if line.code == entry_code]
    if not lines:
        raise NotVisible
    return render_template(
        "lists/entry.html",
        found=CodeList(found.code, found.title, found.about, tuple(lines), found.editable),
        last=lines[-1],
        # one for each form: the same one would make of the second a repetition of the first
        keys=(new_form_key(), new_form_key()),
        values={**_proposed(lines[-1]), **values},
        errors=errors,
    )


def _proposed(last: Line) -> dict[str, str]:
    day = clock.today().isoformat()
    return {"label": last.label, "official_code": last.official_code, "day": day, "end": day}
