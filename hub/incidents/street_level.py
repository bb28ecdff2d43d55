"""Reads street-level crime files (CSV, one row an incident) as a stream: each row checked, each fault named by its line."""

from __future__ import annotations

import csv
import hashlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TextIO

from hub.core.partial_dates import EARLIEST_YEAR, earliest_day
from hub.incidents.vocabulary import IncidentKind

SYSTEM = "street_level"
COLUMNS = (
    "Crime ID",
    "Month",
    "Reported by",
    "Falls within",
    "Longitude",
    "Latitude",
    "Location",
    "LSOA code",
    "LSOA name",
    "Crime type",
    "Last outcome category",
    "Context",
)
OPTIONAL = frozenset({"Context"})
KINDS = {
    "anti-social behaviour": IncidentKind.ANTI_SOCIAL_BEHAVIOUR,
    "bicycle theft": IncidentKind.THEFT,
    "burglary": IncidentKind.BURGLARY,
    "criminal damage and arson": IncidentKind.CRIMINAL_DAMAGE,
    "drugs": IncidentKind.DRUGS,
    "other crime": IncidentKind.OTHER,
    "other theft": IncidentKind.THEFT,
    "possession of weapons": IncidentKind.WEAPONS,
    "public order": IncidentKind.PUBLIC_ORDER,
    "robbery": IncidentKind.ROBBERY,
    "shoplifting": IncidentKind.SHOP_THEFT,
    "theft from the person": IncidentKind.THEFT,
    "vehicle crime": IncidentKind.VEHICLE_CRIME,
    "violence and sexual offences": IncidentKind.VIOLENCE,
}
MAX_FIELD = 2_000
MAX_LINE = 50_000
_MONTH = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_NOWHERE = frozenset({"", "no location"})


class WrongFile(Exception):
    """The file as a whole can't be read. The text says why, for the person who gave it."""


@dataclass(frozen=True)
class BadRow:
    """A row that is refused, and why."""

    line: int
    reason: str


@dataclass(frozen=True)
class StreetRow:
    """One good row. `key` tells it apart from every other row of every such file."""

    line: int
    key: str
    month: str
    kind: IncidentKind
    crime_type: str
    reported_by: str
    falls_within: str
    location: str
    lsoa_code: str
    lsoa_name: str
    latitude: float | None
    longitude: float | None
    outcome: str
    context: str

    @property
    def has_place(self) -> bool:
        return self.location.casefold() not in _NOWHERE


def read_rows(path: Path, today: date) -> Iterator[StreetRow | BadRow]:
    """Every row, good or bad, in the file's order. Raises `WrongFile`.

    Memory does not grow with the file, but for eight bytes and a count for each different row without a Crime ID.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            yield from _rows(file, today)
    except OSError as error:
        raise WrongFile(f"The file cannot be read: {error.strerror or error}") from error


def _rows(file: TextIO, today: date) -> Iterator[StreetRow | BadRow]:
    # the limit holds for the whole process; no other reader of CSV files is in it
    csv.field_size_limit(MAX_FIELD)
    reader = csv.reader(_lines(file), strict=True)
    places = _columns(reader)
    seen: dict[int, int] = {}
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(line, _csv_reason(str(error), line, reader.line_num))
            continue
        if fields:
            yield _checked(line, fields, places, seen, today)


def _lines(file: TextIO) -> Iterator[str]:
    """Lines no longer than a row can be: a file without line ends must not fill the memory."""
    number = 0
    while line := file.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE and not line.endswith("\n"):
            raise WrongFile(
                f"Line {number} is longer than {MAX_LINE:,} characters: this is not a street-level file."
            )
        yield line


def _columns(reader: Iterator[list[str]]) -> dict[str, int]:
    """Where each column stands."""
    try:
        header = [name.strip() for name in next(reader)]
    except StopIteration:
        raise WrongFile("The file is empty.") from None
    except csv.Error as error:
        raise WrongFile(f"The first line cannot be read: {error}.") from error
    if any("\x00" in name or not name.isprintable() for name in header):
        raise WrongFile("The file is not CSV text in UTF-8: save it again as CSV (UTF-8).")
    missing = [name for name in COLUMNS if name not in header and name not in OPTIONAL]
    if missing:
        raise WrongFile(
            f"The first line must name these columns, separated by commas; missing: {', '.join(missing)}."
        )
    double = sorted({name for name in header if header.count(name) > 1 and name in COLUMNS})
    if double:
        raise WrongFile(f"The first line names a column twice: {', '.join(double)}.")
    return {name: header.index(name) for name in COLUMNS if name in header} | {"": len(header)}


def _csv_reason(error: str, first: int, last: int) -> str:
    through = f" (through line {last})" if last > first else ""
    if "field larger" in error:
        return (
            f"A field is longer than {MAX_FIELD:,} characters, or a quotation mark is never closed{through}"
        )
    if "unexpected end" in error:
        return f"A quotation mark is never closed{through}"
    return f"The quotation marks are wrong{through}"


def _checked(
    line: int, fields: list[str], places: dict[str, int], seen: dict[int, int], today: date
) -> StreetRow | BadRow:
    if len(fields) != places[""]:
        return BadRow(line, f"{len(fields)} fields instead of {places['']}")
    row = {name: fields[places[name]].strip() if name in places else "" for name in COLUMNS}
    reason = _text_fault(row) or _month_fault(row["Month"], today)
    kind = KINDS.get(row["Crime type"].casefold())
    if not reason and kind is None:
        reason = f"Unknown crime type: {row['Crime type'][:60] or 'blank'}"
    point, point_fault = _point(row["Latitude"], row["Longitude"])
    if reason or point_fault or kind is None:
        return BadRow(line, reason or point_fault)
    return StreetRow(
        line=line,
        key=_key(row, seen),
        month=row["Month"],
        kind=kind,
        crime_type=row["Crime type"],
        reported_by=row["Reported by"],
        falls_within=row["Falls within"],
        location=row["Location"],
        lsoa_code=row["LSOA code"],
        lsoa_name=row["LSOA name"],
        latitude=point[0] if point else None,
        longitude=point[1] if point else None,
        outcome=row["Last outcome category"],
        context=row["Context"],
    )


def _text_fault(row: dict[str, str]) -> str:
    for name, text in row.items():
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            return f"{name} is not UTF-8 text"
        if _CONTROL.search(text):
            return f"{name} holds a control character"
    return ""


def _month_fault(month: str, today: date) -> str:
    if not _MONTH.match(month) or int(month[:4]) < EARLIEST_YEAR:
        return f"Month must be a year and a month such as 2026-03, not: {month[:20] or 'blank'}"
    return "Month is in the future" if earliest_day(month) > today else ""


def _point(latitude: str, longitude: str) -> tuple[tuple[float, float] | None, str]:
    if not latitude and not longitude:
        return None, ""
    try:
        north, east = float(latitude), float(longitude)
    except ValueError:
        return None, "Longitude and Latitude must both be numbers, or both blank"
    if not (math.isfinite(north) and math.isfinite(east) and -90 <= north <= 90 and -180 <= east <= 180):
        return None, "Longitude and Latitude are not on the map"
    return (north, east), ""


def _key(row: dict[str, str], seen: dict[int, int]) -> str:
    """The Crime ID; without one, a hash of the row and its number among equal rows."""
    if row["Crime ID"]:
        return row["Crime ID"]
    digest = hashlib.sha256("\x1f".join(row[name] for name in COLUMNS).encode()).hexdigest()
    short = int(digest[:16], 16)
    seen[short] = seen.get(short, 0) + 1
    return f"row:{digest}:{seen[short]}"
