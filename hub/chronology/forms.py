"""What the form of an entry holds, and how it is read: every mistake is told at once, beside its field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID

from hub.access.vocabulary import Audience, Marking
from hub.chronology.vocabulary import EntryKind, EntryNature
from hub.core import clock
from hub.core.errors import Invalid
from hub.core.partial_dates import BadPartialDate, earliest_day, partial_date
from hub.core.text import MAX_TEXT, clean

# The circles that a form offers; the two that name organisations or people come with the pages that list them.
OFFERED_AUDIENCES = (Audience.SUPERVISOR_ONLY, Audience.POLICE_ONLY, Audience.VICTIM_SAFE)
_TIME = re.compile(r"^([01]?\d|2[0-3])[:.]([0-5]\d)$")


@dataclass(frozen=True)
class EntryForm:
    """A new entry. `occurred_on` is a partial date as ISO text; None means now. `occurred_time` is HH:MM."""

    text: str
    kind: EntryKind = EntryKind.PARTNER_UPDATE
    nature: EntryNature = EntryNature.FACT
    occurred_on: str | None = None
    occurred_time: str | None = None
    significant: bool = False
    marking: Marking = Marking.OFFICIAL
    audience: Audience | None = None
    audience_ids: tuple[UUID, ...] = ()
    corrects_id: UUID | None = None


def moment_of(occurred_on: str, occurred_time: str | None) -> datetime:
    """The earliest moment that the two may mean, in London."""
    hour, minute = (int(part) for part in (occurred_time or "00:00").split(":"))
    return datetime.combine(earliest_day(occurred_on), time(hour, minute), clock.LONDON)


def parse_entry(form: Mapping[str, str]) -> EntryForm:
    """Raises `Invalid` with all that is wrong."""
    errors: dict[str, str] = {}
    text = clean(form.get("text", ""))
    if not text:
        errors["text"] = "Write what happened"
    elif len(text) > MAX_TEXT:
        errors["text"] = f"This must be {MAX_TEXT:,} characters or fewer. You wrote {len(text):,}"
    kind = _code(EntryKind, form.get("kind", ""), "kind", "Choose what kind of entry it is", errors)
    nature = _code(EntryNature, form.get("nature", "fact"), "nature", "Choose fact or assessment", errors)
    given_audience = form.get("audience", "")
    audience = (
        _code(Audience, given_audience, "audience", "Choose who may see it", errors)
        if given_audience
        else None
    )
    if audience is not None and audience not in OFFERED_AUDIENCES:
        errors["audience"] = "Choose who may see it from the list"
    occurred_on, occurred_time = _when(form, errors)
    corrects = _corrected(form.get("corrects_id", ""), errors)
    marking = _marking(form.get("marking", "0"), errors)
    if errors or kind is None or nature is None:
        raise Invalid("bad_entry", errors=errors)
    return EntryForm(
        text=text,
        kind=kind,
        nature=nature,
        occurred_on=occurred_on,
        occurred_time=occurred_time,
        significant=form.get("significant") == "yes",
        marking=marking,
        audience=audience,
        corrects_id=corrects,
    )


def _code(codes: type, given: str, field: str, missing: str, errors: dict[str, str]):  # type: ignore[no-untyped-def]
    try:
        return codes(given)
    except ValueError:
        errors[field] = missing
        return None


def _marking(given: str, errors: dict[str, str]) -> Marking:
    try:
        return Marking(int(given))
    except ValueError:
        errors["marking"] = "Choose a marking"
        return Marking.OFFICIAL


def _corrected(given: str, errors: dict[str, str]) -> UUID | None:
    if not given:
        return None
    try:
        return UUID(given)
    except ValueError:
        errors["form"] = "The entry to correct is not there. Go back to the log and choose it again"
        return None


def _when(form: Mapping[str, str], errors: dict[str, str]) -> tuple[str | None, str | None]:
    try:
        on = partial_date(*(form.get(f"occurred_on-{part}", "") for part in ("day", "month", "year")))
    except BadPartialDate as wrong:
        errors["occurred_on"] = str(wrong)
        return None, None
    at = clean(form.get("occurred_time", ""))
    found = _TIME.match(at)
    if at and not found:
        errors["occurred_time"] = "The time must be like 14:30"
        return on, None
    known = f"{int(found[1]):02d}:{found[2]}" if found else None
    if known and on is not None and len(on) < len("2026-03-14"):
        errors["occurred_time"] = "A time needs its whole date"
    elif on is not None and moment_of(on, known) > clock.now():
        errors["occurred_on"] = "The date and time must not be in the future"
    return on, known
