"""Has every file that waits scanned for malware, and writes down what was found. Only a clean file is ever given out.

A file is decrypted, verified chunk by chunk, straight into the scanner: no plaintext on a disk of ours, no transaction held
over the stream. Sound and video that are more than it takes at once go in pieces that overlap. Until a verdict is committed the file waits, so a worker that is killed leaves nothing but that. A scanner or
store that does not answer leaves it waiting too, for ever if need be; the health page tells how many wait. What may be the
file's own doing (no answer in time, an answer that is none) is tried three times and then said of the file.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event
from uuid import UUID

import sqlalchemy as sa
import structlog
from flask import current_app
from sqlalchemy.dialects.postgresql import insert

from hub.access.actor import Actor
from hub.access.vocabulary import RecordKind
from hub.accounts import service
from hub.agreements.notices import find_administrators
from hub.attachments.models import ScanTry
from hub.attachments.types import is_recording
from hub.audit.recording import StoredFile, append
from hub.core import clock
from hub.core.errors import Unavailable
from hub.crypto import keyring, wrapping
from hub.crypto.errors import Unsealable
from hub.crypto.stream import attachment_context, decrypt_chunks
from hub.extensions import db
from hub.notifications.actions import notify
from hub.notifications.vocabulary import NotificationKind
from hub.scanner.clamd import NoVerdict, Outcome, Scanner, Verdict
from hub.scanner.pieces import in_pieces
from hub.scanner.probing import check_setup
from hub.storage.errors import ObjectChanged, ObjectMissing, StoreUnavailable
from hub.web.store import object_store

BATCH = 50
TRIES = 3
FIRST_WAIT = timedelta(seconds=20)
LONGEST_WAIT = timedelta(hours=1)
# said of the file after so many tries
ITS_OWN_DOING = frozenset({"timeout", "broken_answer", "scanner_error"})
# the others may fare better meanwhile; for any other reason they would fare alike
OF_THIS_FILE = ITS_OWN_DOING | {"broken_off"}
CHECK_EVERY_SECONDS = 600.0
TOO_LARGE = Verdict(Outcome.UNSCANNABLE, "too_large")
UNSOUND = Verdict(Outcome.UNSCANNABLE, "unsound")
ERASED = Verdict(Outcome.UNSCANNABLE, "erased")
_CHECKED = "hub_scanner_checked"
_PAGES = {
    "case": "/cases/{}/files",
    "incident": "/incidents/{}",
    "agreement": "/agreements/{}/papers",
    "assurance": "/assurance/{}/papers",
}
_WAITING = (
    sa.column("id", sa.Uuid),
    sa.column("about", sa.Text),
    sa.column("about_id", sa.Uuid),
    sa.column("reference", sa.Text),
    sa.column("partnership_id", sa.Uuid),
    sa.column("organisation_id", sa.Uuid),
    sa.column("owner_organisation_id", sa.Uuid),
    sa.column("added_by", sa.Uuid),
    sa.column("version", sa.Integer),
    sa.column("media_type", sa.Text),
    sa.column("size", sa.BigInteger),
    sa.column("stored_size", sa.BigInteger),
    sa.column("stored_sha256", sa.Text),
    sa.column("object_key", sa.Text),
    sa.column("object_version", sa.Text),
    sa.column("data_key_id", sa.Uuid),
    sa.column("wrapped_key", sa.LargeBinary),
    sa.column("tries", sa.Integer),
)

log = structlog.get_logger("hub.scan")


@dataclass(frozen=True)
class Waiting:
    """A file that waits, whatever it belongs to."""

    id: UUID
    about: str
    about_id: UUID
    reference: str | None
    partnership_id: UUID
    organisation_id: UUID
    owner_organisation_id: UUID
    added_by: UUID
    version: int
    media_type: str
    size: int
    stored_size: int
    stored_sha256: str
    object_key: str
    object_version: str
    data_key_id: UUID
    wrapped_key: bytes = field(repr=False)
    tries: int

    @property
    def records(self) -> list[UUID]:
        return [self.about_id] if self.about in tuple(RecordKind) else []

    @property
    def stored(self) -> StoredFile:
        return StoredFile(self.id, self.stored_size, self.stored_sha256)


def scan_pending(stop: Event) -> int:
    """One file at a time, the oldest first; how many got their verdict. Two workers at once share the work."""
    scanner = Scanner.from_settings(current_app.config["HUB_SETTINGS"])
    waiting = _find(BATCH) if scanner is not None else []
    if scanner is None or not waiting:
        return 0
    try:
        scanner.check()
        _check_setup(scanner, stop)
    except NoVerdict as why:
        log.error("scanner_not_used", reason=why.reason)
        return 0
    done = 0
    for file in waiting:
        if stop.is_set():
            break
        try:
            done += _scan_once(scanner, file.id, stop)
        except NoVerdict as why:  # nothing to do with this file: the next run tries again
            log.warning("scan_interrupted", reason=why.reason)
            break
    return done


def _check_setup(scanner: Scanner, stop: Event) -> None:
    """Asked anew every few minutes: a scanner may be restarted with other settings."""
    checked_at: float | None = current_app.extensions.get(_CHECKED)
    if checked_at is None or time.monotonic() - checked_at > CHECK_EVERY_SECONDS:
        check_setup(scanner, stop)
        current_app.extensions[_CHECKED] = time.monotonic()


def _find(most: int, file_id: UUID | None = None) -> list[Waiting]:
    found = sa.func.pending_scans(most, sa.cast(file_id, sa.Uuid)).table_valued(*_WAITING)
    rows = db.session.execute(sa.select(*found.c)).all()
    db.session.commit()
    return [Waiting(**row._mapping) for row in rows]


@contextmanager
def _claimed(file_id: UUID) -> Iterator[bool]:
    """Whether the file is ours to scan. The lock is the connection's, and goes with a worker that is killed."""
    with db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        # closed for good at the end: the lock must not go back to the pool
        connection.detach()
        lock = sa.func.hashtextextended(f"scan {file_id}", 0)
        yield bool(connection.scalar(sa.select(sa.func.pg_try_advisory_lock(lock))))


