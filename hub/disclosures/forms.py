"""The fields of the schedule and of a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from hub.attachments.forms import MAX_REASON
from hub.core.errors import Invalid
from hub.core.text import clean
from hub.disclosures.vocabulary import Relevance, Sensitivity

MAX_NOTE = 500


@dataclass(frozen=True)
class LineForm:
    """What is thought of one file."""

    attachment_id: UUID
    relevance: Relevance
    sensitivity: Sensitivity
    note: str


@dataclass(frozen=True)
class BundleForm:
    to_organisation_id: UUID
    originals: bool
    reason: str


def parse_lines(form: Mapping[str, str]) -> list[LineForm]:
    """The lines of the schedule as far as the form has them. Raises `Invalid` with every field that is wrong."""
    errors: dict[str, str] = {}
    lines = []
    for name in form:
        if not name.startswith("relevance-"):
            continue
        key = name.removeprefix("relevance-")
        note = clean(form.get(f"note-{key}", ""))
        if len(note) > MAX_NOTE:
            errors[f"note-{key}"] = f"The note must be {MAX_NOTE} characters or fewer"
        try:
            lines.append(
                LineForm(
                    UUID(key), Relevance(form[name]), Sensitivity(form.get(f"sensitivity-{key}", "")), note
                )
            )
        except ValueError:
            errors[name] = "Select from the list"
    if errors:
        raise Invalid("bad_schedule", "Part of the schedule could not be read. Nothing was saved.", errors)
    return lines


def parse_bundle(form: Mapping[str, str]) -> BundleForm:
    """Raises `Invalid` with every field that is wrong."""
    errors: dict[str, str] = {}
    to = None
    try:
        to = UUID(form.get("to_organisation_id", ""))
    except ValueError:
        errors["to_organisation_id"] = "Select who receives it"
    if form.get("originals") not in ("yes", "no"):
        errors["originals"] = "Select whether the files go along"
    reason = clean(form.get("reason", ""))
    if not reason:
        errors["reason"] = "Write why it is disclosed"
    elif len(reason) > MAX_REASON:
        errors["reason"] = f"The reason must be {MAX_REASON:,} characters or fewer"
    if errors or to is None:
        raise Invalid("bad_bundle", errors=errors)
    return BundleForm(to, form["originals"] == "yes", reason)
