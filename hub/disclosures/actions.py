"""Writes of disclosure: what is thought of each file, a bundle asked for, agreed to, and given out. Flush, never commit."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.facts import facts_of
from hub.accounts.queries import organisation_names
from hub.attachments.listing import find_newest_ids
from hub.attachments.models import Attachment
from hub.attachments.releasing import releasable
from hub.audit.changing import take_up
from hub.audit.recording import Recipient, StoredFile, append
from hub.core import clock
from hub.core.errors import Conflict, Denied, Invalid, NotVisible
from hub.core.ids import new_id
from hub.disclosures.forms import BundleForm, LineForm
from hub.disclosures.models import Disclosure, DisclosureLine
from hub.disclosures.policy import check_may_disclose, needs_another
from hub.disclosures.sealing import reason_of, sealed
from hub.disclosures.vocabulary import Relevance, Sensitivity
from hub.extensions import db

CHANNEL = "bundle"


def assess_files(actor: Actor, record_id: UUID, forms: Sequence[LineForm]) -> int:
    """Saves what is thought of each file; how many lines have changed. `NotVisible` for a file of elsewhere."""
    record = check_may_disclose(actor, record_id)
    take_up(actor, [record_id])
    if {form.attachment_id for form in forms} - set(find_newest_ids(actor, record_id)):
        raise NotVisible
    known = {
        line.attachment_id: line
        for line in db.session.scalars(
            sa.select(DisclosureLine).where(DisclosureLine.record_id == record_id).with_for_update()
        )
    }
    changed = 0
    for form in forms:
        line = known.get(form.attachment_id)
        wanted = (form.relevance.value, form.sensitivity.value, form.note)
        before = (line.relevance, line.sensitivity, line.note) if line else (*_UNTHOUGHT, "")
        if wanted == before:
            continue
        if line is None:
            line = DisclosureLine(**facts_of(record), record_id=record_id, attachment_id=form.attachment_id)
            db.session.add(line)
        line.relevance, line.sensitivity, line.note = wanted
        line.assessed_at, line.assessed_by = clock.now(), actor.user_id
        changed += 1
    db.session.flush()
    if changed:
        append(
            actor, "disclosure.assessed", object_id=record_id, records=[record_id], facts={"files": changed}
        )
    return changed


_UNTHOUGHT = (Relevance.NOT_ASSESSED.value, Sensitivity.NOT_ASSESSED.value)


def ask_for_bundle(actor: Actor, record_id: UUID, form: BundleForm) -> Disclosure:
    """Settles what goes to whom. Nothing has left yet; above so many files somebody else must agree first."""
    record = check_may_disclose(actor, record_id)
    take_up(actor, [record_id])
    if form.to_organisation_id == actor.organisation_id or not organisation_names([form.to_organisation_id]):
        raise Invalid("bad_recipient", errors={"to_organisation_id": "Select who receives it from the list"})
    ids = find_newest_ids(actor, record_id)
    if not ids:
        raise Conflict("no_files", "This case has no files that you may disclose.")
    disclosure_id = new_id()
    disclosure = Disclosure(
        id=disclosure_id,
        **facts_of(record),
        **sealed(record.partnership_id, record_id, disclosure_id, form.reason),
        record_id=record_id,
        to_organisation_id=form.to_organisation_id,
        file_ids=ids,
        original_ids=find_originals(actor, record_id, ids) if form.originals else [],
        asked_at=clock.now(),
        asked_by=actor.user_id,
    )
    db.session.add(disclosure)
    db.session.flush()
    append(
        actor,
        "disclosure.asked",
        object_id=disclosure.id,
        version=disclosure.revision,
        records=[record_id],
        facts=_facts(disclosure),
        texts={"reason": form.reason},
        key_of=record_id,
    )
    return disclosure


def find_originals(actor: Actor, record_id: UUID, ids: Sequence[UUID]) -> list[UUID]:
    """Of these files those that are relevant, not sensitive, and may leave the hub."""
    rows = db.session.execute(
        sa.select(Attachment.id, Attachment.scan_state)
        .join(DisclosureLine, DisclosureLine.attachment_id == Attachment.id)
        .where(
            Attachment.id.in_(ids),
            Attachment.record_id == record_id,
            Attachment.hidden_at.is_(None),
            DisclosureLine.relevance == Relevance.RELEVANT.value,
            DisclosureLine.sensitivity == Sensitivity.NOT_SENSITIVE.value,
        )
        .order_by(Attachment.contributed_at, Attachment.id)
    )
    return [row.id for row in rows if releasable(row.scan_state)]


def approve_bundle(actor: Actor, record_id: UUID, disclosure_id: UUID) -> Disclosure:
    """A second supervisor agrees. `Denied` for whoever asked for it."""
    disclosure = _load(actor, record_id, disclosure_id)
    if disclosure.approved_at is not None:
        raise Conflict("approved_already", "Somebody has agreed to this already.")
    if disclosure.asked_by == actor.user_id:
        raise Denied("own_bundle", "You asked for this yourself, so somebody else must agree.")
    disclosure.approved_at, disclosure.approved_by = clock.now(), actor.user_id
    db.session.flush()
    append(
        actor,
        "disclosure.approved",
        object_id=disclosure.id,
        version=disclosure.revision,
        records=[record_id],
        facts=_facts(disclosure),
    )
    return disclosure


def release_bundle(actor: Actor, record_id: UUID, disclosure_id: UUID) -> tuple[Disclosure, list[Attachment]]:
    """Writes down that the bundle leaves, for the schedule and for each file in it; what may go along is asked anew.

    `Conflict` where somebody else must agree first. The caller commits before the first byte is sent.
    """
    disclosure = _load(actor, record_id, disclosure_id)
    if needs_another(len(disclosure.file_ids)) and disclosure.approved_at is None:
        raise Conflict("not_approved", "Another supervisor must agree before this bundle is made.")
    disclosure.released_at = clock.now()
    db.session.flush()
    keys = find_originals(actor, record_id, disclosure.original_ids)
    originals = list(
        db.session.scalars(
            sa.select(Attachment)
            .where(Attachment.id.in_(keys))
            .order_by(Attachment.contributed_at, Attachment.id)
        )
    )
    recipients = [Recipient(disclosure.to_organisation_id, CHANNEL)]
    append(
        actor,
        "disclosure.released",
        object_id=disclosure.id,
        version=disclosure.revision,
        records=[record_id],
        counted=len(disclosure.file_ids),
        recipients=recipients,
        facts={"files": len(disclosure.file_ids), "originals": len(originals)},
        texts={"reason": reason_of(disclosure), "files": " ".join(str(key) for key in disclosure.file_ids)},
        key_of=record_id,
    )
    for row in originals:
        append(
            actor,
            "attachment.disclosed",
            object_id=row.id,
            version=row.version,
            records=[record_id],
            recipients=recipients,
            file=StoredFile(row.id, row.stored_size, row.stored_sha256),
            facts={"original": row.sha256},
        )
    return disclosure, originals


def _facts(disclosure: Disclosure) -> dict[str, str | int | bool | UUID]:
    return {
        "files": len(disclosure.file_ids),
        "originals": len(disclosure.original_ids),
        "organisation": disclosure.to_organisation_id,
    }


def _load(actor: Actor, record_id: UUID, disclosure_id: UUID) -> Disclosure:
    check_may_disclose(actor, record_id)
    take_up(actor, [record_id])
    found = db.session.scalar(
        sa.select(Disclosure)
        .where(Disclosure.id == disclosure_id, Disclosure.record_id == record_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotVisible
    return found
