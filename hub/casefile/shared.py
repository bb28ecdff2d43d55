"""What *Shared with us* shows: what partners share under the purpose in hand, what waits, what we added elsewhere."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Grant, Record
from hub.access.permissions import Permission
from hub.access.vocabulary import PURPOSE_LABELS, SECTION_LABELS, Purpose
from hub.accounts.queries import organisation_names, user_names
from hub.audit.looking import last_looks
from hub.audit.reading import Shown, listed, opened
from hub.cases.models import Case
from hub.chronology.models import Entry
from hub.chronology.vocabulary import ENTRY_KIND_LABELS, EntryKind
from hub.core.errors import NotVisible
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.extensions import db
from hub.incidents.models import Incident
from hub.sharing.queries import (
    GrantRow,
    SharedView,
    find_owners,
    find_waiting,
    list_shared,
    waiting_count,
    waiting_under_other_purposes,
)

# of what waits for an answer, before the list of what is shared now
FIRST_WAITING = 5


@dataclass(frozen=True)
class SharedRow:
    """A live share with what it opens."""

    share: GrantRow
    title: str
    href: str
    sections: Sequence[str]
    marking: int
    is_new: bool

    @property
    def reference(self) -> str:
        return self.share.grant.record_reference


@dataclass(frozen=True)
class Contribution:
    """An entry that our organisation put on another's record, of which only the reference is told."""

    id: UUID
    reference: str
    owner: str
    kind: str
    occurred_on: str
    added_at: datetime
    author: str
    text: str


class SharedPart(enum.StrEnum):
    """The parts of the page, each with pages of its own."""

    LIVE = "live"
    WAITING = "waiting"
    ENDED = "ended"
    CONTRIBUTED = "contributed"


@dataclass(frozen=True)
class SharedPage:
    """One part of *Shared with us*; of what waits for an answer the first lines stand before the live ones too."""

    part: SharedPart
    waiting_number: int
    live: Sequence[SharedRow] = ()
    waiting: Sequence[GrantRow] = ()
    more_waiting: bool = False
    ended: Sequence[GrantRow] = ()
    contributions: Sequence[Contribution] = ()
    next_cursor: str | None = None

    @property
    def marking(self) -> int:
        return max((row.marking for row in self.live), default=0)

    @property
    def shown(self) -> int:
        """How many rows the part's own list has."""
        lists = {
            SharedPart.LIVE: self.live,
            SharedPart.WAITING: self.waiting,
            SharedPart.ENDED: self.ended,
            SharedPart.CONTRIBUTED: self.contributions,
        }
        return len(lists[self.part])


def open_shared(
    actor: Actor,
    part: SharedPart = SharedPart.LIVE,
    *,
    owner_id: UUID | None = None,
    after: Cursor | None = None,
) -> SharedPage:
    """One look, logged once (share.listed) with the records that the page shows anything of."""
    number = waiting_count(actor)
    if part is SharedPart.CONTRIBUTED:
        found = _list_contributions(actor, owner_id, after)
        return SharedPage(part, number, contributions=found.rows, next_cursor=found.next_cursor)
    page = list_shared(actor, SharedView(part.value), owner_id=owner_id, after=after)
    if part is SharedPart.WAITING:
        return SharedPage(part, number, waiting=page.rows, next_cursor=page.next_cursor)
    if part is SharedPart.ENDED:
        return SharedPage(part, number, ended=page.rows, next_cursor=page.next_cursor)
    first = find_waiting(actor, at_most=FIRST_WAITING + 1)
    return SharedPage(
        part,
        number,
        live=_live_rows(actor, page.rows),
        waiting=first[:FIRST_WAITING],
        more_waiting=len(first) > FIRST_WAITING,
        next_cursor=page.next_cursor,
    )


def find_part_owners(actor: Actor, part: SharedPart, asked: UUID | None) -> dict[str, str]:
    """The lead organisations of all that a part holds, by name, and the one asked for though it may hold nothing of it."""
    if part is SharedPart.CONTRIBUTED:
        found = sa.select(Entry.owner_organisation_id).where(*_own_elsewhere(actor), _not_open())
        names = organisation_names(db.session.scalars(found.distinct()).all())
    else:
        names = find_owners(actor, SharedView(part.value))
    if asked is not None:
        names = {**organisation_names([asked]), **names}
    return {str(key): name for key, name in sorted(names.items(), key=lambda one: (one[1], one[0]))}


def find_elsewhere(actor: Actor) -> list[tuple[str, str, int]]:
    """Hat, purpose and how many shares are to be seen under it and not under the purpose in hand."""
    return [
        (f"{actor.team_id}:{purpose}", PURPOSE_LABELS[Purpose(purpose)], number)
        for purpose, number in waiting_under_other_purposes(actor).items()
    ]


