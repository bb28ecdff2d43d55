"""A share as it is typed: parsed and checked as far as the form alone tells. What agreements say is checked by the action."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.access.vocabulary import Marking, Purpose, Section
from hub.agreements.vocabulary import DEPERSONALISED_ONLY, GATEWAYS, LAWFUL_BASES
from hub.core.errors import Invalid
from hub.core.partial_dates import BadPartialDate, end_of_day, partial_date
from hub.core.text import MAX_TEXT, clean


@dataclass(frozen=True)
class ShareForm:
    """What to share, with whom, why and until when. Within one's own organisation no agreement and no end is needed.

    An empty gateway or lawful basis takes what the agreement says; without an `agreement_id` the one that lasts longest
    of those that carry it. `consent_id` counts where the basis is consent.
    """

    to_organisation_id: UUID
    sections: tuple[Section, ...]
    reason: str
    ends_at: datetime | None = None
    purpose: Purpose | None = None
    to_team_id: UUID | None = None
    to_user_id: UUID | None = None
    agreement_id: UUID | None = None
    gateway: str = ""
    lawful_basis: str = ""
    consent_id: UUID | None = None
    max_marking: Marking = Marking.OFFICIAL
    may_contribute: bool = False


@dataclass(frozen=True)
class ShareChange:
    """What a share is to open from now on, until when, and why that changes."""

    sections: tuple[Section, ...]
    max_marking: Marking
    may_contribute: bool
    ends_at: datetime | None
    reason: str
    # as the form was shown; None where nobody typed it from a page
    revision: int | None = None


def parse_share(form: Mapping[str, Any]) -> ShareForm:
    """Raises `Invalid` with every error at once."""
    errors: dict[str, str] = {}
    organisation, team, user = parse_recipient(form, errors)
    purpose, agreement = parse_purpose(form, errors), parse_agreement(form, errors)
    gateway = str(form.get("gateway", ""))
    if gateway and (gateway not in GATEWAYS or gateway in DEPERSONALISED_ONLY):
        errors["gateway"] = "Choose a legal gateway from the list"
    basis = str(form.get("lawful_basis", ""))
    if basis and basis not in LAWFUL_BASES:
        errors["lawful_basis"] = "Choose a lawful basis from the list"
    consent = _uuid(str(form.get("consent", "")), "consent", "Choose a consent from the list", errors)
    sections = parse_sections(form, errors)
    reason = _reason(form, errors, "Say why sharing this is necessary", "Why it is necessary")
    ends_at = parse_end(form, errors)
    marking = _marking(form, errors)
    if errors or organisation is None:
        raise Invalid("bad_share", errors=errors)
    return ShareForm(
        to_organisation_id=organisation,
        to_team_id=team,
        to_user_id=user,
        purpose=purpose,
        agreement_id=agreement,
        gateway=gateway,
        lawful_basis=basis,
        consent_id=consent,
        sections=sections,
        reason=reason,
        ends_at=ends_at,
        max_marking=marking,
        may_contribute=form.get("may_contribute") == "yes",
    )


def parse_change(form: Mapping[str, Any]) -> ShareChange:
    """Raises `Invalid` with every error at once."""
    errors: dict[str, str] = {}
    revision = str(form.get("revision", ""))
    change = ShareChange(
        sections=parse_sections(form, errors),
        max_marking=_marking(form, errors),
        may_contribute=form.get("may_contribute") == "yes",
        ends_at=parse_end(form, errors),
        reason=_reason(form, errors, "Say why this changes", "Why this changes"),
        revision=int(revision) if re.fullmatch(r"[0-9]{1,9}", revision) else None,
    )
    if errors:
        raise Invalid("bad_change", errors=errors)
    return change


def _reason(form: Mapping[str, Any], errors: dict[str, str], missing: str, called: str) -> str:
    reason = clean(str(form.get("reason", "")))
    if not reason:
        errors["reason"] = missing
    elif len(reason) > MAX_TEXT:
        errors["reason"] = f"{called} must be {MAX_TEXT:,} characters or fewer"
    return reason


def _marking(form: Mapping[str, Any], errors: dict[str, str]) -> Marking:
    given = str(form.get("max_marking", "0"))
    if given not in {str(one.value) for one in Marking}:
        errors["max_marking"] = "Choose the highest marking that is shared"
        return Marking.OFFICIAL
    return Marking(int(given))


def _uuid(text: str, field: str, wrong: str, errors: dict[str, str]) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        errors[field] = wrong
        return None


def parse_recipient(
    form: Mapping[str, Any], errors: dict[str, str]
) -> tuple[UUID | None, UUID | None, UUID | None]:
    """`to` is `organisation:<id>`, `team:<organisation>:<team>` or `user:<organisation>:<user>`."""
    kind, _, rest = str(form.get("to", "")).partition(":")
    first, _, second = rest.partition(":")
    try:
        organisation = UUID(first)
        member = UUID(second) if kind in ("team", "user") else None
    except ValueError:
        organisation, member = None, None
    if organisation is None or kind not in ("organisation", "team", "user"):
        errors["to"] = "Choose who to share with"
        return None, None, None
    return organisation, member if kind == "team" else None, member if kind == "user" else None


def parse_purpose(form: Mapping[str, Any], errors: dict[str, str]) -> Purpose | None:
    """`purpose` is a purpose, or `<purpose>:<agreement>` where it was chosen with the agreement that it stands on."""
    given = str(form.get("purpose", "")).partition(":")[0]
    if not given:
        return None
    if given not in set(Purpose):
        errors["purpose"] = "Choose a purpose from the list"
        return None
    return Purpose(given)


def parse_agreement(form: Mapping[str, Any], errors: dict[str, str]) -> UUID | None:
    """The agreement that was chosen with the purpose; None where the purpose alone was."""
    given = str(form.get("purpose", "")).partition(":")[2]
    return _uuid(given, "purpose", "Choose a purpose from the list", errors)


def parse_sections(form: Mapping[str, Any], errors: dict[str, str]) -> tuple[Section, ...]:
    """In the order of the closed list. `summary` is part of every share."""
    given = form.getlist("sections") if hasattr(form, "getlist") else form.get("sections", [])
    chosen = {str(one) for one in ([given] if isinstance(given, str) else given)}
    if chosen - set(Section):
        errors["sections"] = "Choose sections from the list"
    elif Section.SUMMARY.value not in chosen:
        errors["sections"] = "The summary is part of every share: choose it, and whatever else is needed"
    return tuple(one for one in Section if one.value in chosen)


def parse_end(form: Mapping[str, Any], errors: dict[str, str]) -> datetime | None:
    """The end of the day that was typed, in London. None where nothing was typed."""
    try:
        text = partial_date(*(str(form.get(f"ends-{part}", "")) for part in ("day", "month", "year")))
        if text is None:
            return None
        if len(text) != 10:
            raise BadPartialDate("The end must have a day, a month and a year")
        return end_of_day(text)
    except BadPartialDate as bad:
        errors["ends"] = str(bad)
        return None
