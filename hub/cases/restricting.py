"""Restricting a case to named people of its team, and opening it to the team again."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.facts import facts_of
from hub.access.models import Record, RecordTeam
from hub.access.permissions import Permission
from hub.accounts.queries import user_names
from hub.audit.recording import append
from hub.cases.models import Case
from hub.cases.policy import check_live
from hub.cases.queries import find_officers, load_for_change
from hub.core import clock
from hub.core.errors import Conflict, Invalid, NotVisible
from hub.extensions import db


def checked_officer(actor: Actor, officer_id: UUID) -> UUID:
    """The user, who is of the team in hand. Raises `Invalid`."""
    if officer_id != actor.user_id and officer_id not in {user.id for user in find_officers(actor)}:
        raise Invalid("bad_officer", errors={"lead_officer_id": "Choose somebody of your team"})
    return officer_id


def restrict_case(
    actor: Actor, case_id: UUID, *, restricted: bool, reason: str, members: frozenset[UUID] = frozenset()
) -> Case:
    """Restricts a case to named people of the team, or opens it to the team again. Needs a reason."""
    actor.check_may(Permission.CASE_CHANGE)
    case = load_for_change(actor, case_id)
    check_live(case)
    if not reason:
        raise Invalid("no_reason", errors={"reason": "Write why"})
    record = db.session.scalar(sa.select(Record).where(Record.id == case_id))
    if record is None:
        raise NotVisible
    if restricted:
        for member in members:
            checked_officer(actor, member)
        name_team(actor, record, {actor.user_id, case.lead_officer_id, *members})
    elif not case.restricted:
        raise Conflict("not_restricted", "This case is not restricted.")
    if record.restricted != restricted:
        db.session.execute(sa.update(Record).where(Record.id == case.id).values(restricted=restricted))
        db.session.refresh(case, ["restricted"])
    case.changed_at = clock.now()
    db.session.flush()
    tell_restricted(actor, case, reason)
    return case


def name_team(actor: Actor, record: Record, members: set[UUID]) -> None:
    """Puts users on the record's named team, who are not on it yet."""
    known = set(db.session.scalars(sa.select(RecordTeam.user_id).where(RecordTeam.record_id == record.id)))
    now = clock.now()
    for member in sorted(members - known):
        db.session.add(
            RecordTeam(
                **facts_of(record), record_id=record.id, user_id=member, added_at=now, added_by=actor.user_id
            )
        )
    db.session.flush()


def tell_restricted(actor: Actor, case: Case, reason: str) -> None:
    """Writes the event that says whether the case is restricted now, and why."""
    append(
        actor,
        "case.restricted",
        object_id=case.id,
        version=case.revision,
        records=[case.id],
        facts={"restricted": case.restricted},
        texts={"reason": reason},
        key_of=case.id,
    )


def find_named(actor: Actor, case_id: UUID) -> list[str]:
    """The names of those who may see a restricted case."""
    members = db.session.scalars(sa.select(RecordTeam.user_id).where(RecordTeam.record_id == case_id))
    return sorted(user_names(members).values())
