"""One file's own page: all that is known of it, its versions, what holds it, and who has had to do with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Record
from hub.access.permissions import Permission
from hub.access.queries import right_to
from hub.accounts.queries import organisation_names, user_names
from hub.attachments.hiding import sees_hidden
from hub.attachments.holding import Hold, find_holds, holds_on
from hub.attachments.models import Attachment
from hub.attachments.queries import FileRow, basis_of, file_rows
from hub.audit.queries import Looks, find_looks
from hub.audit.reading import Shown, opened
from hub.cases.models import Case
from hub.cases.vocabulary import ENDED, CaseStatus
from hub.core.errors import NotVisible
from hub.extensions import db


@dataclass(frozen=True)
class Version:
    """One of a file's versions: the row, and why it replaced the one before."""

    file: FileRow
    reason: str


@dataclass(frozen=True)
class OpenedFile:
    """What the page of one file shows. `looks` are counted for those who lead the record alone."""

    file: FileRow
    revision: int
    kind: str
    partnership_id: UUID
    reference: str
    record_marking: int
    hidden_by: str
    hidden_reason: str
    versions: Sequence[Version]
    holds: Sequence[Hold]
    looks: Sequence[Looks]
    organisations: dict[UUID, str]
    leads: bool
    own: bool
    ended: bool

    @property
    def newest(self) -> Version:
        return self.versions[0]

    @property
    def is_newest(self) -> bool:
        return self.newest.file.id == self.file.id


def open_file(actor: Actor, record_id: UUID, attachment_id: UUID) -> OpenedFile:
    """One file of a case with all that belongs to it, logged as attachment.opened. `NotVisible` where hidden or absent."""
    actor.check_may(Permission.CASE_READ)
    found = db.session.execute(
        sa.select(Attachment.id, Attachment.version).where(
            Attachment.id == attachment_id,
            Attachment.record_id == record_id,
            sa.or_(Attachment.hidden_at.is_(None), sees_hidden(actor, record_id)),
        )
    ).one_or_none()
    case = db.session.execute(
        sa.select(Case.status, Record.reference, Record.marking)
        .join(Record, Record.id == Case.id)
        .where(Case.id == record_id)
    ).one_or_none()
    shown = None
    if found is not None and case is not None:
        shown = Shown(records=[record_id], basis=basis_of(actor, record_id), version=found.version)
    opened(actor, "attachment.opened", attachment_id, shown)
    row = db.session.scalar(
        sa.select(Attachment).where(Attachment.id == attachment_id, Attachment.record_id == record_id)
    )
    right = right_to(actor, record_id, session=db.session())
    if row is None or case is None or right is None:
        raise NotVisible
    looks = find_looks(actor, record_id, object_id=attachment_id) if right.leads else []
    return OpenedFile(
        file=file_rows([row])[0],
        revision=row.revision,
        kind=row.kind,
        partnership_id=row.partnership_id,
        reference=case.reference,
        record_marking=case.marking,
        hidden_by=user_names([row.hidden_by]).get(row.hidden_by, "") if row.hidden_by else "",
        hidden_reason=row.hidden_reason,
        versions=_versions(actor, row),
        holds=holds_on(find_holds(actor, record_id), attachment_id),
        looks=looks,
        organisations=organisation_names(one.organisation_id for one in looks),
        leads=right.leads,
        own=row.contributor_organisation_id == actor.organisation_id,
        ended=CaseStatus(case.status) in ENDED,
    )


def _versions(actor: Actor, row: Attachment) -> list[Version]:
    """The whole series to which the file belongs, as far as the reader sees it, the newest first."""
    links = db.session.execute(
        sa.select(Attachment.id, Attachment.replaces_id).where(
            Attachment.record_id == row.record_id, Attachment.replaces_id.is_not(None)
        )
    ).all()
    before = {one.id: one.replaces_id for one in links}
    after = {old: new for new, old in before.items()}
    ids = [row.id]
    for way in (before, after):
        key = way.get(row.id)
        while key is not None:
            ids.append(key)
            key = way.get(key)
    series = db.session.scalars(
        sa.select(Attachment)
        .where(
            Attachment.id.in_(ids),
            sa.or_(Attachment.hidden_at.is_(None), sees_hidden(actor, row.record_id)),
        )
        .order_by(Attachment.version.desc())
    ).all()
    reasons = {one.id: one.replaced_reason for one in series}
    return [Version(one, reasons[one.id]) for one in file_rows(series)]
