"""What our organisation put on records of others: entries and files, readable to it whatever becomes of the share or the lead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Grant, Record
from hub.access.permissions import Permission
from hub.accounts.queries import organisation_names, user_names
from hub.attachments.models import Attachment
from hub.attachments.queries import FileRow, find_files, open_attachment
from hub.attachments.ranges import WHOLE, Asked
from hub.attachments.releasing import OpenedAttachment
from hub.attachments.vocabulary import DOCUMENT_KIND_LABELS, DocumentKind
from hub.audit.reading import Shown, listed, opened
from hub.chronology.models import Entry
from hub.chronology.vocabulary import ENTRY_KIND_LABELS, EntryKind
from hub.core.errors import NotVisible
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.extensions import db
from hub.handovers.models import HandOver

Kind = type[Entry] | type[Attachment]
NO_REFERENCE = "A record"


@dataclass(frozen=True)
class Contribution:
    """An entry or a file that our organisation put on another's record, of which only the reference is told."""

    id: UUID
    reference: str
    owner: str
    kind: str
    occurred_on: str | datetime
    added_at: datetime
    author: str
    marking: int
    text: str = ""
    file: FileRow | None = None


def list_contributions(actor: Actor, owner_id: UUID | None, after: Cursor | None) -> Page[Contribution]:
    """A page of what is on records that are not open to the actor now, the latest first; logged as share.listed."""
    actor.check_may(Permission.SHARE_READ)
    found = sorted(
        [*_page_of(actor, Entry, owner_id, after), *_page_of(actor, Attachment, owner_id, after)],
        key=lambda row: (row.contributed_at, row.id),
        reverse=True,
    )
    page = found[:PAGE_SIZE]
    listed(actor, "share.listed", Shown(records=list(dict.fromkeys(row.record_id for row in page))))
    rows = _contributions(actor, [row.id for row in page])
    last = page[-1] if len(found) > PAGE_SIZE else None
    return Page(rows, str(Cursor(last.contributed_at, last.id)) if last else None)


def find_contribution_owners(actor: Actor) -> dict[UUID, str]:
    """The organisations that lead what holds our contributions and is not open to the actor now."""
    ids: set[UUID] = set()
    for kind in (Entry, Attachment):
        found = sa.select(kind.owner_organisation_id).where(*_own_elsewhere(actor, kind), _not_open(kind))
        ids |= set(db.session.scalars(found.distinct()))
    return organisation_names(ids)


def open_contribution(actor: Actor, item_id: UUID) -> Contribution:
    """One of them, whether or not its record is still shared with us. `NotVisible` for any other."""
    kind, record_id = _find(actor, item_id)
    act = "contribution.file_opened" if kind is Attachment else "contribution.opened"
    opened(actor, act, item_id, Shown(records=[record_id]) if record_id is not None else None)
    rows = _contributions(actor, [item_id])
    if not rows:
        raise NotVisible
    # a file's name is sealed under the key of its record: a list of many would open as many keys
    return replace(rows[0], file=find_files(actor, [item_id]).get(item_id))


def open_contributed_file(actor: Actor, item_id: UUID, asked: Asked = WHOLE) -> OpenedAttachment:
    """The file itself, or a part of it; raises as `open_attachment` does."""
    kind, record_id = _find(actor, item_id)
    if kind is not Attachment or record_id is None:
        opened(actor, "attachment.downloaded", item_id, None)
        raise NotVisible
    return open_attachment(actor, record_id, item_id, asked)


def _find(actor: Actor, item_id: UUID) -> tuple[Kind, UUID | None]:
    for kind in (Entry, Attachment):
        own = sa.select(kind.record_id).where(*_own_elsewhere(actor, kind), kind.id == item_id)
        record_id = db.session.scalar(own)
        if record_id is not None:
            return kind, record_id
    return Entry, None


def _own_elsewhere(actor: Actor, kind: Kind) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        kind.contributor_organisation_id == actor.organisation_id,
        kind.owner_organisation_id != actor.organisation_id,
    )


def _not_open(kind: Kind) -> sa.ColumnElement[bool]:
    """Items of records that are not open to the actor now."""
    return kind.record_id.not_in(sa.select(Record.id))


def _page_of(actor: Actor, kind: Kind, owner_id: UUID | None, after: Cursor | None) -> list[Any]:
    """The ids of at most one page and one more, by time: of two such lists the first page is among them."""
    wanted = sa.select(kind.id, kind.record_id, kind.contributed_at)
    wanted = wanted.where(*_own_elsewhere(actor, kind), _not_open(kind))
    if owner_id is not None:
        wanted = wanted.where(kind.owner_organisation_id == owner_id)
    if after is not None:
        wanted = wanted.where(sa.tuple_(kind.contributed_at, kind.id) < (after.at, after.id))
    wanted = wanted.order_by(kind.contributed_at.desc(), kind.id.desc()).limit(PAGE_SIZE + 1)
    return list(db.session.execute(wanted).all())


def _contributions(actor: Actor, ids: Iterable[UUID]) -> list[Contribution]:
    """Rows by ids, the latest first."""
    wanted = set(ids)
    entries = db.session.scalars(sa.select(Entry).where(Entry.id.in_(wanted))).all()
    files = db.session.scalars(sa.select(Attachment).where(Attachment.id.in_(wanted))).all()
    items: list[Entry | Attachment] = [*entries, *files]
    references = _references({one.record_id for one in items})
    owners = organisation_names(one.owner_organisation_id for one in items)
    authors = user_names(one.contributed_by for one in items)
    made = [_contribution(one, references, owners, authors) for one in items]
    return sorted(made, key=lambda one: (one.added_at, one.id), reverse=True)


def _contribution(
    one: Entry | Attachment,
    references: Mapping[UUID, str],
    owners: Mapping[UUID, str],
    authors: Mapping[UUID, str],
) -> Contribution:
    entry = isinstance(one, Entry)
    words = ENTRY_KIND_LABELS[EntryKind(one.kind)] if entry else DOCUMENT_KIND_LABELS[DocumentKind(one.kind)]
    return Contribution(
        id=one.id,
        reference=references.get(one.record_id, NO_REFERENCE),
        owner=owners.get(one.owner_organisation_id, ""),
        kind=words if entry else f"File: {words}",
        occurred_on=one.occurred_on if isinstance(one, Entry) else one.contributed_at,
        added_at=one.contributed_at,
        author=authors.get(one.contributed_by, ""),
        marking=one.item_marking,
        text=one.text if isinstance(one, Entry) else one.description,
    )


def _references(record_ids: set[UUID]) -> dict[UUID, str]:
    """As a share or a hand-over with us tells them: of the record itself nothing may be readable any more."""
    found: dict[UUID, str] = {}
    for told in (HandOver, Grant):
        rows = db.session.execute(
            sa.select(told.record_id, told.record_reference).where(told.record_id.in_(record_ids))
        )
        found.update({row.record_id: row.record_reference for row in rows})
    return found
