"""The list of a case's files with their fingerprints, taken away as a table. Its event names the record and every file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Record
from hub.access.permissions import Permission
from hub.access.vocabulary import Marking
from hub.attachments.file_policy import MAX_FILES
from hub.attachments.models import Attachment
from hub.attachments.queries import FileRow, basis_of, file_rows
from hub.attachments.vocabulary import SCAN_LABELS, ScanState
from hub.audit.recording import append
from hub.core.errors import NotVisible
from hub.extensions import db
from hub.web.filters import format_datetime, format_partial_date

HEADINGS = (
    "Number", "Exhibit reference", "Name", "Kind", "Description", "Taken or made", "Where it came from",
    "Added by", "Organisation", "Added", "Size in bytes", "SHA-256", "Malware scan", "Version", "Marking",
)  # fmt: skip
# on paper, where columns are few, with the share of the width of each
PAPER_HEADINGS = (
    "No", "Exhibit", "Name and kind", "What it is and where it came from", "Taken or made", "Added",
    "Size and version", "SHA-256", "Malware scan", "Marking",
)  # fmt: skip
PAPER_WIDTHS = (2, 4, 8, 9, 5, 8, 5, 9, 6, 7)


@dataclass(frozen=True)
class EvidenceList:
    """The newest version of each file that the reader may read, the oldest first, and the case that they belong to."""

    reference: str
    marking: Marking
    files: Sequence[FileRow]


def find_newest_ids(actor: Actor, record_id: UUID) -> list[UUID]:
    """Ids of the files in the list of a record that the actor may read, in the order in which they were added."""
    wanted = sa.select(Attachment.id).where(
        Attachment.record_id == record_id, Attachment.hidden_at.is_(None), Attachment.superseded_at.is_(None)
    )
    wanted = wanted.order_by(Attachment.contributed_at, Attachment.id).limit(MAX_FILES)
    return list(db.session.scalars(wanted))


def read_files(actor: Actor, record_id: UUID, ids: Sequence[UUID]) -> list[FileRow]:
    """Files by id, in the order in which they were added, once their event is committed."""
    found = db.session.scalars(
        sa.select(Attachment)
        .where(Attachment.id.in_(ids), Attachment.record_id == record_id)
        .order_by(Attachment.contributed_at, Attachment.id)
    ).all()
    return file_rows(found)


def list_evidence(actor: Actor, record_id: UUID, *, reason: str, form: str) -> EvidenceList:
    """The list to take away, logged as evidence.exported before it is read. `NotVisible` where the case is hidden."""
    actor.check_may(Permission.FILE_DOWNLOAD)
    record = db.session.execute(
        sa.select(Record.reference, Record.marking).where(Record.id == record_id)
    ).one_or_none()
    if record is None:
        append(actor, "evidence.exported", outcome="denied", object_id=record_id)
        db.session.commit()
        raise NotVisible
    ids = find_newest_ids(actor, record_id)
    append(
        actor,
        "evidence.exported",
        object_id=record_id,
        records=[record_id],
        basis=basis_of(actor, record_id),
        counted=len(ids),
        facts={"format": form, "files": len(ids)},
        texts={"reason": reason, "files": " ".join(str(key) for key in ids)},
        key_of=record_id,
    )
    db.session.commit()
    files = read_files(actor, record_id, ids)
    marking = Marking(max([record.marking, *(one.marking for one in files)]))
    return EvidenceList(record.reference, marking, files)


def evidence_row(number: int, file: FileRow) -> Sequence[object]:
    """One line of the list."""
    return (
        number, file.exhibit, file.name, file.kind, file.description,
        format_partial_date(file.taken_on) if file.taken_on else "", file.source, file.by, file.organisation,
        format_datetime(file.at), file.size, file.sha256, SCAN_LABELS[ScanState(file.scan_state)], file.version,
        Marking(file.marking).label,
    )  # fmt: skip


def paper_row(number: int, file: FileRow) -> Sequence[object]:
    """The same line on paper."""
    return (
        number, file.exhibit, f"{file.name}\n{file.kind}", "\n".join(filter(None, (file.description, file.source))),
        format_partial_date(file.taken_on) if file.taken_on else "",
        f"{file.by}, {file.organisation}\n{format_datetime(file.at)}",
        f"{file.size:,} bytes\nversion {file.version}", file.sha256, SCAN_LABELS[ScanState(file.scan_state)],
        Marking(file.marking).label,
    )  # fmt: skip
