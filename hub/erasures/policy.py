"""When a record may be erased, and who decides: a closed case, nothing that is held, two people of its owner."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.cases.models import Case
from hub.cases.vocabulary import ENDED, CaseStatus
from hub.core.errors import Conflict, Denied
from hub.erasures.models import RecordErasure
from hub.extensions import db

HELD = "A legal hold keeps this case. It can be erased when the hold has been lifted."


def visible_to(actor: Actor) -> sa.ColumnElement[bool]:
    """Requests about records of one's own organisation in the partnership in hand."""
    return sa.and_(
        RecordErasure.organisation_id == actor.organisation_id,
        RecordErasure.partnership_id == actor.partnership_id,
    )


def held(record_id: UUID) -> bool:
    """Whether a legal hold keeps the record or a file of it, whoever may see that hold."""
    return bool(db.session.scalar(sa.select(sa.func.record_is_held(record_id))))


def check_may_ask(actor: Actor, case: Case) -> None:
    """Raises `Denied` for other owners' cases, `Conflict` for one that has not ended or is held."""
    actor.check_may(Permission.ERASURE_ASK)
    if case.owner_organisation_id != actor.organisation_id:
        raise Denied("not_owner", "Only the organisation that owns this case can have it erased.")
    check_may_go(case.id, CaseStatus(case.status))


def check_may_go(record_id: UUID, status: CaseStatus) -> None:
    """Raises `Conflict` for a case that has not ended or is held."""
    if status not in ENDED:
        raise Conflict("case_open", "Only a closed case can be erased. Nothing was changed.")
    if held(record_id):
        raise Conflict("held", HELD)


def check_may_decide(actor: Actor, erasure: RecordErasure) -> None:
    """Raises `Denied` for whoever asked, `Conflict` for what was decided already."""
    actor.check_may(Permission.ERASURE_APPROVE)
    if erasure.approved_at is not None or erasure.refused_at is not None:
        raise Conflict("decided", "This was decided already. Nothing was changed.")
    if erasure.asked_by == actor.user_id:
        raise Denied("own_request", "You asked for this yourself. Somebody else has to decide it.")
