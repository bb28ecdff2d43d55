"""What is compared: for each guarded class the oracle's word on reading, changing and adding, and the tally of it all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hub.access.models import Grant, Involvement, Record
from hub.access.policy import GUARDED, Rule, know_record
from hub.chronology.models import Entry
from hub.handovers.models import HandOver
from hub.people.models import Person, PersonName
from hub.sharing.models import SharedFact
from tests.access.oracle import Oracle, Row
from tests.access.worlds import NearMiss

Verdict = Callable[[Oracle, Row], bool]
Oracles = dict[int, Oracle]
READS: dict[type[Any], Verdict] = {
    Record: Oracle.reads_record,
    Entry: Oracle.reads_item,
    Involvement: Oracle.reads_person_item,
    PersonName: Oracle.reads_person_item,
    Person: Oracle.reads_person,
    Grant: Oracle.reads_grant,
    SharedFact: Oracle.reads_fact,
    HandOver: Oracle.reads_hand_over,
}
CHANGES: dict[type[Any], Verdict] = {Record: Oracle.changes_record, Involvement: Oracle.changes_person_item}
ADDS: dict[type[Any], Verdict] = {
    Record: Oracle.opens_record,
    Entry: Oracle.adds_entry,
    Involvement: Oracle.adds_item,
}


def rules() -> Iterator[tuple[type[Any], str, Rule, Verdict]]:
    """Every rule by itself, with the oracle's method that says the same."""
    for model, verdict in READS.items():
        yield model, "read", GUARDED[model].read, verdict
    yield Record, "know", lambda row, terms: know_record(row, row.id, terms), Oracle.knows_record
    for act, table in (("change", CHANGES), ("add", ADDS)):
        for model, verdict in table.items():
            rule = getattr(GUARDED[model], act)
            yield model, act, rule, verdict


@dataclass
class Result:
    """`allowed` counts the comparisons in which somebody was to be let in: nobody ever let in would prove nothing."""

    worlds: int = 0
    comparisons: int = 0
    allowed: int = 0
    differences: list[str] = field(default_factory=list)
    mutants: dict[str, str | None] = field(default_factory=dict)

    def add(self, other: Result) -> None:
        self.worlds += other.worlds
        self.comparisons += other.comparisons
        self.allowed += other.allowed
        self.differences += other.differences
        self.mutants |= other.mutants

    def count(self, surface: str, world: NearMiss, model: type[Any], seen: Any, wanted: Any) -> None:
        """One comparison: what a surface gave, and what the oracle says that it should."""
        self.comparisons += 1
        self.allowed += bool(wanted)
        if seen != wanted:
            self.differences.append(
                f"{surface} {model.__tablename__}: {world.path}, {world.flip}: {seen} where the oracle says {wanted}"
            )

    @property
    def survivors(self) -> list[str]:
        return sorted(name for name, killer in self.mutants.items() if killer is None)

    def __str__(self) -> str:
        killed = len(self.mutants) - len(self.survivors)
        return (
            f"matrix: {self.worlds} worlds, {self.comparisons} comparisons, {len(self.differences)} differences,"
            f" {killed} of {len(self.mutants)} mutants killed"
        )
