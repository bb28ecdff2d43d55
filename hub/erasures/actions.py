"""Writes of erasures: asked for by one, decided by another, and with the approval done. Flush, never commit."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.audit.recording import append
from hub.cases.queries import load_for_change
from hub.core import clock
from hub.core.errors import Conflict
from hub.core.ids import new_id
from hub.crypto import keyring
from hub.erasures.models import RecordErasure
from hub.erasures.policy import HELD, check_may_ask, check_may_decide, held
from hub.erasures.queries import find_waiting, load_for_decision
from hub.erasures.vocabulary import ErasureGround
from hub.extensions import db


def ask_erasure(actor: Actor, case_id: UUID, ground: ErasureGround) -> RecordErasure:
    """Asks that a closed case be erased. Its ground is a code: what is erased must not live on in the reason for it."""
    actor.check_may(Permission.ERASURE_ASK)
    case = load_for_change(actor, case_id)
    check_may_ask(actor, case)
    if find_waiting(actor, case_id) is not None:
        raise Conflict("asked", "Somebody has asked for this already, and it waits to be decided.")
    erasure = RecordErasure(
        id=new_id(),
        record_id=case_id,
        record_reference=case.reference,
        organisation_id=actor.organisation_id,
        partnership_id=actor.partnership_id,
        ground=ground,
        asked_by=actor.user_id,
    )
    db.session.add(erasure)
    append(actor, "erasure.asked", object_id=case_id, records=[case_id], facts={"ground": ground.value})
    db.session.flush()
    return erasure


def approve_erasure(actor: Actor, erasure_id: UUID) -> RecordErasure:
    """Erases the record, here and now: content, key, and what is sealed beside its events. The worker removes its objects.

    `Denied` for whoever asked, `Conflict` where it was decided, the case was reopened or a hold was placed meanwhile.
    """
    actor.check_may(Permission.ERASURE_APPROVE)
    erasure = load_for_decision(actor, erasure_id)
    check_may_decide(actor, erasure)
    if held(erasure.record_id):
        raise Conflict("held", HELD)
    erasure.approved_by, erasure.approved_at = actor.user_id, clock.now()
    db.session.flush()
    # the event first: it is sealed under nothing of the record's, and what follows ends the record's key
    append(
        actor,
        "record.erased",
        object_id=erasure.record_id,
        records=[erasure.record_id],
        facts={"ground": erasure.ground},
    )
    try:
        with db.session.begin_nested():
            db.session.execute(sa.select(sa.func.erase_record(erasure.id)))
    except sa.exc.ProgrammingError as refused:
        db.session.rollback()
        raise Conflict("not_closed", "This case is not closed any more. Nothing was erased.") from refused
    keyring.forget(db.session())
    return erasure


def refuse_erasure(actor: Actor, erasure_id: UUID) -> RecordErasure:
    """Leaves the record as it is; it may be asked for again."""
    actor.check_may(Permission.ERASURE_APPROVE)
    erasure = load_for_decision(actor, erasure_id)
    check_may_decide(actor, erasure)
    erasure.refused_by, erasure.refused_at = actor.user_id, clock.now()
    append(actor, "erasure.refused", object_id=erasure.record_id, records=[erasure.record_id])
    db.session.flush()
    return erasure