def open_contribution(actor: Actor, entry_id: UUID) -> Contribution:
    """An entry of one's own organisation on another's record, whether or not that is still shared. `NotVisible` else."""
    own = sa.select(Entry.id, Entry.record_id).where(*_own_elsewhere(actor), Entry.id == entry_id)
    found = db.session.execute(own).first()
    shown = Shown(records=[found.record_id]) if found is not None else None
    opened(actor, "contribution.opened", entry_id, shown)
    rows = _contributions(actor, {entry_id: found.record_id}) if found is not None else []
    if not rows:
        raise NotVisible
    return rows[0]


def _own_elsewhere(actor: Actor) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        Entry.contributor_organisation_id == actor.organisation_id,
        Entry.owner_organisation_id != actor.organisation_id,
    )


def _not_open() -> sa.ColumnElement[bool]:
    """Entries on records that are not open to the actor now."""
    return Entry.record_id.not_in(sa.select(Record.id))


def _list_contributions(actor: Actor, owner_id: UUID | None, after: Cursor | None) -> Page[Contribution]:
    actor.check_may(Permission.SHARE_READ)
    statement = sa.select(Entry.id, Entry.record_id, Entry.contributed_at).where(
        *_own_elsewhere(actor), _not_open()
    )
    if owner_id is not None:
        statement = statement.where(Entry.owner_organisation_id == owner_id)
    if after is not None:
        statement = statement.where(sa.tuple_(Entry.contributed_at, Entry.id) < (after.at, after.id))
    statement = statement.order_by(Entry.contributed_at.desc(), Entry.id.desc()).limit(PAGE_SIZE + 1)
    found = db.session.execute(statement).all()
    page = found[:PAGE_SIZE]
    listed(actor, "share.listed", Shown(records=list(dict.fromkeys(row.record_id for row in page))))
    rows = _contributions(actor, {row.id: row.record_id for row in page})
    last = page[-1] if len(found) > PAGE_SIZE else None
    return Page(rows, str(Cursor(last.contributed_at, last.id)) if last else None)


def _contributions(actor: Actor, entries: dict[UUID, UUID]) -> list[Contribution]:
    rows = db.session.scalars(
        sa.select(Entry).where(Entry.id.in_(entries)).order_by(Entry.contributed_at.desc(), Entry.id.desc())
    ).all()
    told = db.session.execute(
        sa.select(Grant.record_id, Grant.record_reference).where(Grant.record_id.in_(set(entries.values())))
    )
    references = {row.record_id: row.record_reference for row in told}
    owners = organisation_names(row.owner_organisation_id for row in rows)
    authors = user_names(row.contributed_by for row in rows)
    return [
        Contribution(
            id=row.id,
            reference=references.get(row.record_id, "A record"),
            owner=owners.get(row.owner_organisation_id, ""),
            kind=ENTRY_KIND_LABELS[EntryKind(row.kind)],
            occurred_on=row.occurred_on,
            added_at=row.contributed_at,
            author=authors.get(row.contributed_by, ""),
            text=row.text,
        )
        for row in rows
    ]


def _live_rows(actor: Actor, shares: Sequence[GrantRow]) -> list[SharedRow]:
    ids = {row.grant.record_id for row in shares}
    titles = _titles(ids)
    looks = last_looks(actor, ids, acts=("case.opened", "incident.opened"))
    rows = []
    for share in shares:
        key = share.grant.record_id
        if key not in titles:
            continue
        title, href, changed_at, marking = titles[key]
        seen = looks.get(key)
        rows.append(
            SharedRow(
                share=share,
                title=title,
                href=href,
                sections=[SECTION_LABELS[one] for one in SECTION_LABELS if one.value in share.grant.sections],
                marking=marking,
                is_new=seen is None or seen < changed_at,
            )
        )
    return rows


def _titles(ids: Iterable[UUID]) -> dict[UUID, tuple[str, str, datetime, int]]:
    """Title, address, last change and marking by id."""
    wanted = list(ids)
    cases = db.session.execute(
        sa.select(Case.id, Case.title, Case.changed_at, Case.marking).where(Case.id.in_(wanted))
    )
    found = {key: (title, f"/cases/{key}", changed, marking) for key, title, changed, marking in cases}
    incidents = db.session.execute(
        sa.select(Incident.id, Incident.title, Incident.reported_at, Incident.marking).where(
            Incident.id.in_(wanted)
        )
    )
    found.update({key: (title, f"/incidents/{key}", at, marking) for key, title, at, marking in incidents})
    return found
