"""The form by which an administrator makes a panel on one agreement: within what that agreement permits, or told why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hub.access.vocabulary import Marking, Purpose, Section
from hub.agreements.policy import Terms
from hub.core.errors import Invalid
from hub.core.text import clean

MAX_NAME = 120
LONGEST = 365
Seat = tuple[UUID, UUID | None]


@dataclass(frozen=True)
class PanelForm:
    """What a share with the panel will be. A seat is an organisation, or one team of it."""

    name: str
    agreement_id: UUID
    purpose: Purpose
    sections: tuple[Section, ...]
    lasts_days: int
    seats: tuple[Seat, ...]
    max_marking: Marking = Marking.OFFICIAL
    may_contribute: bool = False


def seat_value(seat: Seat) -> str:
    """A seat as a form sends it: `organisation:<id>` or `team:<organisation>:<team>`."""
    organisation, team = seat
    return f"team:{organisation}:{team}" if team else f"organisation:{organisation}"


def parse_panel(form: Mapping[str, Any], terms: Terms, offered: Iterable[Seat]) -> PanelForm:
    """Raises `Invalid` with every error at once. `offered` are the seats that this agreement allows."""
    errors: dict[str, str] = {}
    name = clean(str(form.get("name", "")))
    if not 0 < len(name) <= MAX_NAME or "\n" in name:
        errors["name"] = f"Enter a name in {MAX_NAME} characters or fewer, on one line"
    permitted = {one.purpose for one in terms.purposes}
    purpose = str(form.get("purpose", ""))
    if purpose not in permitted:
        errors["purpose"] = "Choose a purpose that the agreement permits"
    if form.get("max_marking", "0") not in ("0", "1"):
        errors["max_marking"] = "Choose the highest marking that is shared"
    sections = _sections(form, terms, errors)
    days = _days(str(form.get("lasts_days", "")), errors)
    seats = _seats(form, offered, errors)
    if errors:
        raise Invalid("bad_panel", errors=errors)
    return PanelForm(
        name=name,
        agreement_id=terms.agreement.id,
        purpose=Purpose(purpose),
        sections=sections,
        lasts_days=days,
        seats=seats,
        max_marking=Marking(int(form.get("max_marking", "0"))),
        may_contribute=form.get("may_contribute") == "yes",
    )


def _list(form: Mapping[str, Any], name: str) -> list[str]:
    given = form.getlist(name) if hasattr(form, "getlist") else form.get(name, [])
    return [str(one) for one in ([given] if isinstance(given, str) else given)]


def _sections(form: Mapping[str, Any], terms: Terms, errors: dict[str, str]) -> tuple[Section, ...]:
    """In the order of the closed list. The summary is part of every share."""
    chosen = {Section.SUMMARY.value, *_list(form, "sections")}
    if not chosen <= set(terms.agreement.sections):
        errors["sections"] = "Choose parts that the agreement covers"
    return tuple(one for one in Section if one.value in chosen)


def _days(given: str, errors: dict[str, str]) -> int:
    given = given.strip()
    days = int(given) if given.isascii() and given.isdigit() and len(given) < 5 else 0
    if not 1 <= days <= LONGEST:
        errors["lasts_days"] = f"Enter for how many days, from 1 to {LONGEST}"
    return days


def _seats(form: Mapping[str, Any], offered: Iterable[Seat], errors: dict[str, str]) -> tuple[Seat, ...]:
    known = {seat_value(seat): seat for seat in offered}
    chosen = _list(form, "seats")
    seats = tuple(known[one] for one in dict.fromkeys(chosen) if one in known)
    whole = {organisation for organisation, team in seats if team is None}
    if not seats or len(seats) != len(set(chosen)):
        errors["seats"] = "Choose at least one partner from the list"
    elif any(team is not None and organisation in whole for organisation, team in seats):
        errors["seats"] = "Choose an organisation as a whole, or teams of it, not both"
    return seats
