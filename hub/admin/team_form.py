"""The form of a team: its name and what it works to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.access.vocabulary import Purpose
from hub.accounts.naming import MAX_NAME, is_name
from hub.core.errors import Invalid
from hub.core.text import clean


@dataclass(frozen=True)
class TeamForm:
    name: str
    purpose: Purpose


def parse_team(given: Mapping[str, str]) -> TeamForm:
    """Raises `Invalid` with every field that is wrong."""
    errors: dict[str, str] = {}
    name, purpose = clean(given.get("name", "")), given.get("purpose", "")
    if not name:
        errors["name"] = "Enter the name of the team"
    elif not is_name(name):
        errors["name"] = f"Enter the name of the team in {MAX_NAME} characters or fewer, on one line"
    if purpose not in set(Purpose):
        errors["purpose"] = "Choose what the team works to"
    if errors:
        raise Invalid("bad_team", errors=errors)
    return TeamForm(name, Purpose(purpose))
