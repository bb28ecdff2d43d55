"""The proof that one event is in the log: its leaf, the way to the root, and the signed head over it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.audit.models import Checkpoint, Cosignature, Leaf, LogKey, Tile, WitnessKey
from hub.audit.queries import EventRow
from hub.crypto.tlog.checkpoints import Policy
from hub.crypto.tlog.hashing import NotProven
from hub.crypto.tlog.notes import Verifier
from hub.crypto.tlog.proof_files import ProofFile
from hub.crypto.tlog.tiles import Tree
from hub.extensions import db


@dataclass(frozen=True)
class Proof:
    """`refused` says why the proof did not hold when it was checked just now; None where it held."""

    file: ProofFile
    size: int
    signed_at: datetime
    log: str
    # name of each witness, and when it signed
    witnesses: tuple[tuple[str, datetime | None], ...]
    refused: str | None


def find_proof(actor: Actor, event: EventRow) -> Proof | None:
    """Of an event that was opened before. None while no signed head covers it yet, a second or two after it happened."""
    actor.check_may(Permission.AUDIT_READ)
    index = db.session.scalar(sa.select(Leaf.idx).where(Leaf.event_id == event.id))
    if index is None:
        return None
    head = db.session.execute(
        sa.select(Checkpoint.size, Checkpoint.note, Checkpoint.at)
        .where(Checkpoint.size > index, Checkpoint.note.is_not(None))
        # one that witnesses have signed, if there is any over this leaf; else the newest
        .order_by(_witnessed().desc(), Checkpoint.size.desc())
        .limit(1)
    ).one_or_none()
    if head is None:
        return None
    lines = db.session.scalars(
        sa.select(Cosignature.line).where(Cosignature.size == head.size).order_by(Cosignature.name)
    )
    try:
        way = tuple(Tree(_tile, head.size).inclusion(index))
        file = ProofFile(index, way, head.note + "".join(lines), event.body)
        found, signed = file.check(_own_policy())
        refused = None if found.size == head.size else "the signed head is of another size"
    except NotProven as why:
        file = ProofFile(index, (), head.note, event.body)
        signed, refused = {}, str(why)
    witnesses = tuple(
        (name, datetime.fromtimestamp(at, UTC)) for name, at in signed.items() if at is not None
    )
    origin = head.note.split("\n", 1)[0]
    return Proof(file, head.size, head.at, origin, witnesses, refused)


def _witnessed() -> sa.ColumnElement[bool]:
    return sa.exists().where(Cosignature.size == Checkpoint.size)


def _own_policy() -> Policy:
    """The keys as the hub has them. An outsider checks with those that he was given: the file serves both."""
    logs = db.session.scalars(sa.select(LogKey.vkey).order_by(LogKey.since))
    witnesses = db.session.scalars(sa.select(WitnessKey.vkey).order_by(WitnessKey.since))
    return Policy(tuple(map(Verifier.parse, logs)), tuple(map(Verifier.parse, witnesses)))


def _tile(level: int, number: int) -> bytes:
    found = db.session.scalar(sa.select(Tile.hashes).where(Tile.level == level, Tile.number == number))
    return bytes(found) if found else b""
