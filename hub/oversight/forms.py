"""What the auditor asks of the log: the purpose, and the filters in the address."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from hub.access.vocabulary import PURPOSE_LABELS
from hub.audit.catalogue import EVENTS, Category
from hub.audit.policy import OUTCOMES, LogPurpose
from hub.audit.queries import NO_PURPOSE
from hub.core.clock import LONDON
from hub.core.errors import Invalid
from hub.core.text import clean

WITHOUT_PURPOSE = "Choose what you use the log for"
FROM_THE_LIST = "Choose from the list"
DEFAULT_DAYS = 31
FILTERS = (
    "user", "organisation", "reference", "category", "act", "outcome", "purpose", "from", "to", "weekday", "hour",
    "as_of",
)  # fmt: skip
PURPOSES = {NO_PURPOSE: "None stated", **{one.value: words for one, words in PURPOSE_LABELS.items()}}
WEEKDAYS = {
    "1": "Monday", "2": "Tuesday", "3": "Wednesday", "4": "Thursday", "5": "Friday", "6": "Saturday", "7": "Sunday",
}  # fmt: skip
HOURS = {str(hour): f"{hour:02}:00 to {hour:02}:59" for hour in range(24)}


def parse_purpose(text: str | None) -> LogPurpose:
    """`Invalid` unless it is one of the four."""
    if text not in set(LogPurpose):
        raise Invalid("no_purpose", errors={"purpose": WITHOUT_PURPOSE})
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
    purpose: str | None = None
    weekday: int | None = None
    hour: int | None = None
    first: date | None = None
    last: date | None = None
    as_of: datetime | None = None

    @property
    def since(self) -> datetime | None:
        return _midnight(self.first) if self.first else None

    @property
    def before(self) -> datetime | None:
        """The last day is in it."""
        return _midnight(self.last + timedelta(days=1)) if self.last else None

    def within_default(self, today: date) -> LogQuery:
        """The last 31 days, or those before the last day, where no first day is asked for."""
        if self.first is not None:
            return self
        return replace(self, first=(self.last or today) - timedelta(days=DEFAULT_DAYS - 1))


def parse_log_query(given: Mapping[str, str]) -> LogQuery:
    """All filters at once; `Invalid` names each that can't be read."""
    errors: dict[str, str] = {}
    first = _day(given, "from", errors)
    last = _day(given, "to", errors)
    if first and last and last < first:
        errors["to"] = "The last day must be the first day or later"
    weekday, hour = _known(given, "weekday", WEEKDAYS, errors), _known(given, "hour", HOURS, errors)
    query = LogQuery(
        user_id=_id(given, "user", errors),
        organisation_id=_id(given, "organisation", errors),
        reference=clean(given.get("reference", "")).strip().upper()[:40],
        act=_known(given, "act", EVENTS, errors),
        category=_known(given, "category", {one.value for one in Category}, errors),
        outcome=_known(given, "outcome", OUTCOMES, errors),
        purpose=_known(given, "purpose", PURPOSES, errors),
        weekday=int(weekday) if weekday else None,
        hour=int(hour) if hour else None,
        first=first,
        last=last,
        as_of=_moment(given, "as_of", errors),
    )
    if errors:
        raise Invalid("bad_filter", errors=errors)
    return query


def moment_code(moment: datetime) -> str:
    """As it stands in an address, to the microsecond."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}"


def _midnight(day: date) -> datetime:
    """The beginning of a day in London."""
    return datetime(day.year, day.month, day.day, tzinfo=LONDON)


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


def _moment(given: Mapping[str, str], name: str, errors: dict[str, str]) -> datetime | None:
    text = given.get(name, "").strip()
    if not text:
        return None
    try:
        moment = datetime.strptime(text, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        moment = datetime.min.replace(tzinfo=UTC)
    if not 2000 <= moment.year <= 2999:
        errors[name] = "This page address is not complete. Choose the number again"
        return None
    return moment


def _id(given: Mapping[str, str], name: str, errors: dict[str, str]) -> UUID | None:
    text = given.get(name, "").strip()
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        errors[name] = FROM_THE_LIST
        return None


def _known(given: Mapping[str, str], name: str, known: Collection[str], errors: dict[str, str]) -> str | None:
    text = given.get(name, "").strip()
    if text and text not in known:
        errors[name] = FROM_THE_LIST
        return None
    return text or None
