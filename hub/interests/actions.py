"""Writes of declared interests: declared by the user, ended by a supervisor, an exclusion lifted. Flush, never commit.

Which people and records a declaration excludes is the database's own doing (migrations/sql/0002/5_interests.sql).
"""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Exclusion
from hub.access.permissions import Permission
from hub.audit.recording import Written, append, append_each
from hub.core import clock
from hub.core.errors import Conflict, Denied, NotVisible
from hub.extensions import db
from hub.interests.forms import InterestForm
from hub.interests.models import DeclaredInterest
from hub.interests.queries import find_exclusion


def declare_interest(actor: Actor, form: InterestForm) -> DeclaredInterest:
    """From here on the user sees nothing of whom or what it names. They are not told whether there is anything."""
    actor.check_may(Permission.INTEREST_DECLARE)
    declared = DeclaredInterest(
        user_id=actor.user_id,
        organisation_id=actor.organisation_id,
        kind=form.kind.value,
        relation=form.relation.value,
        given_names=form.given_names,
        family_name=form.family_name,
        date_of_birth=form.date_of_birth,
        address=form.address,
        postcode=form.postcode,
    )
    db.session.add(declared)
    db.session.flush()
    append(
        actor,
        "interest.declared",
        object_id=declared.id,
        version=declared.revision,
        facts={"kind": form.kind.value},
    )
    return declared


def end_interest(actor: Actor, interest_id: UUID) -> DeclaredInterest:
    """Ends a colleague's declaration and with it all its exclusions. Raises `NotVisible`, `Denied`, `Conflict`."""
    actor.check_may(Permission.INTEREST_REVIEW)
    declared = db.session.scalar(
        sa.select(DeclaredInterest)
        .where(DeclaredInterest.id == interest_id, DeclaredInterest.organisation_id == actor.organisation_id)
        .with_for_update()
    )
    if declared is None:
        raise NotVisible
    if declared.user_id == actor.user_id:
        raise Denied("own_interest", "Your own declaration can only be ended by another supervisor.")
    if declared.ended_at is not None:
        raise Conflict("ended_already", "This declaration has been ended already.")
    declared.ended_at, declared.ended_by = clock.now(), actor.user_id
    db.session.flush()
    append(actor, "interest.ended", object_id=declared.id, version=declared.revision)
    return declared


def lift_exclusion(actor: Actor, exclusion_id: UUID, *, reason: str) -> Exclusion:
    """Lifts one exclusion of a colleague's: another person of that name. The database never derives it again.

    With the last person of a declaration who stands in a record, the exclusion from that record goes too. Raises
    `NotVisible` also where the supervisor may not see what it is about; `Conflict`.
    """
    actor.check_may(Permission.INTEREST_REVIEW)
    find_exclusion(actor, exclusion_id)
    exclusion = db.session.scalar(sa.select(Exclusion).where(Exclusion.id == exclusion_id).with_for_update())
    if exclusion is None:
        raise NotVisible
    if exclusion.ended_at is not None:
        raise Conflict("lifted_already", "This exclusion has been lifted already.")
    _lift(actor, exclusion, reason)
    append(actor, "exclusion.lifted", object_id=exclusion.id, texts={"reason": reason})
    if exclusion.person_id is not None and exclusion.interest_id is not None:
        _lift_groundless(actor, exclusion.interest_id, reason)
    return exclusion


def _lift(actor: Actor, exclusion: Exclusion, reason: str) -> None:
    exclusion.ended_at, exclusion.ended_by, exclusion.ended_why = clock.now(), actor.user_id, reason
    db.session.flush()


def _lift_groundless(actor: Actor, interest_id: UUID, reason: str) -> None:
    ids = db.session.scalars(sa.select(sa.func.find_groundless_exclusions(interest_id))).all()
    rows = db.session.scalars(
        sa.select(Exclusion).where(Exclusion.id.in_(ids)).order_by(Exclusion.id).with_for_update()
    ).all()
    for row in rows:
        _lift(actor, row, reason)
    append_each(actor, "exclusion.lifted", [Written(row.id, 1, (), {}) for row in rows])
