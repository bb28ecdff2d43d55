"""Removes objects that nobody owns: uploads that never became an attachment, and what no row of the ledger names.

An object's removal is written down, in the ledger and in the log, before the store is asked to remove it: an upload
still under way then fails, and what a crash leaves in the store is found again by `sweep_unknown`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice
from threading import Event
from uuid import UUID

import sqlalchemy as sa
import structlog

from hub.accounts import service
from hub.accounts.models import Organisation
from hub.attachments.models import StoredObject
from hub.audit.recording import append
from hub.core import clock
from hub.extensions import db
from hub.storage.s3 import KEY_PREFIX
from hub.web.store import object_store

# longer than any upload takes
LEFT_ALONE = timedelta(days=1)
BATCH = 200

log = structlog.get_logger("hub.sweep")


def sweep_loose(stop: Event, *, older_than: timedelta = LEFT_ALONE) -> int:
    """Removes the objects of uploads that were begun long ago and never kept; how many."""
    before = clock.now() - older_than
    swept = 0
    while not stop.is_set():
        found = db.session.execute(
            sa.select(StoredObject.object_key, StoredObject.organisation_id)
            .where(
                StoredObject.kept_at.is_(None),
                StoredObject.removed_at.is_(None),
                StoredObject.begun_at < before,
            )
            .order_by(StoredObject.begun_at)
            .limit(BATCH)
        ).all()
        db.session.commit()
        if not found:
            break
        for organisation_id in dict.fromkeys(row.organisation_id for row in found):
            swept += _sweep(
                organisation_id, [row.object_key for row in found if row.organisation_id == organisation_id]
            )
    object_store().abort_unfinished(before)
    return swept


def sweep_unknown(stop: Event, *, older_than: timedelta = LEFT_ALONE) -> int:
    """Removes objects in the bucket that the ledger does not name, or names as removed; how many.

    Does nothing where the ledger is empty: then it is the wrong bucket or the wrong database, not a bucket of orphans.
    """
    keys = object_store().list_keys(KEY_PREFIX, clock.now() - older_than)
    swept = 0
    for batch in _batches(keys):
        if stop.is_set():
            break
        owned = db.session.scalars(
            sa.select(StoredObject.object_key).where(
                StoredObject.object_key.in_(batch), StoredObject.removed_at.is_(None)
            )
        ).all()
        db.session.commit()
        unknown = [key for key in batch if key not in set(owned)]
        if not unknown:
            continue
        if not _ledger_in_use():
            log.error("bucket_not_ours", objects=len(unknown))
            break
        swept += _sweep(_first_organisation(), unknown)
    return swept


def _sweep(organisation_id: UUID, keys: list[str]) -> int:
    """Claims and removes; `sweep_unknown` comes back for what the store did not remove."""
    with service.acting_for(organisation_id) as actor:
        claimed = sa.update(StoredObject).where(
            StoredObject.object_key.in_(keys),
            StoredObject.kept_at.is_(None),
            StoredObject.removed_at.is_(None),
        )
        db.session.execute(
            claimed.values(removed_at=clock.now()).execution_options(synchronize_session=False)
        )
        kept = db.session.scalars(
            sa.select(StoredObject.object_key).where(
                StoredObject.object_key.in_(keys), StoredObject.removed_at.is_(None)
            )
        ).all()
        doomed = [key for key in keys if key not in set(kept)]
        if doomed:
            append(actor, "object.swept", counted=len(doomed), facts={"objects": len(doomed)})
        db.session.commit()
        for key in doomed:
            object_store().delete(key, None)
    return len(doomed)


def _ledger_in_use() -> bool:
    used = db.session.scalar(
        sa.select(StoredObject.object_key).where(StoredObject.kept_at.is_not(None)).limit(1)
    )
    db.session.commit()
    return used is not None


def _first_organisation() -> UUID:
    """An object without a row belongs to nobody: the organisation that set the hub up answers for its removal."""
    oldest = sa.select(Organisation.id).order_by(Organisation.created_at, Organisation.id).limit(1)
    found: UUID = db.session.scalars(oldest).one()
    db.session.commit()
    return found


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    source = iter(keys)
    while batch := list(islice(source, BATCH)):
        yield batch
