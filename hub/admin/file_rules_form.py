"""The form by which an administrator says which files the partnership takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hub.attachments.file_policy import MAX_FILES, MAX_MIB, ORGANISATION_QUOTA_MIB, USER_QUOTA_MIB
from hub.attachments.types import TAKEN
from hub.core.errors import Invalid

# each number's field: what it is in a sentence, and the most that it may be
NUMBERS = {
    "max_mib": ("The largest file, in MB,", MAX_MIB),
    "max_files": ("How many files a record may have", MAX_FILES),
    "user_quota_mib": ("What one user may store, in MB,", USER_QUOTA_MIB),
    "organisation_quota_mib": ("What one organisation may store, in MB,", ORGANISATION_QUOTA_MIB),
}


@dataclass(frozen=True)
class FileRulesForm:
    extensions: tuple[str, ...]
    max_mib: int
    max_files: int
    user_quota_mib: int
    organisation_quota_mib: int


def parse_file_rules(given: Mapping[str, str], extensions: Sequence[str]) -> FileRulesForm:
    """Raises `Invalid` with every field that is wrong."""
    errors: dict[str, str] = {}
    known = tuple(one for one in TAKEN if one in set(extensions))
    if not known or set(extensions) - set(TAKEN):
        errors["extensions"] = "Choose at least one type from the list"
    numbers = dict.fromkeys(NUMBERS, 0)
    for field, (words, most) in NUMBERS.items():
        text = given.get(field, "").strip().replace(",", "")
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:12]) <= most):
            errors[field] = f"{words} must be a number from 1 to {most:,}"
        else:
            numbers[field] = int(text)
    if errors:
        raise Invalid("bad_file_rules", errors=errors)
    return FileRulesForm(known, **numbers)
