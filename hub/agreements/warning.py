"""Warns the parties 60, 30 and 7 days before an agreement ends, each once, whoever asks and however late."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Agreement
from hub.agreements.history import add_step
from hub.agreements.models import AgreementStep
from hub.agreements.notices import tell_parties
from hub.agreements.queries import find_terms
from hub.agreements.vocabulary import Step
from hub.audit.recording import append
from hub.core import clock
from hub.extensions import db
from hub.notifications.vocabulary import NotificationKind

WARN_DAYS = (60, 30, 7)


def threshold(ends_at: datetime, now: datetime) -> int | None:
    """The nearest of the days of warning that has come: 30 where 20 days are left, so that none is given late."""
    reached = [days for days in WARN_DAYS if now < ends_at <= now + timedelta(days=days)]
    return min(reached, default=None)


def find_ending(now: datetime) -> list[tuple[UUID, UUID]]:
    """Agreements that every party has signed and that end soon, each with its owner; of all organisations."""
    rows = db.session.execute(
        sa.select(Agreement.id, Agreement.owner_organisation_id)
        .where(
            Agreement.in_force_at.is_not(None),
            Agreement.ended_at.is_(None),
            Agreement.ends_at > now,
            Agreement.ends_at <= now + timedelta(days=max(WARN_DAYS)),
        )
        .order_by(Agreement.owner_organisation_id, Agreement.id)
    )
    return [(row.id, row.owner_organisation_id) for row in rows]


def warn_parties(actor: Actor, agreement_id: UUID) -> int:
    """Tells the administrators of every party that the agreement ends soon, where that was not done; how many days, or 0.

    Flushes, does not commit.
    """
    # two workers may come here at once: the second waits, and finds that it was done
    ends_at = db.session.scalar(
        sa.select(Agreement.ends_at)
        .where(Agreement.id == agreement_id, Agreement.ended_at.is_(None))
        .with_for_update()
    )
    days = threshold(ends_at, clock.now()) if ends_at is not None else None
    told = sa.select(AgreementStep.id).where(
        AgreementStep.agreement_id == agreement_id,
        AgreementStep.step == Step.WARNED.value,
        AgreementStep.days <= days,
    )
    terms = find_terms(actor, [agreement_id]).get(agreement_id)
    if days is None or terms is None or db.session.scalar(told) is not None:
        return 0
    add_step(actor, agreement_id, Step.WARNED, days=days)
    append(
        actor,
        "agreement.warned",
        object_id=agreement_id,
        version=terms.agreement.revision,
        facts={"days": days},
    )
    tell_parties(actor, terms, NotificationKind.AGREEMENT_ENDING)
    return days
