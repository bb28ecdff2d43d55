"""The forms of declared interests: a declaration of one of three kinds, and the reason for lifting an exclusion."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hub.core import clock
from hub.core.errors import Invalid
from hub.core.partial_dates import BadPartialDate, earliest_day, partial_date
from hub.core.text import clean, folded
from hub.interests.vocabulary import InterestKind, Relation

MAX_NAME = 300
MAX_ADDRESS = 500
MAX_REASON = 2_000
_POSTCODE = re.compile(r"([A-Z]{1,2}[0-9][A-Z0-9]?)([0-9][A-Z]{2})")


@dataclass(frozen=True)
class InterestForm:
    kind: InterestKind
    relation: Relation
    given_names: str = ""
    family_name: str = ""
    date_of_birth: str = ""
    address: str = ""
    postcode: str = ""


def parse_interest(given: Mapping[str, str], kind: InterestKind) -> InterestForm:
    """Raises `Invalid` with every field that is wrong."""
    errors: dict[str, str] = {}
    values = {"given_names": "", "family_name": "", "date_of_birth": "", "address": "", "postcode": ""}
    if kind is InterestKind.PERSON:
        values["given_names"] = _name(given, "given_names", "the given names", errors)
    if kind is not InterestKind.ADDRESS:
        values["family_name"] = _name(given, "family_name", "the family name", errors)
    if kind is InterestKind.PERSON:
        values["date_of_birth"] = _birth(given, errors)
    if kind is InterestKind.ADDRESS:
        values |= _address(given, errors)
    relation = given.get("relation", "")
    if relation not in set(Relation):
        errors["relation"] = "Select how you stand to them"
    if errors:
        raise Invalid("bad_interest", errors=errors)
    return InterestForm(kind, Relation(relation), **values)


def parse_reason(given: Mapping[str, str]) -> str:
    """Why an exclusion is lifted. Raises `Invalid`."""
    reason = clean(given.get("reason", ""))
    if not reason:
        raise Invalid("no_reason", errors={"reason": "Enter why this is not the person or address meant"})
    if len(reason) > MAX_REASON:
        raise Invalid("long_reason", errors={"reason": f"Enter {MAX_REASON:,} characters or fewer"})
    return reason


def _name(given: Mapping[str, str], field: str, words: str, errors: dict[str, str]) -> str:
    text = clean(given.get(field, ""))
    if not folded(text):
        errors[field] = f"Enter {words}"
    elif len(text) > MAX_NAME or "\n" in text:
        errors[field] = f"Enter {words} in {MAX_NAME} characters or fewer, on one line"
    return text


def _birth(given: Mapping[str, str], errors: dict[str, str]) -> str:
    parts = (given.get(f"date_of_birth-{part}", "") for part in ("day", "month", "year"))
    try:
        born = partial_date(*parts) or ""
        if born and earliest_day(born) > clock.today():
            raise BadPartialDate("The date of birth must be in the past")
    except BadPartialDate as bad:
        errors["date_of_birth"] = str(bad)
        return ""
    return born


def _address(given: Mapping[str, str], errors: dict[str, str]) -> dict[str, str]:
    address = clean(given.get("address", ""))
    words = folded(address).split()
    if not words:
        errors["address"] = "Enter the house number or name and the street"
    elif len(address) > MAX_ADDRESS:
        errors["address"] = f"Enter {MAX_ADDRESS} characters or fewer"
    letters = re.sub(r"[\s.\-]", "", given.get("postcode", "")).upper()
    found = _POSTCODE.fullmatch(letters)
    if letters and not found:
        errors["postcode"] = "Enter a full UK postcode, for example NB1 4QT"
    if not letters and len(words) == 1:
        # one word alone would keep the user from half the town
        errors["postcode"] = "Enter the postcode, or more of the address"
    return {"address": address, "postcode": f"{found.group(1)} {found.group(2)}" if found else ""}
