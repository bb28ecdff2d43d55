"""An inquiry in numbers, laid out: each number with its words and the address of the list that it counts."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from hub.audit.inquiry_queries import MOST_COUNTED, Summary
from hub.oversight.asking import CATEGORIES, OUTCOME_WORDS, Asked
from hub.oversight.forms import PURPOSES, WEEKDAYS, moment_code

MOST_DAYS = 62
MOST_ROWS = 10
LEVELS = 5
CHART_WIDTH, CHART_HEIGHT = 600, 80


@dataclass(frozen=True)
class Number:
    """So many events, and where they are listed."""

    words: str
    events: int
    href: str


@dataclass(frozen=True)
class Group:
    """Numbers by one thing, the greatest first. `more` are not shown."""

    title: str
    numbers: Sequence[Number]
    more: int = 0


@dataclass(frozen=True)
class Bar:
    """A day or a month of the timeline: its number, and its column in the drawing."""

    number: Number
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Cell:
    """An hour of the week. `level` 0 is nothing, then lighter to darker."""

    number: Number
    level: int


@dataclass(frozen=True)
class Numbers:
    """All of it. `too_many` where nothing was counted to the end: then there is nothing else."""

    all: Number
    too_many: bool
    most: int = MOST_COUNTED
    groups: Sequence[Group] = ()
    unit: str = "day"
    bars: Sequence[Bar] = ()
    hours: Sequence[tuple[str, Sequence[Cell]]] = ()


def lay_out(summary: Summary, asked: Asked, names: Mapping[str, Mapping[str, str]]) -> Numbers:
    """`names` are those of the users and organisations that are counted."""
    as_of = moment_code(summary.as_of)

    def href(**changes: str) -> str:
        return asked.narrowed(as_of=as_of, **changes)

    everything = Number("Events", summary.total, href())
    if summary.too_many or not summary.total:
        return Numbers(everything, summary.too_many)
    kinds = (
        ("By category", "category", CATEGORIES),
        ("By outcome", "outcome", OUTCOME_WORDS),
        ("By purpose of the work", "purpose", PURPOSES),
        ("By organisation", "organisation", names["organisation"]),
        ("By user", "user", names["user"]),
    )
    unit, bars = _timeline(summary.days, asked, href)
    return Numbers(
        everything,
        too_many=False,
        groups=[
            _group(title, name, summary.parts.get(name, {}), words, href) for title, name, words in kinds
        ],
        unit=unit,
        bars=bars,
        hours=_hours(summary.hours, href),
    )


def _group(
    title: str, name: str, counted: Mapping[str, int], words: Mapping[str, str], href: Callable[..., str]
) -> Group:
    ordered = sorted(counted.items(), key=lambda one: (-one[1], words.get(one[0], one[0])))
    numbers = [
        Number(words.get(code, code), events, href(**{name: code})) for code, events in ordered[:MOST_ROWS]
    ]
    return Group(title, numbers, max(0, len(ordered) - MOST_ROWS))


def _timeline(days: Mapping[date, int], asked: Asked, href: Callable[..., str]) -> tuple[str, list[Bar]]:
    """By day where that is at most two months, else by month. Empty ones in between are shown too."""
    first, last = min(days), max(days)
    query = asked.query
    if query.first and query.last and (query.last - query.first).days < MOST_DAYS:
        first, last = query.first, query.last
    if (last - first).days < MOST_DAYS:
        spans = [(first + timedelta(days=one),) * 2 for one in range((last - first).days + 1)]
        words = [f"{start:%a} {start.day} {start:%B %Y}" for start, _ in spans]
        unit = "day"
    else:
        spans = _months(first, last)
        words = [f"{start:%B %Y}" for start, _ in spans]
        unit = "month"
    counts = [sum(days.get(one, 0) for one in days if start <= one <= end) for start, end in spans]
    numbers = [
        # not beyond the period that was asked for
        Number(
            text,
            events,
            href(
                **{
                    "from": max(start, query.first or start).isoformat(),
                    "to": min(end, query.last or end).isoformat(),
                }
            ),
        )
        for text, events, (start, end) in zip(words, counts, spans, strict=True)
    ]
    return unit, _bars(numbers)


def _months(first: date, last: date) -> list[tuple[date, date]]:
    spans = []
    start = first.replace(day=1)
    while start <= last:
        end = start.replace(day=calendar.monthrange(start.year, start.month)[1])
        spans.append((start, end))
        start = end + timedelta(days=1)
    return spans


def _bars(numbers: Sequence[Number]) -> list[Bar]:
    step = CHART_WIDTH / len(numbers)
    most = max(number.events for number in numbers) or 1
    bars = []
    for place, number in enumerate(numbers):
        # what happened at all is seen
        height = max(2.0, CHART_HEIGHT * number.events / most) if number.events else 0.0
        bars.append(
            Bar(
                number,
                round(place * step, 2),
                round(CHART_HEIGHT - height, 2),
                round(step * 0.8, 2),
                round(height, 2),
            )
        )
    return bars


def _hours(
    hours: Mapping[tuple[int, int], int], href: Callable[..., str]
) -> list[tuple[str, Sequence[Cell]]]:
    most = max(hours.values())
    rows: list[tuple[str, Sequence[Cell]]] = []
    for hour in range(24):
        cells = []
        for weekday, name in WEEKDAYS.items():
            events = hours.get((int(weekday), hour), 0)
            words = f"on {name}s from {hour:02}:00 to {hour:02}:59"
            number = Number(words, events, href(weekday=weekday, hour=str(hour)))
            cells.append(Cell(number, -(-events * LEVELS // most)))
        rows.append((f"{hour:02}:00", cells))
    return rows
