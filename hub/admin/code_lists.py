"""All code lists as administrators look them up: those that they keep, with their days, and those that are part of the hub."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.admin.fixed_lists import find_fixed_lists
from hub.core import clock
from hub.core.errors import NotVisible
from hub.lists.catalogue import EDITABLE, EditableList
from hub.lists.entries import ALWAYS, entries_of

HEADINGS = ("List", "Code", "Label", "Official code", "Valid from", "Valid to", "State")


@dataclass(frozen=True)
class Line:
    """What a code is called in a time, as a page and a table show it. `first` is None where it was always so."""

    code: str
    label: str
    official_code: str
    first: date | None
    last: date | None
    state: str
    # the label that the code ends with: from here it is changed
    is_last: bool = True


@dataclass(frozen=True)
class CodeList:
    code: str
    title: str
    about: str
    lines: tuple[Line, ...]
    editable: EditableList | None = None

    @property
    def href(self) -> str:
        return f"/admin/lists/{self.code}"

    @property
    def count(self) -> int:
        return sum(one.state == "In force" for one in self.lines)


def list_code_lists(actor: Actor) -> list[CodeList]:
    """Those that can be changed first."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    return [find_code_list(actor, code) for code in (*EDITABLE, *find_fixed_lists())]


def find_code_list(actor: Actor, code: str) -> CodeList:
    """`NotVisible` for a code that is no list."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    if code in EDITABLE:
        which = EDITABLE[code]
        return CodeList(code, which.title, which.about, tuple(_kept(actor, which)), which)
    fixed = find_fixed_lists().get(code)
    if fixed is None:
        raise NotVisible
    lines = (Line(key, label, "", None, None, "In force") for key, label in fixed.labels.items())
    return CodeList(code, fixed.title, fixed.about, tuple(lines))


def editable_of(code: str) -> EditableList:
    """`NotVisible` for a list that nobody can change here."""
    if code not in EDITABLE:
        raise NotVisible
    return EDITABLE[code]


def table_rows(lists: Iterable[CodeList]) -> Iterator[tuple[str, ...]]:
    """The lists as lines of a spreadsheet, under `HEADINGS`."""
    for one in lists:
        for line in one.lines:
            yield (
                one.title,
                line.code,
                line.label,
                line.official_code,
                line.first.isoformat() if line.first else "",
                line.last.isoformat() if line.last else "",
                line.state,
            )


def _kept(actor: Actor, which: EditableList) -> Iterator[Line]:
    day = clock.today()
    for entry in entries_of(actor, which):
        for spell in entry.spells:
            if spell.never_held:
                state = "Withdrawn"
            elif spell.holds_on(day):
                state = "In force"
            else:
                state = "Coming" if spell.first > day else "Retired"
            if state == "Retired" and not entry.ended_by(day):
                state = "Earlier label"
            yield Line(
                entry.code,
                spell.label,
                spell.official_code or "",
                None if spell.first == ALWAYS else spell.first,
                spell.last,
                state,
                spell is entry.last,
            )
