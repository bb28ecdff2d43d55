"""How a list is narrowed by its address: what is chosen, what is in force, and the addresses of its pages.

The whole state is in the address, so that a list can be kept, reloaded and turned without a session.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import request

from hub.core.text import clean

MAX_WORDS = 100


@dataclass(frozen=True)
class Filter:
    """One way to narrow a list."""

    title: str
    # value in the address → its words; None where words are typed
    options: Mapping[Any, str] | None = None

    def value_of(self, given: str) -> str:
        """The value as far as it is one; an unknown one narrows nothing."""
        if self.options is None:
            return clean(given)[:MAX_WORDS].strip()
        return given if given in self.options else ""

    def words_of(self, value: str) -> str:
        return self.options[value] if self.options is not None else value


class Narrowed:
    """What this request asks of a list: one value for each filter, and the page after which row."""

    def __init__(
        self, address: str, filters: Mapping[str, Filter], *, carried: Mapping[str, str] | None = None
    ) -> None:
        """`carried` are other parts of the address that every link of the list keeps."""
        self.address = address
        self.filters = filters
        self.carried = dict(carried or {})
        given = {name: one.value_of(request.args.get(name, "")) for name, one in filters.items()}
        self.chosen = {name: value for name, value in given.items() if value}
        self.after = request.args.get("after", "")

    def __getitem__(self, name: str) -> str:
        return self.chosen.get(name, "")

    def href(self, *, without: str = "", after: str | None = None) -> str:
        parts = {**self.carried, **{name: one for name, one in self.chosen.items() if name != without}}
        if after:
            parts["after"] = after
        return f"{self.address}?{urlencode(parts)}" if parts else self.address

    def next_href(self, cursor: str | None) -> str | None:
        return self.href(after=cursor) if cursor else None

    @property
    def first_href(self) -> str | None:
        """The way back to the first page, on every other."""
        return self.href() if self.after else None

    @property
    def clear_href(self) -> str:
        return f"{self.address}?{urlencode(self.carried)}" if self.carried else self.address

    @property
    def applied(self) -> list[dict[str, Any]]:
        """As `components/filters.html` takes it."""
        return [
            {
                "label": self.filters[name].title,
                "items": [
                    {"text": self.filters[name].words_of(value), "remove_href": self.href(without=name)}
                ],
            }
            for name, value in self.chosen.items()
        ]
