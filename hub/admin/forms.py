"""The form by which an administrator invites a user."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from hub.access.permissions import Role
from hub.accounts.naming import MAX_NAME, is_email
from hub.core.errors import Invalid
from hub.core.text import clean
from hub.joining.forms import NOTHING_KNOWN, ConditionsForm, read_conditions
from hub.joining.policy import Rules

_CODE = re.compile(r"^[A-Z0-9]{2,6}$")
NO_ROLE = "Choose at least one role from the list"


@dataclass(frozen=True)
class InviteForm:
    name: str
    email: str
    job_title: str
    team_id: UUID
    roles: tuple[Role, ...]
    conditions: ConditionsForm = NOTHING_KNOWN


def parse_invitation(
    given: Mapping[str, str],
    roles: list[str],
    teams: Mapping[UUID, str],
    *,
    today: date,
    rules: Rules,
) -> InviteForm:
    """Raises `Invalid` with every field that is wrong. `teams` are those to choose from."""
    errors: dict[str, str] = {}
    name, job = clean(given.get("name", "")), clean(given.get("job_title", ""))
    email = clean(given.get("email", "")).lower()
    for field, value, words in (("name", name, "the person's name"), ("job_title", job, "the person's job")):
        if not value:
            errors[field] = f"Enter {words}"
        elif len(value) > MAX_NAME or "\n" in value:
            errors[field] = f"Enter {words} in {MAX_NAME} characters or fewer, on one line"
    if not is_email(email):
        errors["email"] = "Enter an email address in the correct format, like name@example.org"
    team = next((key for key in teams if str(key) == given.get("team_id", "")), None)
    if team is None:
        errors["team_id"] = "Choose a team"
    known = _roles(roles)
    if not known:
        errors["roles"] = NO_ROLE
    conditions = read_conditions(given, errors, today=today, rules=rules)
    if errors or team is None:
        raise Invalid("bad_invitation", errors=errors)
    return InviteForm(name, email, job, team, known, conditions)


def parse_roles(roles: list[str]) -> frozenset[Role]:
    """Raises `Invalid` where there is none, or one that is on no list."""
    known = _roles(roles)
    if not known:
        raise Invalid("bad_roles", errors={"roles": NO_ROLE})
    return frozenset(known)


def _roles(given: list[str]) -> tuple[Role, ...]:
    """Empty where one of them is unknown: half of what was ticked is not what was meant."""
    known = tuple(Role(role) for role in dict.fromkeys(given) if role in set(Role))
    return known if len(known) == len(set(given)) else ()


@dataclass(frozen=True)
class First:
    """What an empty hub is set up with."""

    partnership: tuple[str, str]
    organisation: tuple[str, str, str]
    administrator: tuple[str, str]


def parse_first(given: Mapping[str, str]) -> First:
    """Raises `Invalid` with all that is wrong."""
    errors: dict[str, str] = {}
    values = {name: clean(value) for name, value in given.items()}
    for whose in ("partnership", "organisation"):
        code = f"{whose}_code"
        values[code] = values[code].upper()
        if not _CODE.match(values[code]):
            errors[code] = f"The code of the {whose} must be 2 to 6 capital letters and numbers"
    for field in ("partnership_name", "organisation_name", "administrator_name"):
        if not 0 < len(values[field]) <= MAX_NAME or "\n" in values[field]:
            errors[field] = (
                f"Give the name of the {field.removesuffix('_name')} in {MAX_NAME} characters or fewer"
            )
    email = values["administrator_email"].lower()
    if not is_email(email):
        errors["administrator_email"] = "Give an email address like name@example.org"
    if errors:
        raise Invalid("bad_setup", errors=errors)
    return First(
        (values["partnership_code"], values["partnership_name"]),
        (values["organisation_code"], values["organisation_name"], values["organisation_kind"]),
        (values["administrator_name"], email),
    )
