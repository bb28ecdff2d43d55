"""What leaves the desk: the list of an inquiry as a table or on paper, with its watermark, written down beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from uuid import UUID

from flask import render_template, request
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.audit.inquiry_queries import About, Taken, list_events_to_take
from hub.audit.policy import LOG_PURPOSE_LABELS, LogPurpose
from hub.audit.queries import find_event_rows
from hub.core import clock
from hub.core.errors import Invalid, NotVisible
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
from hub.oversight.inquiry_views import choices_of
from hub.oversight.queries import Line, find_lines
from hub.web.identity import current_actor
from hub.web.routes import Data, Limit
from hub.web.spreadsheets import Sheet, as_csv, as_xlsx

MOST_EXPORTED = 50_000
MOST_PRINTED = 1_000
AT_ONCE = 1_000
HEADINGS = (
    "When (UTC)", "User", "Organisation", "Team", "Act", "Category", "Outcome", "References", "Told", "Basis",
    "Source", "Event",
)  # fmt: skip


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
    return as_csv(f"log-{taken.event_id}.csv", first, _joined(others, _rows(taken, found)))


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
    taken, watermark = _take(found, asked, purpose, act="log.exported", most=MOST_EXPORTED, form="xlsx")
    told = dict(watermark.lines)
    sheet = Sheet(
        title="Log",
        above=watermark.lines,
        headings=HEADINGS,
        head=(f"Taken from the log by {told['Taken from the log by']}", told["When"]),
        foot=f"Recorded as event {taken.event_id}. {told['Purpose']}",
    )
    return as_xlsx(f"log-{taken.event_id}.xlsx", sheet, _rows(taken, found))


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
        rows=list(_lines(taken, newest_first=found.inquiry.newest_first)),
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
    taken = list_events_to_take(actor, found.inquiry, act=act, purpose=purpose, most=most, form=form)
    lines = (
        ("Taken from the log by", f"{actor.name}, {actor.organisation_name}"),
        ("When", _moment(clock.now())),
        ("Purpose", LOG_PURPOSE_LABELS[purpose]),
        ("What", found.title),
        ("Filters", "; ".join(filters) or "None"),
        ("Scope", f"Events that name {actor.organisation_name}"),
        ("Events", str(len(taken.ids))),
        ("Recorded as event", str(taken.event_id)),
    )
    return taken, Watermark(lines)


def _lines(taken: Taken, *, newest_first: bool) -> Iterator[Line]:
    """So many at a time: the bytes of all events need not be held at once."""
    ids = iter(taken.ids)
    actor = current_actor()
    while some := list(islice(ids, AT_ONCE)):
        yield from find_lines(actor, find_event_rows(actor, some, newest_first=newest_first))


def _joined(watermark: Sequence[tuple[str, str]], rows: Iterator[Sequence[str]]) -> Iterator[Sequence[str]]:
    yield from watermark
    yield ()
    yield HEADINGS
    yield from rows


def _rows(taken: Taken, found: Found) -> Iterator[Sequence[str]]:
    return (_row(line) for line in _lines(taken, newest_first=found.inquiry.newest_first))


def _row(line: Line) -> Sequence[str]:
    return (
        _moment(line.at), line.who, line.organisation, line.team, line.act, line.category, line.outcome,
        ", ".join(one.reference for one in line.references), line.recipients, line.basis, line.source,
        str(line.id),
    )  # fmt: skip


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
