"""The form by which an administrator invites a user."""

from __future__ import annotations

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
