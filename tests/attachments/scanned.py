"""Files that a real clamd scans: the desk with a scanner, files brought to it past what an upload refuses, and the job."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from threading import Event
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from hub.access.actions import item_of
from hub.access.models import Record
from hub.access.vocabulary import Marking, Section
from hub.attachments.limits import max_bytes
from hub.attachments.models import Attachment
from hub.attachments.storing import Incoming, store
from hub.attachments.vocabulary import DocumentKind
from hub.crypto.stream import decrypt_chunks
from hub.extensions import db
from hub.jobs.app import REGULAR, run_now
from tests.attachments.conftest import Desk
from tests.attachments.storing import blocks_of
from tests.conftest import as_worker
from tests.fixtures.world import act_as

NAME = "Danny Bridgeman.txt"
PLAIN = b"canary-5e1f minutes of the meeting " * 60_000


def put(desk: Desk, content: bytes = PLAIN, name: str = NAME, media_type: str = "text/plain") -> UUID:
    """As an upload keeps it, whatever the upload would say of its content."""
    with desk.site.inside():
        actor = act_as(desk.site.world, "officer")
        record = db.session.scalars(sa.select(Record).where(Record.id == desk.case_id)).one()

        def keep(columns: dict[str, Any]) -> Attachment:
            placed = item_of(actor, record, Section.FILES, marking=Marking.OFFICIAL)
            row = Attachment(**columns, **placed, kind=DocumentKind.OTHER.value)
            db.session.add(row)
            db.session.flush()
            return row

        file = Incoming(record.partnership_id, record.id, name, media_type, blocks_of(content))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("hub.attachments.storing.watched", lambda blocks: blocks)
            patch.setattr("hub.attachments.storing._look_through", lambda file, stored: None)
            patch.setattr("hub.attachments.limits._scannable", lambda media_type: max_bytes())
            store(actor, file, keep)
        db.session.commit()
        return file.id


def scan(desk: Desk) -> int:
    """One run of the worker's job."""
    job = next(one for one in REGULAR if one.name == "scan_pending")
    with desk.site.app.app_context(), as_worker():
        return run_now(desk.site.app, job, Event())


class States:
    """What the database holds of files, seen past every wall."""

    def __init__(self, desk: Desk, superuser: str) -> None:
        self.desk = desk
        self.superuser = superuser

    def of(self, key: UUID) -> tuple[str, str | None]:
        found = self.desk.site.sql(
            self.superuser,
            "SELECT scan_state, scan_finding, scanned_at IS NOT NULL AS scanned FROM attachment WHERE id = :key",
            key=key,
        )[0]
        assert found.scanned == (found.scan_state != "pending")
        return found.scan_state, found.scan_finding

    def tried(self) -> list[tuple[int, str]]:
        rows = self.desk.site.sql(self.superuser, "SELECT tries, why FROM scan_try ORDER BY file_id")
        return [tuple(row) for row in rows]

    def due(self) -> None:
        """The time to try again has come."""
        self.desk.site.sql(self.superuser, "UPDATE scan_try SET due_at = now()")

    def events(self, act: str) -> list[str]:
        found = self.desk.site.sql(
            self.superuser,
            "SELECT convert_from(body, 'UTF8')::jsonb -> 'facts' ->> 'state' FROM audit.event WHERE act = :act"
            " ORDER BY at",
            act=act,
        )
        return [row[0] for row in found]


@pytest.fixture
def states(scanned: Desk, database: SimpleNamespace) -> States:
    return States(scanned, database.superuser)


def on_the_way(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object], after: int = 3) -> None:
    """Something happens once, when so many blocks of the next file have gone to the scanner."""
    waiting = [happens]

    def opened(key: bytes, context: bytes, blocks: Iterable[bytes]) -> Iterator[bytes]:
        for number, block in enumerate(decrypt_chunks(key, context, blocks)):
            if number == after and waiting:
                waiting.pop()()
            yield block

    monkeypatch.setattr("hub.attachments.scanning.decrypt_chunks", opened)
