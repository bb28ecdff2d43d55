"""A consent as it is typed, with what the age of the person asks for; and how one was withdrawn."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from hub.access.vocabulary import Purpose
from hub.consents.vocabulary import ConsentHow, GivenBy
from hub.core import clock
from hub.core.errors import Invalid
from hub.core.partial_dates import BadPartialDate, earliest_day, partial_date
from hub.core.text import MAX_TEXT, clean

E = TypeVar("E", bound=enum.StrEnum)


@dataclass(frozen=True)
class ConsentForm:
    """Whose consent, to share for what and with whom; when, by whom and how it was given, and what they understood."""

    person_id: UUID
    purpose: Purpose
    to_organisation_id: UUID
    given_on: str
    given_by: GivenBy
    given_how: ConsentHow
    told: str
    capacity: str = ""
    person_view: str = ""


def parse_consent(form: Mapping[str, str], *, child: bool | None = None) -> ConsentForm:
    """Raises `Invalid` with every error at once. `child`: what the date of birth on file says, None where it says nothing."""
    errors: dict[str, str] = {}
    person = _id(form, "person", "Choose whose consent it is", errors)
    purpose = _code(Purpose, form, "purpose", "Choose what they agreed to", errors)
    organisation = _id(form, "to_organisation", "Choose who it may be shared with", errors)
    given_by = _code(GivenBy, form, "given_by", "Choose who gave it", errors)
    how = _code(ConsentHow, form, "given_how", "Choose how it was given", errors)
    given_on = _given_on(form, errors)
    told = _text(form, "told", errors, "Write what they were told before they agreed")
    capacity = _text(form, "capacity", errors, _capacity_wanted(given_by, child))
    view = _text(
        form, "person_view", errors, "Write what the child says about it themselves" if child else ""
    )
    if given_by is GivenBy.PARENT and child is False:
        errors["given_by"] = "Their date of birth makes them an adult: a parent cannot consent for them"
    if (
        errors or person is None or purpose is None or organisation is None
        or given_by is None or how is None or given_on is None
    ):  # fmt: skip
        raise Invalid("bad_consent", errors=errors)
    return ConsentForm(person, purpose, organisation, given_on, given_by, how, told, capacity, view)


def parse_withdrawal(form: Mapping[str, str]) -> ConsentHow:
    """How they said it. Raises `Invalid`."""
    errors: dict[str, str] = {}
    how = _code(ConsentHow, form, "withdrawn_how", "Choose how they withdrew it", errors)
    if how is None:
        raise Invalid("bad_withdrawal", errors=errors)
    return how


def _capacity_wanted(given_by: GivenBy | None, child: bool | None) -> str:
    """The sentence that asks for it, where who gave it makes understanding the question; empty where it may stay out."""
    if given_by is GivenBy.PERSON and child:
        return "They may be under 18: write how you know that they understand what they agree to"
    if given_by is GivenBy.ATTORNEY:
        return "Write why they cannot decide this themselves, and by which power somebody else does"
    return ""


def _text(form: Mapping[str, str], name: str, errors: dict[str, str], wanted: str) -> str:
    text = clean(form.get(name, ""))
    if not text and wanted:
        errors[name] = wanted
    elif len(text) > MAX_TEXT:
        errors[name] = f"This must be {MAX_TEXT:,} characters or fewer. You wrote {len(text):,}"
    return text


def _code(kind: type[E], form: Mapping[str, str], name: str, wrong: str, errors: dict[str, str]) -> E | None:
    given = form.get(name, "")
    if given not in set(kind):
        errors[name] = wrong
        return None
    return kind(given)


def _id(form: Mapping[str, str], name: str, wrong: str, errors: dict[str, str]) -> UUID | None:
    try:
        return UUID(form.get(name, ""))
    except ValueError:
        errors[name] = wrong
        return None


def _given_on(form: Mapping[str, str], errors: dict[str, str]) -> str | None:
    try:
        text = partial_date(*(form.get(f"given_on-{part}", "") for part in ("day", "month", "year")))
    except BadPartialDate as bad:
        errors["given_on"] = str(bad)
        return None
    if text is None:
        errors["given_on"] = "Write when they agreed"
    elif earliest_day(text) > clock.today():
        errors["given_on"] = "The day on which they agreed must not be in the future"
    return text
