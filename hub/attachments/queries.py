"""Reads of attachments: the files of a record, and one file as a stream of verified plaintext."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.access.queries import right_to
from hub.accounts.queries import organisation_names, user_names
from hub.attachments.hiding import HIDDEN, sees_hidden
from hub.attachments.models import Attachment
from hub.attachments.previewing import MAX_SHOWN, is_picture, previewable
from hub.attachments.ranges import WHOLE, Asked
from hub.attachments.releasing import OpenedAttachment, name_of, releasable, release
from hub.attachments.scan_words import ScanWords, scan_words, withheld_by_scan
from hub.attachments.vocabulary import DOCUMENT_KIND_LABELS, DocumentKind, ScanState
from hub.audit.continuing import goes_on
from hub.audit.reading import Shown, opened
from hub.audit.recording import Basis, append
from hub.core.errors import Conflict, NotVisible
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.extensions import db


@dataclass(frozen=True)
class FileRow:
    """One file as a list shows it."""

    id: UUID
    record_id: UUID
    name: str
    kind: str
    description: str
    taken_on: str | None
    source: str
    exhibit: str
    section: str
    audience: str | None
    media_type: str
    size: int
    sha256: str
    marking: int
    scan_state: ScanState
    scan_finding: str | None
    version: int
    at: datetime
    by: str
    organisation: str
    contributor_organisation_id: UUID
    hidden: bool
    releasable: bool

    @property
    def href(self) -> str:
        return f"/cases/{self.record_id}/files/{self.id}"

    @property
    def scan(self) -> ScanWords:
        return scan_words(self.scan_state, self.scan_finding)

    @property
    def previewable(self) -> bool:
        """Is there a page that shows it, for who may see it?"""
        return self.releasable and previewable(self.media_type) and self.size <= MAX_SHOWN

    @property
    def thumbnail_href(self) -> str | None:
        """Where its small picture is; None for what is no picture."""
        return f"{self.href}/preview/thumb" if self.previewable and is_picture(self.media_type) else None

    @property
    def about_href(self) -> str:
        return f"{self.href}/about"


def find_attachments(
    actor: Actor,
    record_id: UUID,
    *,
    kind: DocumentKind | None = None,
    hidden: bool = False,
    cursor: Cursor | None = None,
) -> Page[FileRow]:
    """The newest versions of a record's files that the actor may read, the latest first; or those that are hidden.

    The page that shows them logs the reading.
    """
    wanted = sa.select(Attachment).where(Attachment.record_id == record_id)
    if hidden:
        wanted = wanted.where(Attachment.hidden_at.is_not(None), sees_hidden(actor, record_id))
    else:
        wanted = wanted.where(Attachment.hidden_at.is_(None), Attachment.superseded_at.is_(None))
    if kind is not None:
        wanted = wanted.where(Attachment.kind == kind.value)
    if cursor is not None:
        last = sa.tuple_(sa.literal(cursor.at), sa.literal(cursor.id))
        wanted = wanted.where(sa.tuple_(Attachment.contributed_at, Attachment.id) < last)
    wanted = wanted.order_by(Attachment.contributed_at.desc(), Attachment.id.desc()).limit(PAGE_SIZE + 1)
    found = db.session.scalars(wanted).all()
    rows = file_rows(found[:PAGE_SIZE])
    following = str(Cursor(rows[-1].at, rows[-1].id)) if len(found) > PAGE_SIZE else None
    return Page(rows, following)


def find_original(actor: Actor, record_id: UUID, attachment_id: UUID) -> str | None:
    """The SHA-256 of a file as it was attached; None where the actor may not read it."""
    return db.session.scalar(
        sa.select(Attachment.sha256).where(Attachment.id == attachment_id, Attachment.record_id == record_id)
    )


def find_files(actor: Actor, ids: Iterable[UUID]) -> dict[UUID, FileRow]:
    """Files by id, as far as the actor may read them. The page that shows them logs the reading."""
    found = db.session.scalars(sa.select(Attachment).where(Attachment.id.in_(set(ids)))).all()
    return {row.id: row for row in file_rows(found)}


def file_rows(found: Sequence[Attachment]) -> list[FileRow]:
    """Files with their own names and those of who added them."""
    people = user_names(one.contributed_by for one in found)
    organisations = organisation_names(one.contributor_organisation_id for one in found)
    return [
        FileRow(
            id=one.id,
            record_id=one.record_id,
            name=name_of(one, one.record_id),
            kind=DOCUMENT_KIND_LABELS[DocumentKind(one.kind)],
            description=one.description,
            taken_on=one.taken_on,
            source=one.source,
            exhibit=one.exhibit,
            section=one.section,
            audience=one.audience,
            media_type=one.media_type,
            size=one.size,
            sha256=one.sha256,
            marking=one.item_marking,
            scan_state=ScanState(one.scan_state),
            scan_finding=one.scan_finding,
            version=one.version,
            at=one.contributed_at,
            by=people.get(one.contributed_by, ""),
            organisation=organisations.get(one.contributor_organisation_id, ""),
            contributor_organisation_id=one.contributor_organisation_id,
            hidden=one.hidden_at is not None,
            releasable=one.hidden_at is None and releasable(one.scan_state),
        )
        for one in found
    ]


def open_attachment(
    actor: Actor, record_id: UUID, attachment_id: UUID, asked: Asked = WHOLE
) -> OpenedAttachment:
    """Opens one file of one record, or goes on with one that is open: its event is committed before a byte is fetched.

    `NotVisible` where it is hidden or belongs to another record, `Conflict` where the scan does not allow it or it is
    hidden from the list, and `Unavailable` where the store does not answer or what it holds is not what was stored.
    """
    actor.check_may(Permission.FILE_DOWNLOAD)
    row = open_row(actor, record_id, attachment_id, "attachment.downloaded", again=asked.goes_on)
    return release(actor, row, row.record_id, asked)


def open_row(
    actor: Actor, record_id: UUID, attachment_id: UUID, act: str, *, again: bool = False
) -> Attachment:
    """The row of one file, under the event of this act. With `again`, one of the last minutes serves as well.

    Whoever calls this has asked for the permission. Raises as `open_attachment`.
    """
    found = db.session.execute(
        sa.select(
            Attachment.version,
            Attachment.scan_state,
            Attachment.scan_finding,
            Attachment.hidden_at.is_not(None).label("hidden"),
        ).where(
            Attachment.id == attachment_id,
            Attachment.record_id == record_id,
            sa.or_(Attachment.hidden_at.is_(None), sees_hidden(actor, record_id)),
        )
    ).one_or_none()
    if found is None:
        opened(actor, act, attachment_id, None)
        raise NotVisible
    if found.hidden or not releasable(found.scan_state):
        append(actor, act, outcome="denied", object_id=attachment_id, records=[record_id])
        db.session.commit()
        if found.hidden:
            raise Conflict("hidden", HIDDEN)
        raise withheld_by_scan(found.scan_state, found.scan_finding)
    shown = Shown(records=[record_id], basis=basis_of(actor, record_id), version=found.version)
    if not (again and goes_on(actor, act, attachment_id, shown)):
        opened(actor, act, attachment_id, shown)
    row = db.session.scalar(
        sa.select(Attachment).where(
            Attachment.id == attachment_id, Attachment.record_id == record_id, Attachment.hidden_at.is_(None)
        )
    )
    if row is None:  # taken away between the two steps
        append(actor, act, outcome="withheld", object_id=attachment_id, records=[record_id])
        db.session.commit()
        raise NotVisible
    return row


def basis_of(actor: Actor, record_id: UUID) -> Basis:
    """By which right the actor sees the record's files now."""
    right = right_to(actor, record_id, session=db.session())
    if right is None:  # the share has ended, and one's own contribution stays readable
        return Basis("contribution")
    grant = right.grant
    return Basis(right.via, grant.agreement_id, grant.id) if grant else Basis(right.via)
