"""Reads of erasures: the requests of one's organisation, and whether a record is there any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Record
from hub.access.permissions import Permission
from hub.accounts.queries import user_names
from hub.audit.reading import Shown, listed, opened
from hub.core.errors import NotVisible
from hub.core.paging import PAGE_SIZE
from hub.erasures.models import RecordErasure
from hub.erasures.policy import visible_to
from hub.erasures.vocabulary import GROUND_LABELS, ErasureGround
from hub.extensions import db


@dataclass(frozen=True)
class ErasureRow:
    """One request as the list and its own page show it."""

    id: UUID
    record_id: UUID
    reference: str
    ground: str
    asked_at: datetime
    asked_by: str
    own: bool
    decided_at: datetime | None
    decided_by: str
    approved: bool

    @property
    def waits(self) -> bool:
        return self.decided_at is None

    @property
    def href(self) -> str:
        return f"/erasures/{self.id}"


@dataclass(frozen=True)
class Gone:
    """That a record was erased: when, and under what."""

    reference: str
    at: datetime
    ground: str


def list_erasures(actor: Actor) -> list[ErasureRow]:
    """The requests of the actor's organisation, those that wait first; written down."""
    actor.check_may(Permission.ERASURE_APPROVE)
    found = db.session.scalars(
        sa.select(RecordErasure)
        .where(visible_to(actor))
        .order_by(sa.func.coalesce(RecordErasure.approved_at, RecordErasure.refused_at).desc().nulls_first())
        .limit(PAGE_SIZE)
    ).all()
    rows = _rows(actor, found)
    listed(actor, "erasure.listed", Shown(records=[row.record_id for row in rows]))
    return rows


def open_erasure(actor: Actor, erasure_id: UUID) -> ErasureRow:
    """One request; written down. Raises `NotVisible`."""
    actor.check_may(Permission.ERASURE_APPROVE)
    found = db.session.scalar(
        sa.select(RecordErasure).where(RecordErasure.id == erasure_id, visible_to(actor))
    )
    rows = _rows(actor, [found] if found is not None else [])
    shown = Shown(records=[rows[0].record_id]) if rows else None
    opened(actor, "erasure.viewed", rows[0].record_id if rows else erasure_id, shown)
    return rows[0]


def find_waiting(actor: Actor, record_id: UUID) -> RecordErasure | None:
    """The request about a record that nobody has decided yet, or that was carried out."""
    return db.session.scalar(
        sa.select(RecordErasure).where(
            RecordErasure.record_id == record_id, RecordErasure.refused_at.is_(None), visible_to(actor)
        )
    )


def open_gone(actor: Actor, record_id: UUID) -> Gone | None:
    """That a record was erased, to whoever could read it; written down. None where it was not, or is not theirs to see."""
    found = db.session.scalar(
        sa.select(RecordErasure).where(
            RecordErasure.record_id == record_id, RecordErasure.approved_at.is_not(None)
        )
    )
    if found is None or found.approved_at is None:
        return None
    if db.session.scalar(sa.select(Record.id).where(Record.id == record_id)) is None:
        return None
    opened(actor, "erasure.shown", record_id, Shown(records=[record_id]))
    return Gone(found.record_reference, found.approved_at, GROUND_LABELS[ErasureGround(found.ground)])


def load_for_decision(actor: Actor, erasure_id: UUID) -> RecordErasure:
    """The request, locked. Raises `NotVisible`."""
    found = db.session.scalar(
        sa.select(RecordErasure)
        .where(RecordErasure.id == erasure_id, visible_to(actor))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotVisible
    return found


def _rows(actor: Actor, found: Sequence[RecordErasure]) -> list[ErasureRow]:
    people = user_names(
        key for one in found for key in (one.asked_by, one.approved_by, one.refused_by) if key
    )
    return [
        ErasureRow(
            id=one.id,
            record_id=one.record_id,
            reference=one.record_reference,
            ground=GROUND_LABELS[ErasureGround(one.ground)],
            asked_at=one.created_at,
            asked_by=people.get(one.asked_by, ""),
            own=one.asked_by == actor.user_id,
            decided_at=one.approved_at or one.refused_at,
            decided_by=people.get(one.approved_by or one.refused_by or one.asked_by, ""),
            approved=one.approved_at is not None,
        )
        for one in found
    ]
