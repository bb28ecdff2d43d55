"""Pages of the report "who has seen my record": asked for by the person's reference, shown, printed, or taken as a file."""

from __future__ import annotations

from urllib.parse import quote

from flask import redirect, render_template, request
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.access.vocabulary import Marking
from hub.audit.policy import LOG_PURPOSE_LABELS, LogPurpose
from hub.core.errors import Invalid, NotVisible
from hub.core.text import clean
from hub.extensions import db
from hub.reviews.forms import MAX_NOTE, parse_titles_reason
from hub.reviews.subject_report import Report, make_report
from hub.web import drafts
from hub.web.context import mark_page
from hub.web.identity import current_actor
from hub.web.inquiry import ask_first, stated_purpose
from hub.web.routes import Data, Limit, Pages
from hub.web.spreadsheets import as_csv

pages = Pages("subject_reports", __name__)
ASK = "/audit/subject-report"
UNKNOWN = "No person that your organisation’s log tells of has this reference"
Answer = Response | str | tuple[str, int]


@pages.page(ASK, needs=Permission.AUDIT_READ, event="log.subject_reported", data=Data.LOG)
def ask() -> Answer:
    purpose = stated_purpose()
    if purpose is None:
        return ask_first()
    reference = clean(request.args.get("reference", "")).upper()[:40]
    if reference:
        return redirect(f"{ASK}/{quote(reference, safe='')}")
    return _form(purpose, "", {})


def _form(purpose: LogPurpose, reference: str, errors: dict[str, str]) -> str:
    return render_template(
        "reviews/subject_ask.html",
        purpose=LOG_PURPOSE_LABELS[purpose],
        reference=reference,
        errors=errors,
    )


@pages.page(
    f"{ASK}/<reference>",
    needs=Permission.AUDIT_READ,
    event="log.subject_reported",
    data=Data.LOG,
    methods=("GET", "POST"),
    fresh=True,
    limit=Limit.EXPORT,
)
def show(reference: str) -> Answer:
    """POST where job titles are shown: the reason for it never stands in an address."""
    purpose = stated_purpose()
    if purpose is None:
        return ask_first()
    errors: dict[str, str] = {}
    because = ""
    if request.method == "POST" and request.form.get("titles") == "yes":
        try:
            because = parse_titles_reason(request.form)
        except Invalid as invalid:
            errors = invalid.errors
    try:
        report = make_report(current_actor(), reference, purpose=purpose, titles_because=because)
    except NotVisible:
        return _form(purpose, reference, {"reference": UNKNOWN}), 404
    mark_page(Marking.OFFICIAL_SENSITIVE, "personal data")
    actor, draft = current_actor(), drafts.form_name("subject_reports.show", report.person.id)
    kept = drafts.find_values(actor, draft) if request.method == "GET" else {}
    if because:
        drafts.drop(actor, draft)
        db.session.commit()
    if request.form.get("as") == "file" and not errors:
        return _file(report)
    page = render_template(
        "reviews/subject_report.html",
        purpose=LOG_PURPOSE_LABELS[purpose],
        report=report,
        because=because or request.form.get("reason", "") or kept.get("reason", ""),
        wants_titles=(request.form.get("titles") or kept.get("titles")) == "yes",
        draft_key=draft,
        address=f"{ASK}/{quote(report.person.reference, safe='')}",
        errors=errors,
        limit=MAX_NOTE,
    )
    return page, 422 if errors else 200


def _file(report: Report) -> Response:
    return as_csv(
        f"who-has-seen-{report.person.reference}.csv",
        report.headings,
        report.rows,
    )
