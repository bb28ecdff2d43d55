"""The history of an agreement: a line in the transaction of each act, beside its event, for all parties to read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.accounts.queries import organisation_names, user_names
from hub.agreements.models import AgreementStep
from hub.agreements.queries import visible_agreements
from hub.agreements.vocabulary import Step
from hub.extensions import db


def add_step(actor: Actor, agreement_id: UUID, step: Step, *, why: str = "", days: int | None = None) -> None:
    """Adds a line; flushes."""
    db.session.add(
        AgreementStep(
            agreement_id=agreement_id,
            step=step.value,
            organisation_id=actor.organisation_id,
            user_id=actor.user_id,
            why=why,
            days=days,
        )
    )
    db.session.flush()


@dataclass(frozen=True)
class StepRow:
    """A line of an agreement's history."""

    at: datetime
    step: Step
    organisation: str
    by: str
    why: str
    days: int | None


def find_steps(actor: Actor, agreement_id: UUID) -> list[StepRow]:
    """What was done about an agreement, oldest first. The page that shows it has opened the agreement."""
    rows = db.session.scalars(
        sa.select(AgreementStep)
        .where(
            AgreementStep.agreement_id == agreement_id,
            AgreementStep.agreement_id.in_(visible_agreements(actor)),
        )
        .order_by(AgreementStep.id)
    ).all()
    organisations = organisation_names(one.organisation_id for one in rows)
    users = user_names(one.user_id for one in rows)
    return [
        StepRow(
            one.created_at,
            Step(one.step),
            organisations.get(one.organisation_id, ""),
            users.get(one.user_id, ""),
            one.why,
            one.days,
        )
        for one in rows
    ]
