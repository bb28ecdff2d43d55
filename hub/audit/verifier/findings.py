"""What a check of the log found: each problem with a stable code for machines and plain words for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MAX_KEPT = 1_000


@dataclass(frozen=True)
class Problem:
    """One thing that is not as it was written. `code` is for machines, `words` for people; ids only."""

    code: str
    words: str
    event_id: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "words": self.words, "event": self.event_id}


@dataclass
class Findings:
    """At most `MAX_KEPT` problems are kept; `found` counts all. `notes` are no problems, but a reader must know them."""

    found: int = 0
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.found == 0

    def add(self, code: str, words: str, event_id: str | None = None) -> None:
        self.found += 1
        if len(self.problems) < MAX_KEPT:
            self.problems.append(Problem(code, words, event_id))

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "problems_found": self.found,
            "problems": [one.as_json() for one in self.problems],
            "notes": self.notes,
        }
