"""Keeps the log's second place up to date for as long as the sequencer runs, whatever the store does meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import structlog

from hub.audit.archiving import Busy, Copier, Diverged
from hub.config import ArchiveSettings
from hub.core.errors import Unavailable
from hub.crypto.tlog.notes import Verifier
from hub.storage.locked import LockedBucket

# well below the minute within which every event is to be there
EVERY_SECONDS = 20.0
# one that was killed may hold the lock a moment longer
FIRST_SECONDS = 2.0
SWEEP_SECONDS = 24 * 60 * 60

log = structlog.get_logger("hub.archive")


@dataclass
class Archiving:
    """Runs beside the sequencer, on a connection of its own. A broken connection is the caller's to deal with."""

    connection: psycopg.Connection[Any]
    settings: ArchiveSettings
    keys: Sequence[Verifier]
    every: float = EVERY_SECONDS
    _begun: bool = field(default=False, init=False)
    _swept: float = field(default=0.0, init=False)

    def run(self, stop: threading.Event) -> None:
        bucket = LockedBucket.from_settings(self.settings)
        copier = Copier(
            self.connection,
            bucket,
            self.keys,
            timedelta(days=self.settings.days),
            timedelta(days=min(self.settings.days, self.settings.partial_days)),
        )
        while not stop.is_set():
            began = time.monotonic()
            self._once(copier, stop)
            pause = self.every if self._begun else min(self.every, FIRST_SECONDS)
            stop.wait(max(0.0, pause - (time.monotonic() - began)))

    def _once(self, copier: Copier, stop: threading.Event) -> None:
        """One copy. What keeps it from being made is told each time; the lag grows and health shows it."""
        try:
            if not self._begun:
                copier.begin()
                self._begun = True
            copied = copier.step()
            if copied:
                log.info("archived", events=copied)
            if time.monotonic() - self._swept > SWEEP_SECONDS or not self._swept:
                before = datetime.now(UTC) - copier.held_partial
                log.info("archive_swept", gone=copier.sweep(before, stop))
                self._swept = time.monotonic()
        except Diverged as why:
            log.critical("archive_diverged", why=str(why))
        except Busy:
            log.warning("archive_busy")
        except Unavailable as error:
            log.error("archive_unavailable", kind=error.code, reason=getattr(error, "reason", None))
