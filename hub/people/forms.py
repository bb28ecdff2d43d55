"""The form by which a person is added to a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from hub.access.vocabulary import Marking
from hub.core import clock
from hub.core.errors import Invalid
from hub.core.partial_dates import BadPartialDate, partial_date
from hub.core.text import clean
from hub.people.births import check_birth
from hub.people.vocabulary import InvolvementRole

LIMIT = 300
NEW = "new"


@dataclass(frozen=True)
class PersonForm:
    """`same` is the answer to "Is it one of these?": a person, nobody (`new`), or not answered yet."""

    role: InvolvementRole
    given_names: str = ""
    family_name: str = ""
    known_as: str = ""
    date_of_birth: str | None = None
    marking: Marking = Marking.OFFICIAL
    same: UUID | None = None
    decided: bool = False


def parse_person(form: Mapping[str, str]) -> PersonForm:
    """All errors at once. Raises `Invalid`."""
    errors: dict[str, str] = {}
    names = {field: clean(form.get(field, "")) for field in ("given_names", "family_name", "known_as")}
    for field, text in names.items():
        if len(text) > LIMIT:
            errors[field] = f"Enter {LIMIT} characters or fewer"
    if not any(names.values()):
        errors["given_names"] = "Enter a name, or what people call them"
    role = form.get("role", "")
    if role not in set(InvolvementRole):
        errors["role"] = "Select the person's role"
    born = None
    try:
        born = parse_birth(form)
    except BadPartialDate as bad:
        errors["date_of_birth"] = str(bad)
    marking = form.get("marking", "0") or "0"
    if marking not in ("0", "1"):
        errors["marking"] = "Select a marking"
    same, decided = _decision(form.get("same", ""))
    if errors:
        raise Invalid("bad_person", errors=errors)
    return PersonForm(
        InvolvementRole(role),
        **names,
        date_of_birth=born,
        marking=Marking(int(marking)),
        same=same,
        decided=decided,
    )


def parse_birth(form: Mapping[str, str]) -> str | None:
    """The partial date of three boxes. Raises `BadPartialDate`."""
    parts = (form.get(f"date_of_birth-{part}", "") for part in ("day", "month", "year"))
    born = partial_date(*parts)
    if born:
        check_birth(born, clock.now().astimezone(clock.LONDON).date())
    return born


def _decision(answer: str) -> tuple[UUID | None, bool]:
    if answer == NEW:
        return None, True
    try:
        return UUID(answer), True
    except ValueError:
        return None, False
