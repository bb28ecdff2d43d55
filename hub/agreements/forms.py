"""The terms of an agreement as they are typed: parties, purposes with what they stand on, what is covered, and the days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.access.vocabulary import PURPOSE_LABELS, Purpose, Section
from hub.agreements.vocabulary import CONDITIONS, GATEWAYS, LAWFUL_BASES, NOT_CHOOSABLE
from hub.core.errors import Invalid
from hub.core.partial_dates import BadPartialDate, end_of_day, partial_date, start_of_day
from hub.core.text import clean

MAX_TITLE = 200
MAX_LINE = 200
MAX_WORDS = 2000
MAX_PARTIES = 60
MAX_PURPOSES = len(Purpose)
WORDS = {
    "data_classes": "What data is shared",
    "not_shared": "What is not shared",
    "receivers": "Who may receive it",
}


@dataclass(frozen=True)
class PermittedPurpose:
    """A purpose with the gateway and lawful basis that it stands on."""

    purpose: Purpose
    gateway: str
    lawful_basis: str
    condition: str | None = None


@dataclass(frozen=True)
class PartyLine:
    """A party, and who signs for it as the paper says: name and role."""

    organisation_id: UUID
    signatory: str = ""


@dataclass(frozen=True)
class TermsForm:
    """Everything that is agreed. The organisation that drafts it is always one of the parties."""

    title: str
    parties: tuple[PartyLine, ...]
    purposes: tuple[PermittedPurpose, ...]
    starts_at: datetime
    review_at: datetime
    ends_at: datetime
    sections: tuple[Section, ...] = tuple(Section)
    data_classes: str = ""
    not_shared: str = ""
    receivers: str = ""
    # none: the user who drafts it
    owner_user_id: UUID | None = None


def parse_terms(form: Mapping[str, Any], *, own: UUID, known: Mapping[UUID, str]) -> TermsForm:
    """Raises `Invalid` with every error at once. `own` is the drafting organisation, `known` all others by id."""
    errors: dict[str, str] = {}
    title = _line(form, "title", MAX_TITLE, "The title", errors)
    if not title and "title" not in errors:
        errors["title"] = "Enter a title"
    parties = _parties(form, own, known, errors)
    purposes = _purposes(form, errors)
    sections = _sections(form, errors)
    words = {name: _words(form, name, label, errors) for name, label in WORDS.items()}
    days = {name: _day(form, name, errors) for name in ("starts", "review", "ends")}
    starts, review, ends = days["starts"], days["review"], days["ends"]
    owner = _uuid(str(form.get("owner", "")))
    if owner is None:
        errors["owner"] = "Choose who owns the agreement"
    if starts and review and ends:
        errors.update(wrong_days(starts, review, ends))
    if errors or starts is None or review is None or ends is None:
        raise Invalid("bad_agreement", errors=errors)
    return TermsForm(title, parties, purposes, starts, review, ends, sections, **words, owner_user_id=owner)


def wrong_terms(terms: TermsForm, own: UUID) -> dict[str, str]:
    """Field → what is wrong with the terms, whoever wrote them down."""
    errors = wrong_days(terms.starts_at, terms.review_at, terms.ends_at)
    parties = {one.organisation_id for one in terms.parties}
    if len(parties) < 2 or own not in parties:
        errors["party-0"] = "Choose at least one other organisation"
    if len(parties) != len(terms.parties):
        errors["party-0"] = "Choose each organisation once"
    if not terms.purposes:
        errors["purpose-0"] = "Choose at least one purpose"
    if len({one.purpose for one in terms.purposes}) != len(terms.purposes):
        errors["purpose-0"] = "Choose each purpose once"
    for number, one in enumerate(terms.purposes):
        errors.update(wrong_footing(number, one.gateway, one.lawful_basis, one.condition or ""))
    if Section.SUMMARY not in terms.sections:
        errors["sections"] = "The summary is part of every share, so the agreement covers it"
    return errors


def wrong_days(starts: datetime, review: datetime, ends: datetime) -> dict[str, str]:
    errors: dict[str, str] = {}
    if ends <= starts:
        errors["ends"] = "The end must be after the start"
    elif not starts <= review <= ends:
        errors["review"] = "The review must be between the start and the end"
    return errors


def wrong_footing(number: int, gateway: str, basis: str, condition: str) -> dict[str, str]:
    """What is wrong with what the purpose of this line stands on."""
    errors: dict[str, str] = {}
    if gateway in NOT_CHOOSABLE:
        errors[f"gateway-{number}"] = f"{GATEWAYS[gateway]} cannot be chosen. {NOT_CHOOSABLE[gateway]}"
    elif gateway not in GATEWAYS:
        errors[f"gateway-{number}"] = "Choose a legal gateway from the list"
    if basis not in LAWFUL_BASES:
        errors[f"basis-{number}"] = "Choose a lawful basis from the list"
    if condition and condition not in CONDITIONS:
        errors[f"condition-{number}"] = "Choose a condition from the list"
    elif condition and basis in LAWFUL_BASES and basis.startswith("p3_") != condition.startswith("s8_"):
        errors[f"condition-{number}"] = (
            "Conditions of Schedule 8 go with the bases of Part 3, and the others with those of UK GDPR"
        )
    return errors


def _parties(
    form: Mapping[str, Any], own: UUID, known: Mapping[UUID, str], errors: dict[str, str]
) -> tuple[PartyLine, ...]:
    lines = [PartyLine(own, _line(form, "signatory-own", MAX_LINE, "Who signs", errors))]
    for number in range(rows_of(form, "parties", MAX_PARTIES)):
        given = str(form.get(f"party-{number}", ""))
        signatory = _line(form, f"signatory-{number}", MAX_LINE, "Who signs", errors)
        organisation = _uuid(given)
        if not given and not signatory:
            continue
        if organisation is None or organisation not in known:
            errors[f"party-{number}"] = "Choose an organisation from the list"
        elif organisation in {line.organisation_id for line in lines}:
            errors[f"party-{number}"] = f"{known[organisation]} is chosen twice"
        else:
            lines.append(PartyLine(organisation, signatory))
    if len(lines) < 2:
        errors.setdefault("party-0", "Choose at least one other organisation")
    return tuple(lines)


def _purposes(form: Mapping[str, Any], errors: dict[str, str]) -> tuple[PermittedPurpose, ...]:
    found: list[PermittedPurpose] = []
    for number in range(rows_of(form, "purposes", MAX_PURPOSES)):
        purpose, gateway, basis, condition = (
            str(form.get(f"{name}-{number}", "")) for name in ("purpose", "gateway", "basis", "condition")
        )
        if not (purpose or gateway or basis or condition):
            continue
        errors.update(wrong_footing(number, gateway, basis, condition))
        if purpose not in set(Purpose):
            errors[f"purpose-{number}"] = "Choose a purpose from the list"
        elif purpose in {one.purpose.value for one in found}:
            errors[f"purpose-{number}"] = f"{PURPOSE_LABELS[Purpose(purpose)]} is chosen twice"
        else:
            found.append(PermittedPurpose(Purpose(purpose), gateway, basis, condition or None))
    if not found:
        errors.setdefault("purpose-0", "Choose at least one purpose")
    return tuple(found)


def rows_of(form: Mapping[str, Any], name: str, at_most: int, at_least: int = 1) -> int:
    """How many lines of parties or purposes the form has: it says so itself."""
    given = str(form.get(name, ""))
    wanted = int(given) if given.isascii() and given.isdigit() and len(given) < 4 else 0
    return max(at_least, min(wanted, at_most))


def _sections(form: Mapping[str, Any], errors: dict[str, str]) -> tuple[Section, ...]:
    given: Sequence[str] = form.getlist("sections") if hasattr(form, "getlist") else form.get("sections", [])
    chosen = set(given)
    if chosen - set(Section):
        errors["sections"] = "Choose sections from the list"
    elif Section.SUMMARY.value not in chosen:
        errors["sections"] = "The summary is part of every share, so the agreement covers it"
    return tuple(one for one in Section if one.value in chosen)


def _line(form: Mapping[str, Any], name: str, limit: int, label: str, errors: dict[str, str]) -> str:
    text = " ".join(clean(str(form.get(name, ""))).split())
    if len(text) > limit:
        errors[name] = f"{label} must be {limit} characters or fewer"
    return text


def _words(form: Mapping[str, Any], name: str, label: str, errors: dict[str, str]) -> str:
    text = clean(str(form.get(name, "")))
    if len(text) > MAX_WORDS:
        errors[name] = f"{label} must be {MAX_WORDS:,} characters or fewer"
    return text


def _day(form: Mapping[str, Any], name: str, errors: dict[str, str]) -> datetime | None:
    """A whole day. What ends does so at its end, all else begins at its beginning."""
    label = {"starts": "start", "review": "review", "ends": "end"}[name]
    try:
        text = partial_date(*(str(form.get(f"{name}-{part}", "")) for part in ("day", "month", "year")))
        if text is None or len(text) != 10:
            raise BadPartialDate(f"The {label} must have a day, a month and a year")
        return end_of_day(text) if name == "ends" else start_of_day(text)
    except BadPartialDate as bad:
        errors[name] = str(bad)
        return None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
