"""What templates write with: dates as people write them, counts, sizes, safe paragraphs. Pure functions, registered by
`app.jinja_env.filters.update(FILTERS)`. The wording is that of HANDBOOK 13.2; times are stored in UTC, shown in London."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from itertools import groupby
from typing import Any

from markupsafe import Markup, escape

from hub.core.clock import LONDON
from hub.core.partial_dates import PATTERN

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
MINUTE, HOUR, DAY = 60, 3_600, 86_400
NO_DATE = "Not known"


def _in_london(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time without its zone cannot be shown: times are stored aware, in UTC")
    return moment.astimezone(LONDON)


def _day(moment: date | datetime) -> date:
    return _in_london(moment).date() if isinstance(moment, datetime) else moment


def format_date(value: date | datetime | None) -> str:
    """`21 November 2026`; the day that it is in London."""
    if value is None:
        return NO_DATE
    day = _day(value)
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def format_short_date(value: date | datetime | None) -> str:
    """`21 Nov 2026`, for tables."""
    if value is None:
        return NO_DATE
    day = _day(value)
    return f"{day.day} {MONTHS[day.month - 1][:3]} {day.year}"


def format_time(value: datetime | None) -> str:
    """`9:12am`, `11am`, `midday`; names the zone in the hour that happens twice when the clocks go back."""
    if value is None:
        return NO_DATE
    local = _in_london(value)
    if (local.hour, local.minute) == (12, 0):
        return "midday"
    hour = local.hour % 12 or 12
    minutes = f":{local.minute:02d}" if local.minute else ""
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    zone = f" {local.tzname()}" if twice else ""
    return f"{hour}{minutes}{'am' if local.hour < 12 else 'pm'}{zone}"


def format_datetime(value: datetime | None) -> str:
    """`21 November 2026 at 9:12am`, in London."""
    if value is None:
        return NO_DATE
    return f"{format_date(value)} at {format_time(value)}"


def iso(value: date | datetime) -> str:
    """For `<time datetime>`: to the second, with the offset."""
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value.isoformat()


def _ago_or_ahead(number: int, unit: str, ahead: bool) -> str:
    counted = f"{number} {unit}{'' if number == 1 else 's'}"
    return f"in {counted}" if ahead else f"{counted} ago"


def _calendar_distance(value: date, today: date) -> str:
    days = (value - today).days
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}.get(days)
    if near:
        return near
    ahead, days = days > 0, abs(days)
    if days < 14:
        return _ago_or_ahead(days, "day", ahead)
    if days < 61:
        return _ago_or_ahead(days // 7, "week", ahead)
    if days < 730:
        return _ago_or_ahead(round(days / 30.44), "month", ahead)
    return _ago_or_ahead(round(days / 365.25), "year", ahead)


def relative_time(value: date | datetime, now: datetime) -> str:
    """`just now`, `3 hours ago`, `yesterday`, `in 2 days`. Days are London's days, not 24 hours.

    The browser refreshes it by the same rule: `hub/static/js/time.js`.
    """
    today = _day(now)
    if not isinstance(value, datetime):
        return _calendar_distance(value, today)
    day = _day(value)
    seconds = int((value - now).total_seconds())
    ahead, seconds = seconds > 0, abs(seconds)
    if seconds < MINUTE:
        return "just now" if not ahead else "in less than a minute"
    if seconds < HOUR:
        return _ago_or_ahead(seconds // MINUTE, "minute", ahead)
    if day == today or seconds < 6 * HOUR:
        return _ago_or_ahead(seconds // HOUR, "hour", ahead)
    return _calendar_distance(day, today)


def format_partial_date(value: str | None) -> str:
    """`2026` → `2026`, `2026-03` → `March 2026`, `2026-03-14` → `14 March 2026`. Anything else is shown as it stands."""
    if not value:
        return NO_DATE
    found = PATTERN.match(value)
    if not found:
        return value
    year, month, day = found.groups()
    if month is None:
        return year
    if not 1 <= int(month) <= 12:
        return value
    words = f"{MONTHS[int(month) - 1]} {year}"
    return f"{int(day)} {words}" if day else words


def paragraphs(text: str | None) -> Markup:
    """Escaped text whose blank lines part paragraphs and whose line ends are kept."""
    lines = (text or "").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    blocks = [
        list(block) for written, block in groupby(lines, key=lambda line: bool(line.strip())) if written
    ]
    return Markup("\n").join(
        Markup('<p class="hub-text">{}</p>').format(Markup("<br>").join(escape(line) for line in block))
        for block in blocks
    )


def file_size(size: int) -> str:
    """`0 bytes`, `812 KB`, `4.2 MB`: thousands, as file managers count."""
    if size < 1_000:
        return count_words(size, "byte", "bytes")
    amount = float(size)
    for unit in ("KB", "MB", "GB"):
        amount /= 1_000
        if amount < 999.5 or unit == "GB":
            break
    shown = f"{amount:.1f}".removesuffix(".0") if amount < 9.95 else f"{amount:,.0f}"
    return f"{shown} {unit}"


def count_words(number: int, singular: str, plural: str) -> str:
    """`1 case`, `2,031 cases`. None at all is an empty state, which is the page's to word."""
    return f"{number:,} {singular if number == 1 else plural}"


def count_text(number: int, cap: int = 1_000) -> str:
    """`412`, and `more than 1,000` above the cap: nothing is counted past what can be scrolled."""
    return f"more than {cap:,}" if number > cap else f"{number:,}"


def initials(name: str) -> str:
    """`Amina Khan` → `AK`; decoration only, the name stands beside it."""
    words = [word for word in re.split(r"[\s\-]+", name) if word and word[0].isalpha()]
    letters = [words[0][0], words[-1][0]] if len(words) > 1 else [word[0] for word in words]
    return "".join(letters).upper()


FILTERS: dict[str, Callable[..., Any]] = {
    "count_text": count_text,
    "count_words": count_words,
    "file_size": file_size,
    "format_date": format_date,
    "format_datetime": format_datetime,
    "format_partial_date": format_partial_date,
    "format_short_date": format_short_date,
    "format_time": format_time,
    "initials": initials,
    "iso": iso,
    "paragraphs": paragraphs,
    "relative_time": relative_time,
}
