"""Reads of the log: one page of entries with who wrote them, for pages that were opened and logged already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.vocabulary import AUDIENCE_LABELS, Audience, Marking
from hub.accounts.models import Organisation
from hub.accounts.queries import team_names, user_names
from hub.chronology.models import Entry
from hub.chronology.vocabulary import ENTRY_KIND_LABELS, EntryKind
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.extensions import db

WHOLE_DATE = len("2026-03-14")


@dataclass(frozen=True)
class EntryFilter:
    """What the log is narrowed to; empty means all."""

    kinds: tuple[str, ...] = ()
    natures: tuple[str, ...] = ()
    organisations: tuple[UUID, ...] = ()
    significant: bool = False


@dataclass(frozen=True)
class EntryRow:
    """One entry as the timeline shows it."""

    id: UUID
    kind: str
    type: str
    nature: str
    occurred_at: datetime | str
    # on a known day, at a time that nobody wrote down
    day_only: bool
    recorded_at: datetime
    author: str
    role: str
    organisation: str
    organisation_code: str
    own: bool
    text: str
    significant: bool
    item_marking: int
    marking: str
    audience: str
    corrects: dict[str, str] | None
    corrected_by: dict[str, str] | None
    is_new: bool
    actions: tuple[dict[str, str], ...] = ()
    source: str = ""


def find_entries(
    actor: Actor,
    record_id: UUID,
    wanted: EntryFilter | None = None,
    *,
    cursor: Cursor | None = None,
    since: datetime | None = None,
    ended_at: datetime | None = None,
    correct_href: str | None = None,
    limit: int = PAGE_SIZE,
) -> Page[EntryRow]:
    """One page of a record's log, latest first. `since` marks what is new; `ended_at` what was added after the end."""
    statement = sa.select(Entry).where(Entry.record_id == record_id, *_narrowed(wanted or EntryFilter()))
    if cursor is not None:
        statement = statement.where(sa.tuple_(Entry.occurred_at, Entry.id) < (cursor.at, cursor.id))
    statement = statement.order_by(Entry.occurred_at.desc(), Entry.id.desc()).limit(limit + 1)
    found = list(db.session.scalars(statement.options(sa.orm.defer(Entry.words, raiseload=True))))
    entries = found[:limit]
    names = _Names(actor, entries, since, ended_at, correct_href)
    after = str(Cursor(entries[-1].occurred_at, entries[-1].id)) if len(found) > limit else None
    return Page([names.row(entry) for entry in entries], after)


def _narrowed(wanted: EntryFilter) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.kinds:
        conditions.append(Entry.kind.in_(wanted.kinds))
    if wanted.natures:
        conditions.append(Entry.nature.in_(wanted.natures))
    if wanted.organisations:
        conditions.append(Entry.contributor_organisation_id.in_(wanted.organisations))
    if wanted.significant:
        conditions.append(Entry.significant.is_(True))
    return conditions


class _Names:
    """What a page of entries needs besides the entries: four queries, however many there are."""

    def __init__(
        self,
        actor: Actor,
        entries: Sequence[Entry],
        since: datetime | None,
        ended_at: datetime | None,
        correct_href: str | None,
    ) -> None:
        self.actor, self.since, self.ended_at, self.correct_href = actor, since, ended_at, correct_href
        self.users = user_names(entry.contributed_by for entry in entries)
        self.teams = team_names(entry.contributor_team_id for entry in entries)
        self.organisations = _organisations(entry.contributor_organisation_id for entry in entries)
        self.corrections = self._corrections(entries)

    @staticmethod
    def _corrections(entries: Sequence[Entry]) -> dict[UUID, Any]:
        """Entries that correct one of these, or are corrected by one of these: id → what a pointer says."""
        ids = [entry.id for entry in entries]
        old = [entry.corrects_id for entry in entries if entry.corrects_id]
        found = db.session.execute(
            sa.select(Entry.id, Entry.corrects_id, Entry.occurred_on, Entry.kind).where(
                sa.or_(Entry.corrects_id.in_(ids), Entry.id.in_(old))
            )
        )
        return {row.id: row for row in found}

    def row(self, entry: Entry) -> EntryRow:
        name, code = self.organisations.get(entry.contributor_organisation_id, ("", ""))
        own = entry.contributor_organisation_id == self.actor.organisation_id
        newer = [one for one in self.corrections.values() if one.corrects_id == entry.id]
        corrected_by = _pointer(newer[-1]) if newer else None
        whole = len(entry.occurred_on) == WHOLE_DATE
        after_end = self.ended_at is not None and entry.contributed_at > self.ended_at
        return EntryRow(
            id=entry.id,
            kind=entry.kind,
            type=ENTRY_KIND_LABELS[EntryKind(entry.kind)],
            nature=entry.nature,
            occurred_at=entry.occurred_at if whole else entry.occurred_on,
            day_only=whole and entry.occurred_time is None,
            recorded_at=entry.contributed_at,
            author=self.users.get(entry.contributed_by, ""),
            role=self.teams.get(entry.contributor_team_id, ""),
            organisation=name,
            organisation_code=code,
            own=own,
            text=entry.text,
            significant=entry.significant,
            item_marking=entry.item_marking,
            marking=Marking(entry.item_marking).label,
            audience=AUDIENCE_LABELS[Audience(entry.audience)] if entry.audience else "",
            corrects=_pointer(self.corrections.get(entry.corrects_id)) if entry.corrects_id else None,
            corrected_by=corrected_by,
            is_new=self.since is not None and entry.contributed_at > self.since and not self._mine(entry),
            actions=self._offered(entry, own and corrected_by is None),
            source="Added after the case had ended" if after_end else "",
        )

    def _mine(self, entry: Entry) -> bool:
        return entry.contributed_by == self.actor.user_id

    def _offered(self, entry: Entry, correctable: bool) -> tuple[dict[str, str], ...]:
        if self.correct_href is None or not correctable:
            return ()
        return ({"label": "Correct", "href": f"{self.correct_href}?corrects={entry.id}#new-entry"},)


def _pointer(row: Any) -> dict[str, str] | None:
    if row is None:
        return None
    return {
        "href": f"#entry-{row.id}",
        "label": f"{ENTRY_KIND_LABELS[EntryKind(row.kind)]}, {row.occurred_on}",
    }


def _organisations(ids: Iterable[UUID]) -> dict[UUID, tuple[str, str]]:
    rows = db.session.execute(
        sa.select(Organisation.id, Organisation.name, Organisation.code).where(Organisation.id.in_(set(ids)))
    )
    return {row.id: (row.name, row.code) for row in rows}


def find_contributors(actor: Actor, record_id: UUID) -> dict[UUID, str]:
    """The organisations that have written in a record's log, as far as the actor may read it: for the filter."""
    ids = db.session.scalars(
        sa.select(Entry.contributor_organisation_id).where(Entry.record_id == record_id).distinct()
    )
    named = _organisations(ids)
    return {key: name for key, (name, _) in sorted(named.items(), key=lambda pair: pair[1])}


def find_entry_to_correct(actor: Actor, record_id: UUID, entry_id: UUID) -> Entry | None:
    """An entry of one's own organisation in this log; its text is what a correction begins with."""
    return db.session.scalar(
        sa.select(Entry).where(
            Entry.id == entry_id,
            Entry.record_id == record_id,
            Entry.contributor_organisation_id == actor.organisation_id,
        )
    )
