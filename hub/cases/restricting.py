"""Who may see a case or know of it: restricted to named people, opened to its team, known to partners or not."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.facts import facts_of
from hub.access.models import Involvement, Record, RecordTeam
from hub.access.permissions import Permission
from hub.accounts.queries import user_names
from hub.audit.recording import append
from hub.cases.models import Case
from hub.cases.policy import check_live
from hub.cases.queries import find_officers, load_for_change
from hub.cases.vocabulary import GUARDED_KINDS, CaseKind
from hub.core import clock
from hub.core.errors import Conflict, Invalid, NotVisible
from hub.extensions import db
from hub.people.vocabulary import InvolvementRole

# whoever these stand for is protected by silence: the database's search for blind hits leaves their records out
PROTECTED_ROLES = (
    InvolvementRole.CHILD_AT_RISK,
    InvolvementRole.ADULT_AT_RISK,
    InvolvementRole.MISSING_PERSON,
)
NEVER_KNOWN = (
    "Partners never learn of cases of this kind, of restricted ones, or of those with a child or adult at risk or a"
    " missing person."
)


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
        # what is restricted is hidden from partners; opened again, it stays so until the lead says otherwise
        known = case.knowable and not restricted
        changed = sa.update(Record).where(Record.id == case.id)
        db.session.execute(changed.values(restricted=restricted, knowable=known))
        db.session.refresh(case, ["restricted", "knowable"])
    case.changed_at = clock.now()
    db.session.flush()
    tell_restricted(actor, case, reason)
    return case


def may_be_known(actor: Actor, case: Case) -> bool:
    """Never: domestic abuse, exploitation and the like, what is restricted, and cases of people to be protected."""
    if CaseKind(case.kind) in GUARDED_KINDS or case.restricted:
        return False
    protected = sa.select(Involvement.id).where(
        Involvement.record_id == case.id, Involvement.role.in_(PROTECTED_ROLES)
    )
    return db.session.scalar(protected.limit(1)) is None


def let_know(actor: Actor, case_id: UUID, *, known: bool) -> Case:
    """Whether partners may learn that a record is held, and ask for it. `Conflict` for what must stay hidden."""
    actor.check_may(Permission.CASE_CHANGE)
    case = load_for_change(actor, case_id)
    if known and not may_be_known(actor, case):
        raise Conflict("never_known", NEVER_KNOWN)
    if case.knowable == known:
        return case
    db.session.execute(sa.update(Record).where(Record.id == case.id).values(knowable=known))
    db.session.refresh(case, ["knowable"])
    case.changed_at = clock.now()
    db.session.flush()
    append(
        actor,
        "case.changed",
        object_id=case.id,
        version=case.revision,
        records=[case.id],
        changes={"knowable": (not known, known)},
        key_of=case.id,
    )
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
