"""The fields that come with a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.access.vocabulary import Marking
from hub.attachments.vocabulary import DocumentKind
from hub.core.errors import Invalid
from hub.core.text import clean

MAX_DESCRIPTION = 2000


@dataclass(frozen=True)
class FileForm:
    kind: DocumentKind
    description: str
    # None: as the record
    marking: Marking | None


def parse_file(form: Mapping[str, str]) -> FileForm:
    """`Invalid` with every field that is wrong."""
    errors: dict[str, str] = {}
    description = clean(form.get("description", ""))
    if len(description) > MAX_DESCRIPTION:
        errors["description"] = f"Description must be {MAX_DESCRIPTION:,} characters or fewer"
    kind, marking = DocumentKind.OTHER, None
    try:
        kind = DocumentKind(form.get("kind", ""))
    except ValueError:
        errors["kind"] = "Select what kind of file it is"
    try:
        marking = Marking(int(form["marking"])) if form.get("marking") else None
    except ValueError:
        errors["marking"] = "Select a marking"
    if errors:
        raise Invalid("bad_file_form", errors=errors)
    return FileForm(kind, description, marking)
