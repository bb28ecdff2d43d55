"""The fields that come with a file, and those of the acts on it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from hub.access.vocabulary import Audience, Marking, Section
from hub.attachments.vocabulary import FILE_SECTIONS, DocumentKind
from hub.core import clock
from hub.core.errors import Invalid
from hub.core.partial_dates import BadPartialDate, earliest_day, partial_date
from hub.core.text import clean

MAX_DESCRIPTION = 2000
MAX_SOURCE = 300
MAX_EXHIBIT = 100
MAX_REASON = 2000
# the circles that a form offers, as the log's does
OFFERED_AUDIENCES = (Audience.SUPERVISOR_ONLY, Audience.POLICE_ONLY, Audience.VICTIM_SAFE)
Code = TypeVar("Code", bound=enum.Enum)


@dataclass(frozen=True)
class FileDetails:
    """What may be said of a file besides its kind and description."""

    # a partial date
    taken_on: str | None = None
    source: str = ""
    exhibit: str = ""
    section: Section = Section.FILES
    audience: Audience | None = None


@dataclass(frozen=True)
class FileForm:
    kind: DocumentKind
    description: str
    # None: as the record
    marking: Marking | None
    details: FileDetails = field(default_factory=FileDetails)


def parse_file(form: Mapping[str, str]) -> FileForm:
    """`Invalid` with every field that is wrong."""
    errors: dict[str, str] = {}
    description = _text(form, "description", "Description", MAX_DESCRIPTION, errors)
    source = _text(form, "source", "Where it came from", MAX_SOURCE, errors)
    exhibit = _text(form, "exhibit", "Exhibit reference", MAX_EXHIBIT, errors)
    kind = _code(DocumentKind, form.get("kind", ""), "kind", "Select what kind of file it is", errors)
    section = _code(
        Section, form.get("section") or Section.FILES.value, "section", "Select a part of the case", errors
    )
    if section is not None and section not in FILE_SECTIONS:
        errors["section"] = "Select a part of the case from the list"
    audience = (
        _code(Audience, form["audience"], "audience", "Select who may see it", errors)
        if form.get("audience")
        else None
    )
    if audience is not None and audience not in OFFERED_AUDIENCES:
        errors["audience"] = "Select who may see it from the list"
    taken_on = _taken_on(form, errors)
    marking = None
    try:
        marking = Marking(int(form["marking"])) if form.get("marking") else None
    except ValueError:
        errors["marking"] = "Select a marking"
    if errors or kind is None or section is None:
        raise Invalid("bad_file_form", errors=errors)
    return FileForm(kind, description, marking, FileDetails(taken_on, source, exhibit, section, audience))


def parse_reason(form: Mapping[str, str], name: str = "reason") -> str:
    """The typed reason of an act. Raises `Invalid`."""
    errors: dict[str, str] = {}
    reason = _text(form, name, "The reason", MAX_REASON, errors)
    if not reason:
        errors[name] = "Write why"
    if errors:
        raise Invalid("bad_reason", f"{errors[name]}. Nothing was changed.", errors)
    return reason


def parse_revision(form: Mapping[str, str]) -> int:
    """The revision that the page was made from."""
    try:
        return int(form.get("revision", ""))
    except ValueError as error:
        raise Invalid("bad_revision", "This form is incomplete. Reload the page and try again.") from error


def _text(form: Mapping[str, str], name: str, label: str, limit: int, errors: dict[str, str]) -> str:
    text = clean(form.get(name, ""))
    if len(text) > limit:
        errors[name] = f"{label} must be {limit:,} characters or fewer"
    return text


def _code(codes: type[Code], given: str, name: str, missing: str, errors: dict[str, str]) -> Code | None:
    try:
        return codes(given)
    except ValueError:
        errors[name] = missing
        return None


def _taken_on(form: Mapping[str, str], errors: dict[str, str]) -> str | None:
    try:
        day = partial_date(*(form.get(f"taken_on-{part}", "") for part in ("day", "month", "year")))
    except BadPartialDate as wrong:
        errors["taken_on"] = str(wrong)
        return None
    if day is not None and earliest_day(day) > clock.today():
        errors["taken_on"] = "The date must not be in the future"
    return day
