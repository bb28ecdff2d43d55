"""Warns the parties three times before an agreement ends, each once, whoever asks and however late: when, the partnership says."""

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
from hub.settings.catalogue import (
    AGREEMENT_WARNING_FIRST,
    AGREEMENT_WARNING_LAST,
    AGREEMENT_WARNING_SECOND,
    LONGEST_WARNING,
)
from hub.settings.values import Values, values_in, values_of

WARNINGS = (AGREEMENT_WARNING_FIRST, AGREEMENT_WARNING_SECOND, AGREEMENT_WARNING_LAST)
LONGEST = timedelta(days=LONGEST_WARNING)


def threshold(ends_at: datetime, now: datetime, values: Values) -> int | None:
    """The nearest of the days of warning that has come: 30 where 20 days are left, so that none is given late."""
    reached = [values[one] for one in WARNINGS if now < ends_at <= now + timedelta(days=values[one])]
    return min(reached, default=None)


def find_ending(now: datetime) -> list[tuple[UUID, UUID]]:
    """Agreements that every party has signed and that end soon, each with its owner; of all organisations."""
    rows = db.session.execute(
        sa.select(Agreement.id, Agreement.owner_organisation_id, Agreement.partnership_id, Agreement.ends_at)
        .where(
            Agreement.in_force_at.is_not(None),
            Agreement.ended_at.is_(None),
            Agreement.ends_at > now,
            Agreement.ends_at <= now + LONGEST,
        )
        .order_by(Agreement.owner_organisation_id, Agreement.id)
    ).all()
    values = values_in({row.partnership_id for row in rows})
    return [
        (row.id, row.owner_organisation_id)
        for row in rows
        if threshold(row.ends_at, now, values[row.partnership_id]) is not None
    ]


def warn_parties(actor: Actor, agreement_id: UUID) -> int:
    """Tells the administrators of every party that the agreement ends soon, where that was not done; how many days, or 0.

    Flushes, does not commit.
    """
    # two workers may come here at once: the second waits, and finds that it was done
    row = db.session.execute(
        sa.select(Agreement.ends_at, Agreement.partnership_id)
        .where(Agreement.id == agreement_id, Agreement.ended_at.is_(None))
        .with_for_update()
    ).one_or_none()
    days = threshold(row.ends_at, clock.now(), values_of(row.partnership_id, *WARNINGS)) if row else None
    if days is None:
        return 0
    told = sa.select(AgreementStep.id).where(
        AgreementStep.agreement_id == agreement_id,
        AgreementStep.step == Step.WARNED.value,
        AgreementStep.days <= days,
    )
    terms = find_terms(actor, [agreement_id]).get(agreement_id)
    if terms is None or db.session.scalar(told) is not None:
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
