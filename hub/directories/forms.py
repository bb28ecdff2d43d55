"""What a directory asks for, read from its resources: an account, a team. And the life of a token, from its form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from hub.accounts.naming import MAX_NAME, is_email, is_name
from hub.core.errors import Invalid
from hub.core.text import clean

if TYPE_CHECKING:
    from hub.directories.resources import Group, User

MAX_EXTERNAL_ID = 255
MAX_MEMBERS = 2_000
LIVES = {"90": "90 days", "180": "180 days", "365": "A year"}


@dataclass(frozen=True)
class AccountForm:
    """An account as a directory wants it; `job_title` may be empty, `external_id` None."""

    email: str
    name: str
    job_title: str
    active: bool
    external_id: str | None


@dataclass(frozen=True)
class TeamForm:
    """A team as a directory wants it: its name, and which of the organisation's users are in it."""

    name: str
    members: frozenset[UUID]
    external_id: str | None


def parse_account(resource: User) -> AccountForm:
    """Raises `Invalid` with every attribute that is wrong."""
    errors: dict[str, str] = {}
    email = clean(resource.user_name or "").lower()
    name, job = clean(resource.display_name or ""), clean(resource.title or "")
    if not is_email(email):
        errors["userName"] = "userName must be the person's email address, like name@example.org"
    if not is_name(name):
        errors["displayName"] = f"displayName must be the person's name, in {MAX_NAME} characters or fewer"
    if job and not is_name(job):
        errors["title"] = f"title must be a job title in {MAX_NAME} characters or fewer"
    external = _external_id(resource.external_id, errors)
    if errors:
        raise Invalid("bad_account", errors=errors)
    return AccountForm(email, name, job, bool(resource.active), external)


def parse_team(resource: Group) -> TeamForm:
    """Raises `Invalid` with every attribute that is wrong."""
    errors: dict[str, str] = {}
    name = clean(resource.display_name or "")
    if not is_name(name):
        errors["displayName"] = f"displayName must be the team's name, in {MAX_NAME} characters or fewer"
    given = resource.members or []
    if len(given) > MAX_MEMBERS:
        errors["members"] = f"A team holds {MAX_MEMBERS} members or fewer"
    members = {parse_id(one.value) for one in given}
    if None in members or any((one.type or "User").lower() != "user" for one in given):
        errors["members"] = "Each member must be the id of a user: a team holds no other team"
    external = _external_id(resource.external_id, errors)
    if errors:
        raise Invalid("bad_team", errors=errors)
    return TeamForm(name, frozenset(one for one in members if one is not None), external)


def parse_id(text: str | None) -> UUID | None:
    """None for what is no id of ours."""
    try:
        found = UUID(text or "")
    except ValueError:
        return None
    # one thing has one address: no braces, no capitals
    return found if str(found) == text else None


def parse_life(given: Mapping[str, str]) -> timedelta:
    """How long a token is to live. Raises `Invalid` for what is not on the list."""
    if given.get("days") not in LIVES:
        raise Invalid("bad_life", errors={"days": "Choose how long the token works"})
    return timedelta(days=int(given["days"]))


def _external_id(given: str | None, errors: dict[str, str]) -> str | None:
    """As the directory wrote it: it compares it to the letter."""
    if given is None or given == "":
        return None
    if len(given) > MAX_EXTERNAL_ID or clean(given) != given:
        errors["externalId"] = f"externalId must be plain text of {MAX_EXTERNAL_ID} characters or fewer"
        return None
    return given
