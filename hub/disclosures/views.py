"""The schedule of a case, and a bundle for an organisation: asked for in two steps, agreed to by a second, given out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from flask import current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.access.vocabulary import Marking
from hub.attachments.forms import MAX_REASON
from hub.attachments.listing import HEADINGS as FILE_HEADINGS
from hub.attachments.listing import PAPER_HEADINGS, PAPER_WIDTHS, evidence_row, paper_row
from hub.core import clock
from hub.core.errors import Invalid
from hub.disclosures.actions import approve_bundle, ask_for_bundle, assess_files, release_bundle
from hub.disclosures.bundling import numbered, stream_bundle
from hub.disclosures.forms import MAX_NOTE, parse_bundle, parse_lines
from hub.disclosures.policy import check_may_disclose, needs_another
from hub.disclosures.queries import (
    Bundle,
    Line,
    Schedule,
    find_bundles,
    find_recipients,
    open_bundle,
    open_schedule,
    read_schedule,
)
from hub.disclosures.vocabulary import RELEVANCE_LABELS, SENSITIVITY_LABELS, Relevance, Sensitivity
from hub.extensions import db
from hub.web.context import mark_page
from hub.web.documents import Paper, pdf_of
from hub.web.filters import format_datetime
from hub.web.identity import current_actor, current_visit
from hub.web.once import once
from hub.web.routes import Data, Limit, Pages
from hub.web.spreadsheets import as_csv

pages = Pages("case_disclosures", __name__)
HOME = "/cases/<uuid:case_id>/disclosure"
ONE = f"{HOME}/<uuid:disclosure_id>"
Answer = Response | str | tuple[str, int]
FIELDS = ("to_organisation_id", "originals", "reason")
HEADINGS = ("Relevance", "Sensitivity", "Note", "Third-party material", "In the bundle")
WIDTHS = (5, 6, 6, 5, 4)


@pages.page(HOME, needs=Permission.FILE_EXPORT, event="disclosure.opened", data=Data.PERSONAL)
def show(case_id: UUID) -> str:
    return _schedule_page(case_id, None, {})


@pages.page(
    HOME, needs=Permission.FILE_EXPORT, event="disclosure.assessed", data=Data.PERSONAL, methods=("POST",)
)
def assess(case_id: UUID) -> Answer:
    actor = current_actor()

    def act() -> str:
        changed = assess_files(actor, case_id, parse_lines(request.form))
        flash(f"The schedule is saved. Lines changed: {changed}.", "success")
        return f"/cases/{case_id}/disclosure"

    try:
        return once(actor, act)
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _schedule_page(case_id, request.form, invalid.errors), 422


@pages.page(f"{HOME}/new", needs=Permission.FILE_EXPORT, event="disclosure.opened", data=Data.PERSONAL)
def new(case_id: UUID) -> str:
    return _new_page(case_id, {}, {})


@pages.page(
    f"{HOME}/check",
    needs=Permission.FILE_EXPORT,
    event="disclosure.opened",
    data=Data.PERSONAL,
    methods=("POST",),
)
def check(case_id: UUID) -> Answer:
    actor = current_actor()
    values = {name: request.form.get(name, "") for name in FIELDS}
    if request.form.get("go") == "change":
        return _new_page(case_id, values, {})
    try:
        form = parse_bundle(values)
    except Invalid as invalid:
        return _new_page(case_id, values, invalid.errors), 422
    schedule = _marked(open_schedule(actor, case_id))
    recipients = dict(find_recipients(actor))
    if form.to_organisation_id not in recipients:
        return _new_page(case_id, values, {"to_organisation_id": "Select who receives it from the list"}), 422
    along = [line for line in schedule.lines if line.goes_along] if form.originals else []
    return render_template(
        "disclosures/check.html",
        schedule=schedule,
        values=values,
        to=recipients[form.to_organisation_id],
        along=along,
        unassessed=sum(line.relevance == Relevance.NOT_ASSESSED for line in schedule.lines),
        another=needs_another(len(schedule.lines)),
    )


@pages.page(
    f"{HOME}/new",
    needs=Permission.FILE_EXPORT,
    event="disclosure.asked",
    data=Data.PERSONAL,
    methods=("POST",),
)
def ask(case_id: UUID) -> Answer:
    actor = current_actor()

    def act() -> str:
        disclosure = ask_for_bundle(actor, case_id, parse_bundle(request.form))
        return f"/cases/{case_id}/disclosure/{disclosure.id}"

    try:
        return once(actor, act)
    except Invalid as invalid:
        db.session.rollback()
        if not invalid.errors:
            raise
        return _new_page(case_id, request.form, invalid.errors), 422


@pages.page(ONE, needs=Permission.FILE_EXPORT, event="disclosure.opened", data=Data.PERSONAL)
def one(case_id: UUID, disclosure_id: UUID) -> str:
    schedule, bundle = open_bundle(current_actor(), case_id, disclosure_id)
    listed = [line for line in _marked(schedule).lines if line.file.id in set(bundle.file_ids)]
    return render_template(
        "disclosures/one.html",
        schedule=schedule,
        bundle=bundle,
        lines=listed,
        relevances=RELEVANCE_LABELS,
        sensitivities=SENSITIVITY_LABELS,
    )


@pages.page(
    f"{ONE}/approve",
    needs=Permission.FILE_EXPORT,
    event="disclosure.approved",
    data=Data.PERSONAL,
    methods=("POST",),
)
def approve(case_id: UUID, disclosure_id: UUID) -> Response:
    actor = current_actor()

    def act() -> str:
        approve_bundle(actor, case_id, disclosure_id)
        flash("You have agreed. The bundle can be made now.", "success")
        return f"/cases/{case_id}/disclosure/{disclosure_id}"

    return once(actor, act)


@pages.page(
    f"{ONE}/bundle",
    needs=Permission.FILE_EXPORT,
    event="disclosure.released",
    data=Data.PERSONAL,
    methods=("POST",),
    limit=Limit.EXPORT,
)
def bundle(case_id: UUID, disclosure_id: UUID) -> Response:
    actor = current_actor()
    # whoever may not have it at all is not asked for a password first
    check_may_disclose(actor, case_id)
    visit = current_visit()
    if visit is None or not visit.is_fresh:
        return redirect(url_for("accounts.confirm", next=f"/cases/{case_id}/disclosure/{disclosure_id}"), 303)
    disclosure, originals = release_bundle(actor, case_id, disclosure_id)
    db.session.commit()
    schedule = read_schedule(actor, case_id, disclosure.file_ids)
    along = numbered(originals, {line.file.id: (line.number, line.file.name) for line in schedule.lines})
    made = _made(actor, schedule, {one.row.id for one in along})
    db.session.expunge_all()
    application = current_app._get_current_object()  # type: ignore[attr-defined]
    response = Response(stream_bundle(application, actor, made, along), content_type="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="disclosure-{schedule.reference}.zip"'
    return response


def _made(actor: Actor, schedule: Schedule, along: set[UUID]) -> list[tuple[str, bytes]]:
    """The schedule as a table and on paper."""
    thoughts = {line.number: _thought(line, along) for line in schedule.lines}
    rows = [(*evidence_row(line.number, line.file), *thoughts[line.number]) for line in schedule.lines]
    on_paper = [(*paper_row(line.number, line.file), *thoughts[line.number]) for line in schedule.lines]
    reader = f"{actor.name}, {actor.organisation_name}"
    marking = Marking(schedule.marking).label
    above = [
        ("Files", str(len(rows))),
        ("Withheld because the maker may not read them", str(schedule.withheld)),
    ]
    head = [
        ("Disclosure schedule of case", schedule.reference),
        ("Marking", marking),
        ("Made by", reader),
        ("Made on", format_datetime(clock.now())),
        *above,
    ]
    table = as_csv("schedule.csv", head[0], [*head[1:], (), (*FILE_HEADINGS, *HEADINGS), *rows]).get_data()
    paper = Paper(
        f"Disclosure schedule of case {schedule.reference}",
        marking,
        reader,
        clock.now(),
        above,
        (*PAPER_HEADINGS, *HEADINGS),
        (*PAPER_WIDTHS, *WIDTHS),
    )
    return [("schedule.csv", table), ("schedule.pdf", pdf_of(paper, on_paper))]


def _thought(line: Line, along: set[UUID]) -> tuple[str, ...]:
    return (
        RELEVANCE_LABELS[Relevance(line.relevance)],
        SENSITIVITY_LABELS[Sensitivity(line.sensitivity)],
        line.note,
        "Third party" if line.third_party else "",
        "Yes" if line.file.id in along else "No",
    )


def _marked(schedule: Schedule) -> Schedule:
    mark_page(schedule.marking, "personal data")
    return schedule


def _schedule_page(case_id: UUID, values: Mapping[str, str] | None, errors: Mapping[str, str]) -> str:
    actor = current_actor()
    schedule = _marked(open_schedule(actor, case_id))
    bundles: Sequence[Bundle] = find_bundles(actor, case_id)
    return render_template(
        "disclosures/schedule.html",
        schedule=schedule,
        bundles=bundles,
        values=values or {},
        errors=dict(errors),
        relevances=list(RELEVANCE_LABELS.items()),
        sensitivities=list(SENSITIVITY_LABELS.items()),
        max_note=MAX_NOTE,
    )


def _new_page(case_id: UUID, values: Mapping[str, str], errors: Mapping[str, str]) -> str:
    actor = current_actor()
    schedule = _marked(open_schedule(actor, case_id))
    return render_template(
        "disclosures/new.html",
        schedule=schedule,
        values=values,
        errors=dict(errors),
        recipients=find_recipients(actor),
        along=sum(line.goes_along for line in schedule.lines),
        limit=MAX_REASON,
    )
