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
from hub.people.vocabulary import FactKind, FactSource, InvolvementRole, NameKind

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
    source: FactSource = FactSource.NOT_RECORDED
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
    source = form.get("source", "") or FactSource.NOT_RECORDED.value
    if source not in set(FactSource):
        errors["source"] = "Select how this is known"
    same, decided = _decision(form.get("same", ""))
    if errors:
        raise Invalid("bad_person", errors=errors)
    return PersonForm(
        InvolvementRole(role),
        **names,
        date_of_birth=born,
        source=FactSource(source),
        marking=Marking(int(marking)),
        same=same,
        decided=decided,
    )


@dataclass(frozen=True)
class TellingForm:
    """Another name (its parts) or another fact (its value) of somebody who is known already."""

    kind: NameKind | FactKind
    source: FactSource
    value: str = ""
    given_names: str = ""
    family_name: str = ""
    marking: Marking = Marking.OFFICIAL


def parse_telling(form: Mapping[str, str]) -> TellingForm:
    """All errors at once. Raises `Invalid`."""
    errors: dict[str, str] = {}
    names = {field: clean(form.get(field, "")) for field in ("given_names", "family_name")}
    value = clean(form.get("value", ""))
    family, _, code = form.get("kind", "").partition(":")
    kind: NameKind | FactKind | None = None
    if family == "name" and code in set(NameKind):
        kind = NameKind(code)
        if not any(names.values()):
            errors["family_name"] = "Enter the name"
    elif family == "fact" and code in set(FactKind):
        kind = FactKind(code)
        try:
            value = _fact_value(kind, form, value)
        except BadPartialDate as bad:
            errors["date_of_birth"] = str(bad)
        if not value and not errors:
            errors["date_of_birth" if kind is FactKind.DATE_OF_BIRTH else "value"] = "Enter what is known"
    else:
        errors["kind"] = "Select what it is"
    for field, text in (*names.items(), ("value", value)):
        if len(text) > LIMIT:
            errors[field] = f"Enter {LIMIT} characters or fewer"
    if form.get("source", "") not in set(FactSource):
        errors["source"] = "Select how this is known"
    if form.get("marking", "0") not in ("0", "1"):
        errors["marking"] = "Select a marking"
    if errors or kind is None:
        raise Invalid("bad_person", errors=errors)
    marking = Marking(int(form.get("marking", "0")))
    if isinstance(kind, NameKind):
        return TellingForm(kind, FactSource(form["source"]), marking=marking, **names)
    return TellingForm(kind, FactSource(form["source"]), value=value, marking=marking)


def _fact_value(kind: FactKind, form: Mapping[str, str], typed: str) -> str:
    return (parse_birth(form) or "") if kind is FactKind.DATE_OF_BIRTH else typed


def parse_birth(form: Mapping[str, str]) -> str | None:
    """The partial date of three boxes. Raises `BadPartialDate`."""
    parts = (form.get(f"date_of_birth-{part}", "") for part in ("day", "month", "year"))
    born = partial_date(*parts)
    if born:
        check_birth(born, clock.today())
    return born


def _decision(answer: str) -> tuple[UUID | None, bool]:
    if answer == NEW:
        return None, True
    try:
        return UUID(answer), True
    except ValueError:
        return None, False
