"""What leaves the desk: the list of an inquiry as a table or on paper, with its watermark, written down beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import structlog
from flask import render_template, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from hub.access.actor import Actor
from hub.access.guard import enter
from hub.access.permissions import Permission
from hub.audit.archived import find_archived_months
from hub.audit.inquiry_queries import About, Taken, list_events_to_take, read_taken
from hub.audit.policy import LOG_PURPOSE_LABELS, LogPurpose
from hub.core import clock
from hub.core.errors import HubError, Invalid, NotVisible
from hub.extensions import live_session
from hub.oversight.asking import Asked
from hub.oversight.desk import pages, with_purpose
from hub.oversight.inquiries import (
    FIXED,
    WHOLE,
    Found,
    about_of,
    find_record_or_person,
    inquire_about,
    inquire_desk,
    inquire_organisation,
    inquire_user,
)
from hub.oversight.inquiry_views import MOST_IN_SHEET, choices_of
from hub.oversight.queries import Line, find_lines
from hub.web.identity import current_actor
from hub.web.routes import Data, Limit
from hub.web.spreadsheets import Sheet, as_csv, as_xlsx

# what spreadsheets can open
MOST_EXPORTED = 1_000_000
MOST_PRINTED = 1_000
HEADINGS = (
    "When (UTC)", "User", "Organisation", "Team", "Act", "Category", "Outcome", "References", "Told", "Basis",
    "Source", "Event",
)  # fmt: skip
INCOMPLETE = "INCOMPLETE: the log could not be read any further. {sent} of {events} events stand above. Take the list again."
log = structlog.get_logger("hub.oversight")


@dataclass(frozen=True)
class Watermark:
    """Who took it, when, what for, and what exactly: stands before the first row."""

    lines: Sequence[tuple[str, str]]


@pages.page(
    "/audit/exports/<about>.csv",
    needs=Permission.AUDIT_READ,
    event="log.exported",
    data=Data.LOG,
    fresh=True,
    limit=Limit.EXPORT,
)
@with_purpose
def export_csv(purpose: LogPurpose, about: str) -> Response:
    found, asked = _found(about, purpose)
    taken, watermark = _take(found, asked, purpose, act="log.exported", most=MOST_EXPORTED, form="csv")
    # the table's first rows are the watermark; its headings follow after an empty row
    first, *others = watermark.lines
    return as_csv(f"log-{taken.event_id}.csv", first, _joined(others, taken))


@pages.page(
    "/audit/exports/<about>.xlsx",
    needs=Permission.AUDIT_READ,
    event="log.exported",
    data=Data.LOG,
    fresh=True,
    limit=Limit.EXPORT,
)
@with_purpose
def export_xlsx(purpose: LogPurpose, about: str) -> Response:
    found, asked = _found(about, purpose)
    taken, watermark = _take(found, asked, purpose, act="log.exported", most=MOST_IN_SHEET, form="xlsx")
    told = dict(watermark.lines)
    sheet = Sheet(
        title="Log",
        above=watermark.lines,
        headings=HEADINGS,
        head=(f"Taken from the log by {told['Taken from the log by']}", told["When"]),
        foot=f"Recorded as event {taken.event_id}. {told['Purpose']}",
    )
    return as_xlsx(f"log-{taken.event_id}.xlsx", sheet, map(_row, _lines(current_actor(), taken)))


@pages.page(
    "/audit/prints/<about>",
    needs=Permission.AUDIT_READ,
    event="log.printed",
    data=Data.LOG,
    fresh=True,
    limit=Limit.EXPORT,
)
@with_purpose
def print_list(purpose: LogPurpose, about: str) -> str:
    found, asked = _found(about, purpose)
    taken, watermark = _take(found, asked, purpose, act="log.printed", most=MOST_PRINTED)
    return render_template(
        "oversight/print.html",
        title=found.title,
        watermark=watermark.lines,
        rows=list(_lines(current_actor(), taken)),
    )


def _found(about: str, purpose: LogPurpose) -> tuple[Found, Asked]:
    """The inquiry of the address. A filter that can't be read gives nothing out."""
    if about not in set(About):
        raise NotVisible
    kind = About(about)
    asked = Asked.of_request(request.path, fixed=FIXED[kind], whole=kind in WHOLE)
    if asked.errors:
        raise Invalid("bad_filter", ". ".join(dict.fromkeys(asked.errors.values())) + ".", asked.errors)
    actor, subject = current_actor(), request.args.get("subject", "").strip()
    if kind is About.DESK:
        return inquire_desk(actor, asked), asked
    if kind in WHOLE:
        named = find_record_or_person(actor, subject[:40], kind, purpose)
        if about_of(named) is not kind:
            raise NotVisible
        return inquire_about(actor, named, asked), asked
    try:
        key = UUID(subject)
    except ValueError:
        raise NotVisible from None
    if kind is About.USER:
        return inquire_user(actor, key, asked), asked
    return inquire_organisation(actor, key, asked, purpose=purpose), asked


def _take(
    found: Found, asked: Asked, purpose: LogPurpose, *, act: str, most: int, form: str = ""
) -> tuple[Taken, Watermark]:
    actor = current_actor()
    filters = [f"{label}: {text}" for _, label, text in asked.in_words(choices_of(asked))]
    if asked.default_period and asked.query.first:
        filters.append(f"From: {asked.query.first.isoformat()}")
    archived = find_archived_months(actor, found.inquiry.asked.since, found.inquiry.asked.before)
    taken = list_events_to_take(actor, found.inquiry, act=act, purpose=purpose, most=most, form=form)
    lines = (
        ("Taken from the log by", f"{actor.name}, {actor.organisation_name}"),
        ("When", _moment(clock.now())),
        ("Purpose", LOG_PURPOSE_LABELS[purpose]),
        ("What", found.title),
        ("Filters", "; ".join(filters) or "None"),
        ("Scope", f"Events that name {actor.organisation_name}"),
        *((("Not in this list", f"{archived.words}: in the archive only"),) if archived else ()),
        ("Events", str(taken.events)),
        ("Recorded as event", str(taken.event_id)),
    )
    return taken, Watermark(lines)


def _lines(actor: Actor, taken: Taken) -> Iterator[Line]:
    """A part at a time. Between two the connection is given back: whoever reads slowly keeps nobody waiting."""
    for rows in read_taken(actor, taken):
        lines = find_lines(actor, rows)
        live_session().leave()
        yield from lines


def _joined(watermark: Sequence[tuple[str, str]], taken: Taken) -> Iterator[Sequence[str]]:
    """The table below its first row. It is on its way when a row can't be read: so the file itself must say it."""
    yield from watermark
    yield ()
    yield HEADINGS
    sent, actor = 0, current_actor()
    # the request's own session ended with the view: this one reads on under the same rule
    enter(live_session(), actor)
    try:
        for line in _lines(actor, taken):
            sent += 1
            yield _row(line)
    except (SQLAlchemyError, HubError) as error:
        log.error("export_incomplete", event_id=str(taken.event_id), sent=sent, kind=type(error).__name__)
        with suppress(SQLAlchemyError):
            live_session().rollback()
        yield (INCOMPLETE.format(sent=sent, events=taken.events),)


def _row(line: Line) -> Sequence[str]:
    return (
        _moment(line.at), line.who, line.organisation, line.team, line.act, line.category, line.outcome,
        ", ".join(one.reference for one in line.references), line.recipients, line.basis, line.source,
        str(line.id),
    )  # fmt: skip


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