def _scan_once(scanner: Scanner, file_id: UUID, stop: Event) -> bool:
    """Whether the file has its verdict by us. Does nothing where another worker is at it, or was faster."""
    with _claimed(file_id) as mine:
        return any(_scan(scanner, file, stop) for file in (_find(1, file_id) if mine else []))


def _scan(scanner: Scanner, file: Waiting, stop: Event) -> bool:
    try:
        verdict = _verdict(scanner, file, stop)
    except NoVerdict as why:
        if why.reason in ("stopped", "unreachable"):
            raise
        if why.reason not in ITS_OWN_DOING or file.tries + 1 < TRIES:
            _put_off(file, why.reason)
            if why.reason not in OF_THIS_FILE:
                raise
            return False
        verdict = Verdict(Outcome.UNSCANNABLE, why.reason)
    with service.acting_for(file.organisation_id) as actor:
        return _keep(actor, file, verdict)


def _verdict(scanner: Scanner, file: Waiting, stop: Event) -> Verdict:
    if file.size > scanner.max_bytes and not is_recording(file.media_type):
        return TOO_LARGE
    try:
        held = keyring.key_by_id(db.session(), file.data_key_id)
        key = wrapping.unwrap(held.key, file.wrapped_key, purpose="file", ids=(file.id, str(file.version)))
        db.session.commit()
        sealed = object_store().stream(file.object_key, file.object_version or None, file.stored_size)
        context = attachment_context(file.partnership_id, file.id, file.version)
        return _scanned(scanner, _whole(decrypt_chunks(key, context, sealed), file.size), stop)
    except (Unsealable, ObjectChanged, ObjectMissing):
        return UNSOUND
    except StoreUnavailable as error:
        raise NoVerdict("store_unavailable") from error
    except Unavailable as error:
        if error.code in ("key_destroyed", "no_such_key"):
            return ERASED
        raise NoVerdict(error.code) from error
    finally:
        db.session.rollback()


def _scanned(scanner: Scanner, plain: Iterable[bytes], stop: Event) -> Verdict:
    """Clean if every piece is. As a rule there is one."""
    for piece in in_pieces(plain, scanner.max_bytes):
        verdict = scanner.scan(piece, stop)
        if verdict.outcome is not Outcome.CLEAN:
            return verdict
    return Verdict(Outcome.CLEAN)


def _whole(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The plaintext, if it is as much as was attached: the scanner must never judge a part of it."""
    for block in blocks:
        size -= len(block)
        yield block
    if size:
        raise Unsealable


def _put_off(file: Waiting, why: str) -> None:
    log.warning("scan_put_off", reason=why, tries=file.tries + 1, file=str(file.id))
    due_at = clock.now() + min(FIRST_WAIT * 2 ** min(file.tries, 12), LONGEST_WAIT)
    tried = {"tries": file.tries + 1, "why": why, "due_at": due_at}
    db.session.execute(
        insert(ScanTry)
        .values(file_id=file.id, **tried)
        .on_conflict_do_update(index_elements=[ScanTry.file_id], set_=tried)
    )
    db.session.commit()


def _keep(actor: Actor, file: Waiting, verdict: Verdict) -> bool:
    """The verdict, its event and its notices in one transaction. False where the file no longer waits."""
    noted = sa.func.note_scan(file.id, verdict.outcome.value, verdict.finding)
    if not db.session.scalar(sa.select(noted)):
        return False
    if verdict == UNSOUND:
        log.error("attachment_unsound", attachment=str(file.id))
        append(
            actor,
            "attachment.unsound",
            outcome="error",
            object_id=file.id,
            records=file.records,
            file=file.stored,
        )
    append(
        actor,
        "attachment.scanned" if file.records else "paper.scanned",
        object_id=file.id,
        version=file.version,
        records=file.records,
        file=file.stored,
        facts={"state": verdict.outcome.value},
    )
    _tell(actor, file, verdict.outcome)
    db.session.commit()
    return True


def _tell(actor: Actor, file: Waiting, outcome: Outcome) -> None:
    """Who added it is told what became of it; of malware the administrators on both sides too, who see no content."""
    reference = file.reference or file.about
    page = _PAGES[file.about].format(file.about_id)
    if outcome is Outcome.UNSCANNABLE:
        notify(actor, [file.added_by], NotificationKind.FILE_UNSCANNABLE, reference=reference, address=page)
    if outcome is Outcome.INFECTED:
        kind = NotificationKind.FILE_INFECTED
        notify(actor, [file.added_by], kind, reference=reference, address=page)
        organisations = {file.organisation_id, file.owner_organisation_id}
        others = set(find_administrators(actor, organisations, clock.now())) - {file.added_by}
        # an administrator may not see the record
        address = "/admin/malware" if file.records else page
        notify(actor, others, kind, reference=reference, address=address)
