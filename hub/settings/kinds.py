"""What a setting may be: a whole number within bounds, yes or no, one of a few. Each reads what was typed or stored, and says it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
# no number of policy has more; what is longer is not even looked at
_MOST_DIGITS = 6


class Kind(ABC, Generic[T]):
    """How the values of a setting are written, read and said."""

    @abstractmethod
    def read(self, text: str) -> T | None:
        """The value that a text stands for; None where it is none of this kind."""

    @abstractmethod
    def write(self, value: T) -> str:
        """The text under which a value is stored: a code, never more."""

    @abstractmethod
    def words(self, value: T) -> str:
        """A value as people read it."""

    @abstractmethod
    def wanted(self) -> str:
        """What to enter, said beside the field when something else was."""


@dataclass(frozen=True)
class Number(Kind[int]):
    """A whole number within its bounds, of a unit in the plural (days)."""

    least: int
    most: int
    unit: str

    def read(self, text: str) -> int | None:
        text = text.strip()
        if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
            return None
        return int(text) if self.least <= int(text) <= self.most else None

    def write(self, value: int) -> str:
        return str(value)

    def words(self, value: int) -> str:
        return f"{value} {self.unit.removesuffix('s') if value == 1 else self.unit}"

    def wanted(self) -> str:
        return f"Enter a whole number of {self.unit} from {self.least} to {self.most}"


@dataclass(frozen=True)
class OneOf(Kind[str]):
    """One of a few codes, each with its words."""

    options: Mapping[str, str]

    def read(self, text: str) -> str | None:
        return text if text in self.options else None

    def write(self, value: str) -> str:
        return value

    def words(self, value: str) -> str:
        return self.options[value]

    def wanted(self) -> str:
        return "Choose one from the list"


@dataclass(frozen=True)
class YesNo(Kind[bool]):
    options = {"yes": "Yes", "no": "No"}

    def read(self, text: str) -> bool | None:
        return {"yes": True, "no": False}.get(text)

    def write(self, value: bool) -> str:
        return "yes" if value else "no"

    def words(self, value: bool) -> str:
        return self.options[self.write(value)]

    def wanted(self) -> str:
        return "Choose yes or no"
