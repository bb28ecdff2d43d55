"""What the auditor asks of the log: the purpose, and the filters in the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from hub.audit.catalogue import EVENTS, Category
from hub.audit.policy import OUTCOMES, LogPurpose
from hub.core.clock import LONDON
from hub.core.errors import Invalid
from hub.core.text import clean

NO_PURPOSE = "Choose what you use the log for"


def parse_purpose(text: str | None) -> LogPurpose:
    """`Invalid` unless it is one of the four."""
    if text not in set(LogPurpose):
        raise Invalid("no_purpose", errors={"purpose": NO_PURPOSE})
    return LogPurpose(text)


@dataclass(frozen=True)
class LogQuery:
    """The filters as they stand in the address, and as values."""

    user_id: UUID | None = None
    organisation_id: UUID | None = None
    reference: str = ""
    act: str | None = None
    category: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    before: datetime | None = None


def parse_log_query(given: Mapping[str, str]) -> LogQuery:
    """All filters at once; `Invalid` names each that can't be read."""
    errors: dict[str, str] = {}
    since = _day(given, "from", errors)
    until = _day(given, "to", errors)
    if since and until and until < since:
        errors["to"] = "The last day must be the first day or later"
    query = LogQuery(
        user_id=_id(given, "user", errors),
        organisation_id=_id(given, "organisation", errors),
        reference=clean(given.get("reference", "")).upper()[:40],
        act=_known(given, "act", EVENTS, errors),
        category=_known(given, "category", {one.value for one in Category}, errors),
        outcome=_known(given, "outcome", OUTCOMES, errors),
        since=_midnight(since),
        # the last day is in it
        before=_midnight(until + timedelta(days=1)) if until else None,
    )
    if errors:
        raise Invalid("bad_filter", errors=errors)
    return query


def _midnight(day: date | None) -> datetime | None:
    """The beginning of a day in London."""
    return datetime(day.year, day.month, day.day, tzinfo=LONDON) if day else None


def _day(given: Mapping[str, str], name: str, errors: dict[str, str]) -> date | None:
    text = given.get(name, "").strip()
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not 2000 <= day.year <= 2999:
        errors[name] = "Enter a day such as 2026-11-21"
        return None
    return day


def _id(given: Mapping[str, str], name: str, errors: dict[str, str]) -> UUID | None:
    text = given.get(name, "").strip()
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        errors[name] = "Choose from the list"
        return None


def _known(
    given: Mapping[str, str], name: str, known: Mapping[str, object] | set[str], errors: dict[str, str]
) -> str | None:
    text = given.get(name, "").strip()
    if text and text not in known:
        errors[name] = "Choose from the list"
        return None
    return text or None
