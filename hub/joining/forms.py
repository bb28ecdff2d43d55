"""The conditions of an account as they are typed: training, vetting, the last day. Blank means not known yet, or no end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from hub.accounts.models import User
from hub.accounts.naming import MAX_NAME
from hub.core.errors import Invalid
from hub.core.partial_dates import BadPartialDate, earliest_day, partial_date
from hub.core.text import clean
from hub.joining.policy import Rules, months_later
from hub.settings.vetting import Vetting

PARTS = ("day", "month", "year")
DATES = ("trained", "vetted", "ends")
FIELDS = ("vetting", *(f"{name}-{part}" for name in DATES for part in PARTS))


@dataclass(frozen=True)
class ConditionsForm:
    trained_on: date | None = None
    vetting: Vetting | None = None
    vetting_expires_on: date | None = None
    access_ends_on: date | None = None

    @property
    def facts(self) -> dict[str, str]:
        """As the log holds them: codes and days, empty where there is none."""
        days = {
            "trained_on": self.trained_on,
            "vetting_expires_on": self.vetting_expires_on,
            "access_ends_on": self.access_ends_on,
        }
        return {
            "vetting": self.vetting.value if self.vetting else "",
            **{name: day.isoformat() if day else "" for name, day in days.items()},
        }


NOTHING_KNOWN = ConditionsForm()


@dataclass(frozen=True)
class DetailsForm:
    name: str
    job_title: str
    conditions: ConditionsForm


def stored(user: User) -> ConditionsForm:
    return ConditionsForm(
        user.trained_on,
        Vetting(user.vetting) if user.vetting else None,
        user.vetting_expires_on,
        user.access_ends_on,
    )


def values_of(user: User) -> dict[str, str]:
    """What the fields hold before anybody has typed."""
    had = stored(user)
    values = {"name": user.name, "job_title": user.job_title, "vetting": had.vetting or ""}
    for name, day in zip(DATES, (had.trained_on, had.vetting_expires_on, had.access_ends_on), strict=True):
        for part in PARTS:
            values[f"{name}-{part}"] = str(getattr(day, part)) if day else ""
    return values


def read_conditions(
    given: Mapping[str, str],
    errors: dict[str, str],
    *,
    today: date,
    rules: Rules,
    had: ConditionsForm = NOTHING_KNOWN,
) -> ConditionsForm:
    """What is wrong goes into `errors`. What stood before and is left as it was is not asked about again."""
    trained = _day(given, "trained", errors)
    if trained and trained != had.trained_on:
        if trained > today:
            errors["trained"] = "The date of the training must be today or in the past"
        elif months_later(trained, rules.training_months) < today:
            errors["trained"] = f"The training must have been within the last {rules.training_months} months"
    vetting, expires = _vetting(given, errors, today, had)
    ends = _day(given, "ends", errors)
    if ends and ends != had.access_ends_on and ends <= today:
        errors["ends"] = "The last day with access must be in the future"
    return ConditionsForm(trained, vetting, expires, ends)


def _vetting(
    given: Mapping[str, str], errors: dict[str, str], today: date, had: ConditionsForm
) -> tuple[Vetting | None, date | None]:
    expires, code = _day(given, "vetted", errors), given.get("vetting", "")
    if code and code not in set(Vetting):
        errors["vetting"] = "Choose a vetting level from the list"
        return None, expires
    vetting = Vetting(code) if code else None
    if "vetted" in errors:
        return vetting, expires
    if vetting is None and expires:
        errors["vetting"] = "Choose the level of the vetting"
    elif vetting is Vetting.NONE and expires:
        errors["vetted"] = "Leave the date empty for somebody who is not vetted"
    elif vetting not in (None, Vetting.NONE) and expires is None:
        errors["vetted"] = "Enter the last day of the vetting"
    elif expires and expires < today and (vetting, expires) != (had.vetting, had.vetting_expires_on):
        errors["vetted"] = "The last day of the vetting must be today or later"
    return vetting, expires


def parse_details(given: Mapping[str, str], user: User, *, today: date, rules: Rules) -> DetailsForm:
    """Raises `Invalid` with every field that is wrong."""
    errors: dict[str, str] = {}
    name, job = clean(given.get("name", "")), clean(given.get("job_title", ""))
    for field, value, words in (("name", name, "the person's name"), ("job_title", job, "the person's job")):
        if not value:
            errors[field] = f"Enter {words}"
        elif len(value) > MAX_NAME or "\n" in value:
            errors[field] = f"Enter {words} in {MAX_NAME} characters or fewer, on one line"
    conditions = read_conditions(given, errors, today=today, rules=rules, had=stored(user))
    if errors:
        raise Invalid("bad_details", errors=errors)
    return DetailsForm(name, job, conditions)


def parse_last_day(given: Mapping[str, str], *, today: date) -> date:
    """The new last day of an account that is opened again; today is enough."""
    errors: dict[str, str] = {}
    day = _day(given, "ends", errors)
    if day is None and not errors:
        errors["ends"] = "Enter the new last day with access"
    elif day is not None and day < today:
        errors["ends"] = "The last day with access must be today or later"
    if errors or day is None:
        raise Invalid("bad_last_day", errors=errors)
    return day


def _day(given: Mapping[str, str], name: str, errors: dict[str, str]) -> date | None:
    try:
        text = partial_date(*(given.get(f"{name}-{part}", "") for part in PARTS))
        if text is None:
            return None
        if len(text) != len("2026-11-21"):
            raise BadPartialDate("The date must include a day, a month and a year")
        return earliest_day(text)
    except BadPartialDate as bad:
        errors[name] = str(bad)
    return None
