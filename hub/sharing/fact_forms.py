"""A minimum share as it is typed: one fact of a closed list, whom or what it concerns, its dates, and to whom it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.access.vocabulary import Section
from hub.core import clock
from hub.core.errors import Invalid
from hub.core.partial_dates import BadPartialDate, earliest_day, latest_day, partial_date
from hub.core.text import MAX_TEXT, clean
from hub.sharing.forms import ShareForm, parse_end, parse_purpose, parse_recipient
from hub.sharing.vocabulary import FactCode

MAX_CONCERNING = 200
MAX_WORDING = 300


@dataclass(frozen=True)
class FactForm:
    """What is told, and the share by which it is. Dates are partial, as ISO text; no end where none is known.

    `share` names the summary, which every agreement covers: the grant that is made of it opens no section at all.
    """

    share: ShareForm
    code: FactCode
    concerning: str
    from_on: str
    until_on: str | None = None
    wording: str = ""


def parse_fact(form: Mapping[str, Any]) -> FactForm:
    """Raises `Invalid` with every error at once."""
    errors: dict[str, str] = {}
    organisation, team, user = parse_recipient(form, errors)
    if user is not None:
        errors["to"] = "Choose an organisation or a team"
    purpose = parse_purpose(form, errors)
    if purpose is None and "purpose" not in errors:
        errors["purpose"] = "Choose what it is told for"
    given = str(form.get("code", ""))
    if given not in set(FactCode):
        errors["code"] = "Choose the fact from the list"
    concerning = _line(form, "concerning", MAX_CONCERNING, errors)
    if not concerning and "concerning" not in errors:
        errors["concerning"] = "Say which address or person it concerns, as they must know it"
    wording = _line(form, "wording", MAX_WORDING, errors)
    from_on, until_on = _dates(form, errors)
    reason = clean(str(form.get("reason", "")))
    if not reason:
        errors["reason"] = "Say why telling this is necessary"
    elif len(reason) > MAX_TEXT:
        errors["reason"] = f"Why it is necessary must be {MAX_TEXT:,} characters or fewer"
    ends_at = parse_end(form, errors)
    if ends_at is None and "ends" not in errors:
        errors["ends"] = "Say until when they may read it"
    if errors or organisation is None or from_on is None:
        raise Invalid("bad_fact", errors=errors)
    share = ShareForm(
        to_organisation_id=organisation,
        to_team_id=team,
        purpose=purpose,
        sections=(Section.SUMMARY,),
        reason=reason,
        ends_at=ends_at,
    )
    return FactForm(share, FactCode(given), concerning, from_on, until_on, wording)


def _line(form: Mapping[str, Any], field: str, limit: int, errors: dict[str, str]) -> str:
    text = clean(str(form.get(field, "")))
    if len(text) > limit or "\n" in text:
        errors[field] = f"Write one line of {limit} characters or fewer"
    return text


def _dates(form: Mapping[str, Any], errors: dict[str, str]) -> tuple[str | None, str | None]:
    """The first is in the past, because it says what happened; the second not before it."""
    first, last = _date(form, "from_on", errors), _date(form, "until_on", errors)
    if first is None:
        errors.setdefault("from_on", "Enter when it happened or began")
    elif earliest_day(first) > clock.today():
        errors["from_on"] = "The date must not be in the future"
    elif last is not None and latest_day(last) < earliest_day(first):
        errors["until_on"] = "The end must not be before the beginning"
    return first, last


def _date(form: Mapping[str, Any], field: str, errors: dict[str, str]) -> str | None:
    try:
        return partial_date(*(str(form.get(f"{field}-{part}", "")) for part in ("day", "month", "year")))
    except BadPartialDate as bad:
        errors[field] = str(bad)
        return None
