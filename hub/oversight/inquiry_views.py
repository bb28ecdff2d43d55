"""The four inquiries of the desk: a person, a record, a user, an organisation; each in numbers and as a list."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import UUID

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.accounts.queries import organisation_names, user_names
from hub.audit.archived import find_archived_months
from hub.audit.inquiry_queries import About, Summary, open_inquiry
from hub.audit.policy import LOG_PURPOSE_LABELS, LogPurpose
from hub.audit.queries import EventRow
from hub.core.paging import Cursor, Page
from hub.core.text import clean
from hub.oversight.asking import ACTS, CATEGORIES, OUTCOME_WORDS, Asked
from hub.oversight.desk import pages, with_purpose
from hub.oversight.forms import FROM_THE_LIST, HOURS, PURPOSES, WEEKDAYS
from hub.oversight.inquiries import (
    FIXED,
    INTRO,
    WHOLE,
    Found,
    about_of,
    find_record_or_person,
    inquire_about,
    inquire_organisation,
    inquire_user,
)
from hub.oversight.queries import Choices, find_choices, find_lines
from hub.oversight.summary import lay_out
from hub.web.identity import current_actor
from hub.web.routes import Data

# a workbook is made whole in memory: its library's other way would write the log to a disk in the clear
MOST_IN_SHEET = 10_000


@pages.page("/audit/inquiries", needs=Permission.AUDIT_READ, event=None, data=Data.STAFF)
@with_purpose
def inquiries(purpose: LogPurpose) -> Response | tuple[str, int]:
    """The four starting points. What is entered leads to the page of the inquiry."""
    errors: dict[str, str] = {}
    for about in (About.PERSON, About.RECORD, About.USER, About.ORGANISATION):
        text = clean(request.args.get(about.value, "")).strip()[:40]
        if about.value not in request.args:
            continue
        address = _address_of(about, text)
        if address is not None:
            return redirect(address)
        errors[about.value] = (
            FROM_THE_LIST if about in (About.USER, About.ORGANISATION) else "Enter a reference"
        )
    page = render_template(
        "oversight/inquiries.html",
        purpose=LOG_PURPOSE_LABELS[purpose],
        choices=find_choices(current_actor()),
        errors=errors,
    )
    return page, 422 if errors else 200


def _address_of(about: About, text: str) -> str | None:
    if about in WHOLE:
        return url_for(f"oversight.{about}", reference=text.upper()) if text and "/" not in text else None
    try:
        key = UUID(text)
    except ValueError:
        return None
    if about is About.USER:
        return url_for("oversight.user", user_id=key)
    return url_for("oversight.organisation", organisation_id=key)


@pages.page(
    "/audit/people/<reference>", needs=Permission.AUDIT_READ, event="log.person_viewed", data=Data.LOG
)
@with_purpose
def person(purpose: LogPurpose, reference: str) -> Response | tuple[str, int]:
    return _about(About.PERSON, reference, purpose)


@pages.page(
    "/audit/records/<reference>", needs=Permission.AUDIT_READ, event="log.record_viewed", data=Data.LOG
)
@with_purpose
def record(purpose: LogPurpose, reference: str) -> Response | tuple[str, int]:
    return _about(About.RECORD, reference, purpose)


def _about(about: About, reference: str, purpose: LogPurpose) -> Response | tuple[str, int]:
    actor = current_actor()
    subject = find_record_or_person(actor, reference, about, purpose)
    if about_of(subject) is not about:
        # a person's reference among the records, or the other way round
        return redirect(url_for(f"oversight.{about_of(subject)}", reference=subject.reference))
    asked = _asked(about)
    return _answer(inquire_about(actor, subject, asked), asked, purpose)


@pages.page(
    "/audit/users/<uuid:user_id>", needs=Permission.AUDIT_READ, event="log.user_viewed", data=Data.LOG
)
@with_purpose
def user(purpose: LogPurpose, user_id: UUID) -> tuple[str, int]:
    asked = _asked(About.USER)
    return _answer(inquire_user(current_actor(), user_id, asked), asked, purpose)


@pages.page(
    "/audit/organisations/<uuid:organisation_id>",
    needs=Permission.AUDIT_READ,
    event="log.organisation_viewed",
    data=Data.LOG,
)
@with_purpose
def organisation(purpose: LogPurpose, organisation_id: UUID) -> tuple[str, int]:
    asked = _asked(About.ORGANISATION)
    found = inquire_organisation(current_actor(), organisation_id, asked, purpose=purpose)
    return _answer(found, asked, purpose)


def _asked(about: About) -> Asked:
    return Asked.of_request(quote(request.path), fixed=FIXED[about], whole=about in WHOLE)


def _answer(found: Found, asked: Asked, purpose: LogPurpose) -> tuple[str, int]:
    actor = current_actor()
    cursor = Cursor.parse(request.args.get("after"))
    page, summary = open_inquiry(actor, found.inquiry, purpose=purpose, cursor=cursor)
    html = render_template(
        "oversight/inquiry.html",
        **list_context(found, asked, page, purpose),
        numbers=lay_out(summary, asked, _names(summary)),
    )
    return html, 422 if asked.errors else 200


def _names(summary: Summary) -> dict[str, dict[str, str]]:
    """The names of those who are counted."""
    users, organisations = summary.parts.get("user", {}), summary.parts.get("organisation", {})
    return {
        "user": {str(key): name for key, name in user_names(map(UUID, users)).items()},
        "organisation": {
            str(key): name for key, name in organisation_names(map(UUID, organisations)).items()
        },
    }


def choices_of(asked: Asked) -> Choices:
    """What the filters offer, with the user who is chosen where it is one of another organisation."""
    choices = find_choices(current_actor())
    chosen = asked.query.user_id
    if chosen is None or chosen in {key for key, _ in choices.users}:
        return choices
    others = user_names([chosen]).get(chosen, "A user of another time")
    return Choices([*choices.users, (chosen, others)], choices.organisations)


def list_context(found: Found, asked: Asked, page: Page[EventRow], purpose: LogPurpose) -> dict[str, Any]:
    """What the list, its filters and the ways out of it need."""
    choices = choices_of(asked)
    about, question = found.inquiry.about, found.inquiry.asked
    taken = {"subject": found.subject, "after": ""}
    return {
        "purpose": LOG_PURPOSE_LABELS[purpose],
        "about": about.value,
        "title": found.title,
        "intro": INTRO[about],
        "asked": asked,
        "errors": asked.errors,
        "fixed": FIXED[about],
        "applied": asked.applied(choices),
        "choices": choices,
        "acts": list(ACTS.items()),
        "categories": list(CATEGORIES.items()),
        "outcomes": list(OUTCOME_WORDS.items()),
        "purposes": list(PURPOSES.items()),
        "weekdays": list(WEEKDAYS.items()),
        "hours": list(HOURS.items()),
        "archived": find_archived_months(current_actor(), question.since, question.before),
        "most_in_sheet": MOST_IN_SHEET,
        "rows": find_lines(current_actor(), page.rows),
        "next_href": asked.href(after=page.next_cursor) if page.next_cursor else None,
        "first_href": asked.href() if request.args.get("after") else None,
        "csv_href": asked.href(path=url_for("oversight.export_csv", about=about.value), **taken),
        "xlsx_href": asked.href(path=url_for("oversight.export_xlsx", about=about.value), **taken),
        "print_href": asked.href(path=url_for("oversight.print_list", about=about.value), **taken),
    }
