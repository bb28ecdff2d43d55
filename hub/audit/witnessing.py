"""Shows each new head of the log to its witnesses and keeps what they sign. Runs beside the sequencer, in its process."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import structlog

from hub.audit.sequencing import tile_reader
from hub.crypto.tlog.hashing import NotProven
from hub.crypto.tlog.notes import COSIGNATURE, Verifier
from hub.witness.asking import Diverged, NotCosigned, WitnessAhead, cosign

EVERY_SECONDS = 20.0
TIMEOUT = 10.0
log = structlog.get_logger("hub.witnessing")


@dataclass(frozen=True)
class Witness:
    """A partner's witness: its key and where it is asked."""

    verifier: Verifier
    url: str


def read_witnesses(path: Path) -> list[Witness]:
    """Lines `witness VKEY URL`; empty lines and those after # are comments. `NotProven` tells the line that is none."""
    found: list[Witness] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        if len(words) != 3 or words[0] != "witness":
            raise NotProven(f"this is no line `witness VKEY URL`: {line.strip()[:80]}")
        verifier = Verifier.parse(words[1])
        if verifier.kind != COSIGNATURE:
            raise NotProven(f"the key of {verifier.name} is not a witness's")
        found.append(Witness(verifier, words[2]))
    return found


class Witnessing:
    """One connection of the role `hub_sequencer`, never the one that holds the sequencer's lock."""

    def __init__(self, connection: psycopg.Connection[Any], witnesses: list[Witness]) -> None:
        self.connection, self.witnesses = connection, witnesses
        self.connection.autocommit = True

    def introduce(self) -> None:
        """Keeps the witnesses' keys where the hub's own pages find them."""
        for one in self.witnesses:
            self.connection.execute(
                "INSERT INTO audit.witness_key (vkey) VALUES (%s) ON CONFLICT DO NOTHING", [str(one.verifier)]
            )

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set. A witness that does not answer is asked again; one that says "another tree" is an alarm."""
        while not stop.wait(EVERY_SECONDS if self.round() else 1.0):
            pass

    def round(self) -> bool:
        """Shows the newest signed head to each witness that has not signed it. False where there is none yet."""
        head = self.connection.execute(
            "SELECT size, note FROM audit.checkpoint WHERE note IS NOT NULL ORDER BY size DESC LIMIT 1"
        ).fetchone()
        if head is None:
            return False
        for one in self.witnesses:
            known = self._known(one)
            if known < head[0]:
                self._ask(one, known, *head)
        return True

    def _known(self, one: Witness) -> int:
        row = self.connection.execute(
            "SELECT coalesce(max(size), 0) FROM audit.cosignature WHERE name = %s", [one.verifier.name]
        ).fetchone()
        return int(row[0]) if row else 0

    def _ask(self, one: Witness, known: int, size: int, note: str) -> None:
        try:
            line = cosign(one.url, one.verifier, note, known, tile_reader(self.connection), timeout=TIMEOUT)
        except (Diverged, WitnessAhead, NotProven) as why:
            log.error("witness_disagrees", witness=one.verifier.name, size=size, why=str(why))
            return
        except NotCosigned as why:
            log.warning("witness_silent", witness=one.verifier.name, size=size, why=str(why))
            return
        self.connection.execute(
            "INSERT INTO audit.cosignature (size, name, line) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [size, one.verifier.name, line],
        )
