"""Changes what is said of a file, by its controller alone and while the case is open. Flush, never commit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Record
from hub.access.permissions import Permission
from hub.access.queries import check_may_add
from hub.access.vocabulary import Audience, RecordKind
from hub.attachments.forms import FileForm
from hub.attachments.models import Attachment
from hub.audit.changing import take_up
from hub.audit.recording import append
from hub.cases.models import Case
from hub.cases.vocabulary import ENDED, CaseStatus
from hub.core.errors import Conflict, Denied, Invalid, NotVisible
from hub.extensions import db


def load_own_for_change(
    actor: Actor, record_id: UUID, attachment_id: UUID, *, revision: int | None = None
) -> Attachment:
    """The file, locked. `NotVisible` where hidden, `Denied` where another organisation added it, `Conflict` where it has
    changed since `revision` was read."""
    found = db.session.execute(
        sa.select(Attachment.contributor_organisation_id).where(
            Attachment.id == attachment_id, Attachment.record_id == record_id
        )
    ).one_or_none()
    if found is None:
        raise NotVisible
    if found.contributor_organisation_id != actor.organisation_id:
        raise Denied(
            "not_controller",
            "Another organisation added this file, so only it can change, replace or hide it.",
        )
    take_up(actor, [record_id])
    row = db.session.scalar(
        sa.select(Attachment)
        .where(Attachment.id == attachment_id, Attachment.record_id == record_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotVisible
    if revision is not None and row.revision != revision:
        raise Conflict("changed_meanwhile")
    return row


def change_details(
    actor: Actor, record_id: UUID, attachment_id: UUID, form: FileForm, *, revision: int
) -> Attachment:
    """Changes description, kind, date, source, exhibit reference, marking, section and audience; nothing of the content."""
    actor.check_may(Permission.FILE_CHANGE)
    row = load_own_for_change(actor, record_id, attachment_id, revision=revision)
    record = db.session.scalar(sa.select(Record).where(Record.id == record_id))
    if record is None:
        raise NotVisible
    check_case_live(record, "so its files are not changed")
    if form.marking is not None and form.marking > actor.clearance:
        raise Invalid("marked_above", errors={"marking": "You are not cleared for this marking"})
    check_audience(actor, form.details.audience)
    if form.details.section.value != row.section:
        check_may_add(actor, record_id, form.details.section, session=db.session())
    changes = _apply(row, _wanted(row, form))
    if not changes:
        return row
    db.session.flush()
    append(
        actor,
        "attachment.changed",
        object_id=row.id,
        version=row.version,
        records=[record_id],
        changes=changes,
        key_of=record_id,
    )
    return row


def _wanted(row: Attachment, form: FileForm) -> dict[str, Any]:
    details = form.details
    return {
        "kind": form.kind.value,
        "description": form.description,
        "taken_on": details.taken_on,
        "source": details.source,
        "exhibit": details.exhibit,
        "item_marking": row.item_marking if form.marking is None else int(form.marking),
        "section": details.section.value,
        "audience": details.audience.value if details.audience else None,
    }


def _apply(row: Attachment, wanted: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Sets what is other than it was; field → before, after."""
    changes = {}
    for name, value in wanted.items():
        before = getattr(row, name)
        if before != value:
            changes[name] = (before, value)
            setattr(row, name, value)
    return changes


def check_audience(actor: Actor, audience: Audience | None) -> None:
    """Nobody puts a file where they would not see it themselves."""
    if audience is not None and audience.value not in actor.audiences:
        raise Invalid(
            "not_of_circle",
            errors={"audience": "You would not see it yourself. Select a circle you belong to"},
        )


def check_case_live(record: Record, so: str) -> None:
    """Raises `Conflict` for a case that has ended."""
    if record.kind != RecordKind.CASE:
        return
    status = db.session.scalar(sa.select(Case.status).where(Case.id == record.id))
    if status is None or CaseStatus(status) in ENDED:
        raise Conflict("case_ended", f"This case is closed, {so}. Reopen it first.")
