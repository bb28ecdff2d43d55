"""The form by which an administrator sets a value from a day on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from hub.core.coming_days import parse_coming_day
from hub.core.errors import Invalid
from hub.settings.catalogue import Setting

T = TypeVar("T")


@dataclass(frozen=True)
class SettingForm(Generic[T]):
    value: T
    effective_from: date


def parse_setting(given: Mapping[str, Any], setting: Setting[T]) -> SettingForm[T]:
    """Raises `Invalid` with every field that is wrong."""
    errors: dict[str, str] = {}
    value = setting.kind.read(str(given.get("chosen", "")))
    if value is None:
        errors["chosen"] = setting.kind.wanted()
    day = parse_coming_day(given, "effective_from", errors)
    if errors or value is None or day is None:
        raise Invalid("bad_setting", errors=errors)
    return SettingForm(value, day)
