"""What an address of the desk asks: its filters read, in words, and the addresses that change one of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import request

from hub.audit.catalogue import EVENTS
from hub.audit.policy import CATEGORY_LABELS, OUTCOMES
from hub.core import clock
from hub.core.errors import Invalid
from hub.oversight.forms import FILTERS, HOURS, PURPOSES, WEEKDAYS, LogQuery, moment_code, parse_log_query
from hub.oversight.queries import Choices

LABELS = {
    "user": "User",
    "organisation": "Organisation of the user",
    "reference": "Reference",
    "category": "Category",
    "act": "Act",
    "outcome": "Outcome",
    "purpose": "Purpose of the work",
    "from": "From",
    "to": "To",
    "weekday": "Day of the week",
    "hour": "Hour of the day",
    "as_of": "As it stood",
}
CATEGORIES = {code.value: words for code, words in CATEGORY_LABELS.items()}
ACTS = dict(sorted(((code, kind.label) for code, kind in EVENTS.items()), key=lambda one: one[1]))
OUTCOME_WORDS = {code: words for code, (words, _) in OUTCOMES.items()}


@dataclass(frozen=True)
class Asked:
    """The filters of one address. `query` is without any where one of them can't be read: `errors` says which."""

    path: str
    given: Mapping[str, str]
    query: LogQuery
    errors: Mapping[str, str]
    # the period was not asked for: the last 31 days
    default_period: bool

    @classmethod
    def of_request(cls, path: str, *, fixed: Collection[str] = (), whole: bool = False) -> Asked:
        """`fixed` are filters that the page itself stands for; `whole` asks for all time where no period is given."""
        given = {
            name: text
            for name in FILTERS
            if name not in fixed and (text := request.args.get(name, "").strip())
        }
        errors: dict[str, str] = {}
        query = LogQuery()
        try:
            query = parse_log_query(given)
        except Invalid as invalid:
            errors = invalid.errors
        default = not whole and query.first is None
        if default:
            query = query.within_default(clock.today())
        return cls(path, given, query, errors, default)

    @property
    def values(self) -> dict[str, str]:
        """What the fields of the form hold."""
        return {name: self.given.get(name, "") for name in FILTERS}

    def href(self, *, path: str = "", **changes: str) -> str:
        """The same question with these parts changed; an empty one is left out."""
        parts = {**self.given, **changes}
        kept = {name: value for name, value in parts.items() if value}
        return f"{path or self.path}?{urlencode(kept)}" if kept else path or self.path

    def narrowed(self, **changes: str) -> str:
        """The list that a number counts: the period is said, so that it is the same tomorrow."""
        first = self.query.first
        return self.href(**{"from": first.isoformat() if first else "", **changes}) + "#events"

    def applied(self, choices: Choices) -> list[dict[str, Any]]:
        """As `components/filters.html` takes it."""
        return [
            {"label": label, "items": [{"text": text, "remove_href": self.href(**{name: ""})}]}
            for name, label, text in self.in_words(choices)
        ]

    def in_words(self, choices: Choices) -> list[tuple[str, str, str]]:
        """Name, label and words of each filter."""
        known: dict[str, Mapping[str, str]] = {
            "user": {str(key): name for key, name in choices.users},
            "organisation": {str(key): name for key, name in choices.organisations},
            "category": CATEGORIES,
            "act": ACTS,
            "outcome": OUTCOME_WORDS,
            "purpose": PURPOSES,
            "weekday": WEEKDAYS,
            "hour": HOURS,
        }
        words = {name: known.get(name, {}).get(text, text) for name, text in self.given.items()}
        if self.query.as_of is not None:
            words["as_of"] = f"{self.query.as_of.astimezone(clock.LONDON):%-d %B %Y at %H:%M:%S}"
        return [(name, LABELS[name], text) for name, text in words.items()]

    def codes(self) -> str:
        """As the event of an export holds it: ids, codes and days as they were read, never what was typed."""
        query = self.query
        parts = {
            "act": query.act,
            "as_of": moment_code(query.as_of) if query.as_of else None,
            "category": query.category,
            "from": query.first,
            "hour": query.hour,
            "organisation": query.organisation_id,
            "outcome": query.outcome,
            "purpose": query.purpose,
            "to": query.last,
            "user": query.user_id,
            "weekday": query.weekday,
        }
        return "/".join(f"{name}={value}" for name, value in parts.items() if value is not None)
