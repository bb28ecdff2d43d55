"""The forms by which an administrator adds an entry to a list, calls it something else from a day, or retires it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from hub.core.coming_days import parse_coming_day
from hub.core.errors import Invalid
from hub.core.text import clean, folded

MAX_LABEL = 100
MAX_CODE = 60
_OFFICIAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./-]{0,19}")


@dataclass(frozen=True)
class EntryForm:
    """`code` is made from the label where none was typed."""

    code: str
    label: str
    official_code: str | None
    day: date


@dataclass(frozen=True)
class LabelForm:
    label: str
    official_code: str | None
    day: date


def parse_entry(given: Mapping[str, Any]) -> EntryForm:
    """Raises `Invalid` with every field that is wrong."""
    errors: dict[str, str] = {}
    label = _label(given, errors)
    typed = clean(str(given.get("code", "")))
    code = typed or folded(label).replace(" ", "_")[:MAX_CODE]
    if not re.fullmatch(rf"[a-z0-9_]{{1,{MAX_CODE}}}", code) and "label" not in errors:
        errors["code"] = f"Enter a code of small letters, numbers and _, with {MAX_CODE} characters or fewer"
    official, day = _official(given, errors), parse_coming_day(given, "day", errors)
    if errors or day is None:
        raise Invalid("bad_entry", errors=errors)
    return EntryForm(code, label, official, day)


def parse_label(given: Mapping[str, Any]) -> LabelForm:
    """Raises `Invalid` with every field that is wrong."""
    errors: dict[str, str] = {}
    label, official, day = (
        _label(given, errors),
        _official(given, errors),
        parse_coming_day(given, "day", errors),
    )
    if errors or day is None:
        raise Invalid("bad_label", errors=errors)
    return LabelForm(label, official, day)


def parse_end(given: Mapping[str, Any]) -> date:
    """The first day on which an entry holds no more. Raises `Invalid`."""
    errors: dict[str, str] = {}
    day = parse_coming_day(given, "end", errors)
    if errors or day is None:
        raise Invalid("bad_end", errors=errors)
    return day


def _label(given: Mapping[str, Any], errors: dict[str, str]) -> str:
    label = clean(str(given.get("label", "")))
    if not label:
        errors["label"] = "Enter what it is called"
    elif len(label) > MAX_LABEL or "\n" in label:
        errors["label"] = f"Enter what it is called in {MAX_LABEL} characters or fewer, on one line"
    return label


def _official(given: Mapping[str, Any], errors: dict[str, str]) -> str | None:
    text = clean(str(given.get("official_code", "")))
    if text and not _OFFICIAL.fullmatch(text):
        errors["official_code"] = "Enter an official code of letters and numbers, with 20 characters or fewer"
    return text or None
