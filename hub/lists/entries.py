"""What a list says: the hub's own entries where nobody has changed them, the keeper's own rows where somebody has.

The first change of one of the hub's entries copies it, so that what it was called before stays told by a row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import attrgetter
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.core import clock
from hub.extensions import db
from hub.lists.catalogue import EditableList, Keeper
from hub.lists.models import CodeListEntry

# from when the hub's own entries hold: before anything that it keeps
ALWAYS = date(1900, 1, 1)


@dataclass(frozen=True)
class Spell:
    """What a code is called in a time; `last` is None where no end is set."""

    label: str
    official_code: str | None
    first: date
    last: date | None
    # None for the hub's own
    row_id: UUID | None = None
    created_by: UUID | None = None

    def holds_on(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)

    @property
    def never_held(self) -> bool:
        return self.last is not None and self.last < self.first


@dataclass(frozen=True)
class Entry:
    """A code of a list and what it was, is and will be called, in that order."""

    code: str
    spells: tuple[Spell, ...]

    def on(self, day: date) -> Spell | None:
        return next((one for one in self.spells if one.holds_on(day)), None)

    @property
    def last(self) -> Spell:
        return self.spells[-1]

    def ended_by(self, day: date) -> bool:
        """It holds neither on the day nor later."""
        return self.last.last is not None and self.last.last < day

    def label_at(self, day: date) -> str:
        """What it was called on the day; where it was not in force then, what it was called last before, or first after."""
        real = [one for one in self.spells if not one.never_held] or list(self.spells)
        begun = [one for one in real if one.first <= day]
        return (begun or real[:1])[-1].label


def kept_by(actor: Actor, which: EditableList) -> sa.ColumnElement[bool]:
    """The rows of a list that the actor's organisation or partnership keeps."""
    mine = (
        CodeListEntry.organisation_id == actor.organisation_id
        if which.keeper is Keeper.ORGANISATION
        else CodeListEntry.partnership_id == actor.partnership_id
    )
    return sa.and_(CodeListEntry.list_code == which.code, mine)


def entries_of(actor: Actor, which: EditableList) -> list[Entry]:
    """All entries, retired ones too: the hub's own in its order, then others by the day on which they were added."""
    rows = db.session.scalars(
        sa.select(CodeListEntry)
        .where(kept_by(actor, which))
        .order_by(CodeListEntry.code, CodeListEntry.valid_from, CodeListEntry.id)
        .execution_options(populate_existing=True)
    ).all()
    own = {code: _entry(code, found) for code, found in groupby(rows, attrgetter("code"))}
    hubs = [own[code] if code in own else _hubs(code, label) for code, label in which.entries]
    known = {one.code for one in hubs}
    others = [one for code, one in own.items() if code not in known]
    return hubs + sorted(others, key=lambda one: (one.spells[0].first, one.code))


def labels_of(actor: Actor, which: EditableList, day: date | None = None) -> list[str]:
    """The labels in force on a day (today), as a form offers them."""
    held = (one.on(day or clock.today()) for one in entries_of(actor, which))
    return sorted((one.label for one in held if one is not None), key=str.casefold)


def label_of(actor: Actor, which: EditableList, code: str, day: date | None = None) -> str:
    """What a code was called on a day, also where it was retired since; the code itself where it never was an entry."""
    found = next((one for one in entries_of(actor, which) if one.code == code), None)
    return found.label_at(day or clock.today()) if found else code


def _hubs(code: str, label: str) -> Entry:
    return Entry(code, (Spell(label, None, ALWAYS, None),))


def _entry(code: str, rows: Iterable[CodeListEntry]) -> Entry:
    return Entry(
        code,
        tuple(
            Spell(one.label, one.official_code, one.valid_from, one.valid_to, one.id, one.created_by)
            for one in rows
        ),
    )
