"""Writes of emergency access: opened and told at once, given back, signed off by somebody else. Flush, never commit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Emergency, Record
from hub.access.permissions import ROLES, Permission, Role
from hub.access.queries import right_to
from hub.accounts.models import RoleHolding, TeamMembership, User
from hub.audit.recording import Basis, append
from hub.core import clock
from hub.core.errors import Conflict, Denied, Invalid, NotVisible
from hub.core.ids import new_id
from hub.crypto import keyring, wrapping
from hub.emergencies.forms import EmergencyForm, ReviewForm
from hub.emergencies.queries import SEAL, find_open, record_address
from hub.emergencies.vocabulary import LONGEST
from hub.extensions import db
from hub.notifications.actions import notify
from hub.notifications.vocabulary import NotificationKind

# alike for a record that does not exist, can't be opened so, is withheld from the reader, or is of no partner
NONE_SUCH = "No record that can be opened in an emergency has this reference"
_TARGET = (
    sa.column("record_id", sa.Uuid),
    sa.column("partnership_id", sa.Uuid),
    sa.column("owner_organisation_id", sa.Uuid),
)


@dataclass(frozen=True)
class _Target:
    record_id: UUID
    partnership_id: UUID
    owner_organisation_id: UUID


def open_emergency(actor: Actor, form: EmergencyForm) -> Emergency:
    """Opens one record for some minutes and tells its owner, the data protection officers and the actor's supervisors.

    `NotVisible` (no_such_target) alike for all that can't be opened; `Invalid` where it is open to the actor already.
    The caller has made sure that the actor has just confirmed who they are.
    """
    actor.check_may(Permission.EMERGENCY_OPEN)
    lasts = timedelta(minutes=form.minutes)
    if not timedelta(0) < lasts <= LONGEST:
        raise Invalid("too_long", errors={"minutes": "Emergency access lasts 4 hours at most"})
    _check_needed(actor, form.reference)
    target = _find_target(form.reference)
    if target is None:
        _none_such(actor)
    emergency = _add(actor, target, form, lasts)
    append(
        actor,
        "emergency.opened",
        object_id=emergency.id,
        records=[target.record_id],
        basis=Basis("emergency"),
        facts={"minutes": form.minutes},
        texts={"reason": form.reason},
        key_of=target.record_id,
    )
    _tell(actor, emergency)
    return emergency


def _check_needed(actor: Actor, reference: str) -> None:
    """Of records that the actor can see already this tells nothing new."""
    seen = db.session.scalar(sa.select(Record.id).where(Record.reference == reference))
    if seen is None:
        return
    if any(one.record_id == seen for one in find_open(actor)):
        raise Invalid("open_already", errors={"reference": "You have opened this record already: see above"})
    right = right_to(actor, seen, session=db.session())
    if right is not None and right.leads:
        raise Invalid("not_needed", errors={"reference": "You can see this record without emergency access"})


def _find_target(reference: str) -> _Target | None:
    found = sa.func.find_emergency_target(reference).table_valued(*_TARGET)
    row = db.session.execute(sa.select(*found.c)).one_or_none()
    return _Target(row.record_id, row.partnership_id, row.owner_organisation_id) if row is not None else None


def _none_such(actor: Actor) -> NoReturn:
    """What was under way goes; that somebody tried stays written down, without telling what at."""
    db.session.rollback()
    append(actor, "emergency.refused", outcome="denied")
    db.session.commit()
    raise NotVisible("no_such_target", NONE_SUCH)


def _add(actor: Actor, target: _Target, form: EmergencyForm, lasts: timedelta) -> Emergency:
    emergency_id, now = new_id(), clock.now()
    held = keyring.data_key(db.session(), target.partnership_id, target.record_id)
    emergency = Emergency(
        id=emergency_id,
        record_id=target.record_id,
        user_id=actor.user_id,
        organisation_id=actor.organisation_id,
        owner_organisation_id=target.owner_organisation_id,
        record_reference=form.reference,
        sealed_reason=wrapping.seal_text(held.key, form.reason, purpose=SEAL, ids=(held.id, emergency_id)),
        data_key_id=held.id,
        granted_at=now,
        expires_at=now + lasts,
    )
    db.session.add(emergency)
    db.session.flush()
    return emergency


def _tell(actor: Actor, emergency: Emergency) -> None:
    """Reviewers are led to the review, those who lead the record to it, administrators to where they name an officer."""
    officers = _holders(emergency.owner_organisation_id, Role.DATA_PROTECTION)
    instead = set() if officers else _holders(emergency.owner_organisation_id, Role.ADMINISTRATOR)
    reviewers = officers | _supervisors(actor)
    leading = _leading(emergency) - reviewers
    for users, address in (
        (reviewers, f"/emergencies/{emergency.id}"),
        (leading, record_address(emergency)),
        (instead - reviewers - leading, "/admin/users"),
    ):
        notify(
            actor,
            users,
            NotificationKind.EMERGENCY_OPENED,
            reference=emergency.record_reference,
            address=address,
        )


def _leading(emergency: Emergency) -> set[UUID]:
    """Who leads the record and reads content. The database tells it to whoever has just opened it."""
    person = sa.func.find_people_of_emergency(emergency.id).column_valued("person")
    reads = [role.value for role, known in ROLES.items() if Permission.CASE_READ in known.permissions]
    held = sa.select(RoleHolding.user_id).where(
        RoleHolding.user_id.in_(sa.select(person)),
        RoleHolding.role.in_(reads),
        sa.or_(RoleHolding.ended_at.is_(None), RoleHolding.ended_at > clock.now()),
    )
    return set(db.session.scalars(held))


def _supervisors(actor: Actor) -> set[UUID]:
    """Of the actor's own employer: those of the team in hand, or else of the partnership."""
    held = _holders(actor.organisation_id, Role.SUPERVISOR, actor.partnership_id) - {actor.user_id}
    members = sa.select(TeamMembership.user_id).where(
        TeamMembership.team_id == actor.team_id,
        TeamMembership.user_id.in_(held),
        sa.or_(TeamMembership.left_at.is_(None), TeamMembership.left_at > clock.now()),
    )
    return set(db.session.scalars(members)) or held


def _holders(organisation_id: UUID, role: Role, partnership_id: UUID | None = None) -> set[UUID]:
    found = (
        sa.select(User.id)
        .join(RoleHolding, RoleHolding.user_id == User.id)
        .where(
            User.organisation_id == organisation_id,
            User.disabled_at.is_(None),
            RoleHolding.role == role.value,
            sa.or_(RoleHolding.ended_at.is_(None), RoleHolding.ended_at > clock.now()),
        )
    )
    if partnership_id is not None:
        found = found.where(RoleHolding.partnership_id == partnership_id)
    return set(db.session.scalars(found))


def close_emergency(actor: Actor, emergency_id: UUID) -> Emergency:
    """The actor gives it back before its time. `NotVisible` for another's, `Conflict` where it has ended."""
    actor.check_may(Permission.EMERGENCY_OPEN)
    emergency = _load_for_change(actor, emergency_id)
    if emergency.user_id != actor.user_id:
        raise NotVisible
    if _ended(emergency):
        raise Conflict("ended_already", "This emergency access has ended already.")
    # by the clock that the rule compares with
    emergency.closed_at = db.session.scalar(sa.select(sa.func.now()))
    db.session.flush()
    append(actor, "emergency.closed", object_id=emergency.id, records=[emergency.record_id])
    return emergency


def review_emergency(actor: Actor, emergency_id: UUID, form: ReviewForm) -> Emergency:
    """Signs off, once it is over. `NotVisible`, `Denied` (own), `Conflict` (still open, signed off already)."""
    actor.check_may(Permission.EMERGENCY_REVIEW)
    emergency = _load_for_change(actor, emergency_id)
    if actor.organisation_id not in (emergency.organisation_id, emergency.owner_organisation_id):
        raise NotVisible
    if db.session.scalar(sa.select(sa.func.is_excluded(emergency.record_id))):
        raise NotVisible
    if emergency.user_id == actor.user_id:
        raise Denied("own_emergency", "Somebody else must review this: you opened it yourself.")
    if emergency.reviewed_at is not None:
        raise Conflict("reviewed_already", "This emergency access has been signed off already.")
    if not _ended(emergency):
        raise Conflict("still_open", "It is still open. Sign it off when it has ended.")
    emergency.reviewed_at, emergency.reviewed_by = clock.now(), actor.user_id
    emergency.outcome, emergency.review_note = form.outcome.value, form.note
    db.session.flush()
    append(
        actor,
        "emergency.reviewed",
        object_id=emergency.id,
        records=[emergency.record_id],
        facts={"outcome": form.outcome.value},
        texts={"note": form.note},
        key_of=emergency.record_id,
    )
    notify(
        actor,
        [emergency.user_id],
        NotificationKind.EMERGENCY_REVIEWED,
        reference=emergency.record_reference,
        address="/emergency",
    )
    return emergency


def _load_for_change(actor: Actor, emergency_id: UUID) -> Emergency:
    found = db.session.scalar(
        sa.select(Emergency)
        .where(Emergency.id == emergency_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotVisible
    return found


def _ended(emergency: Emergency) -> bool:
    now = clock.now()
    closed = emergency.closed_at is not None and emergency.closed_at <= now
    return closed or emergency.expires_at <= now
