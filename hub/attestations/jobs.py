"""The monthly round: each organisation's access list is made and told of; what nobody confirmed in time is suspended.

It may run twice, or in two workers at once: a list is made once a month, and closed once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from threading import Event
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from hub.access.actor import Actor
from hub.accounts import service
from hub.accounts.closing import close_accounts
from hub.accounts.models import Organisation, Team, TeamMembership, User
from hub.accounts.queries import administrators_of, is_person
from hub.accounts.several import values_by_organisation
from hub.accounts.vocabulary import DisabledWhy
from hub.attestations.models import Attestation, AttestationLine
from hub.attestations.policy import due_of, month_of
from hub.audit.recording import append
from hub.core import clock
from hub.core.ids import new_id
from hub.extensions import db
from hub.notifications.actions import notify
from hub.notifications.vocabulary import NotificationKind
from hub.settings.catalogue import ATTESTATION_DAYS

ADDRESS = "/admin/attestation"


def attest_access(stop: Event) -> int:
    """Closes the lists that are due and makes this month's; returns how many of both."""
    now = clock.now()
    done = 0
    # first what is due, so that who was suspended is not on the next list
    for find, act in ((_with_due_list, _close), (_without_list, _make)):
        for organisation_id in find(now):
            if stop.is_set():
                return done
            with service.acting_for(organisation_id) as actor:
                done += act(actor, now)
                db.session.commit()
    return done


def _without_list(now: datetime) -> Sequence[UUID]:
    """Organisations that have a team and somebody in it, and no list of the month yet."""
    listed = sa.select(Attestation.organisation_id).where(Attestation.month == month_of(now))
    found = db.session.scalars(
        sa.select(Organisation.id)
        .where(
            Organisation.id.in_(_people().with_only_columns(User.organisation_id)),
            # background work acts in the organisation's first team
            Organisation.id.in_(sa.select(Team.organisation_id)),
            Organisation.id.not_in(listed),
        )
        .order_by(Organisation.id)
    ).all()
    db.session.commit()
    return found


def _people() -> sa.Select[UUID]:
    """Users with an account and a place in a team: the hub's own service accounts have none."""
    return (
        sa.select(User.id)
        .join(TeamMembership, TeamMembership.user_id == User.id)
        .where(User.disabled_at.is_(None), is_person())
        .distinct()
    )


def _with_due_list(now: datetime) -> Sequence[UUID]:
    found = db.session.scalars(
        sa.select(Attestation.organisation_id)
        .where(Attestation.closed_at.is_(None), Attestation.due_at <= now)
        .order_by(Attestation.organisation_id)
        .distinct()
    ).all()
    db.session.commit()
    return found


def _make(actor: Actor, now: datetime) -> int:
    values = values_by_organisation(actor.organisation_id)[actor.organisation_id]
    attestation_id = db.session.execute(
        insert(Attestation)
        .values(
            id=new_id(),
            created_at=now,
            organisation_id=actor.organisation_id,
            month=month_of(now),
            due_at=due_of(now, max(one[ATTESTATION_DAYS] for one in values)),
            revision=1,
        )
        .on_conflict_do_nothing()
        .returning(Attestation.id)
    ).scalar()
    if attestation_id is None:
        return 0
    users = db.session.scalars(_people().where(User.organisation_id == actor.organisation_id)).all()
    db.session.execute(
        sa.insert(AttestationLine), [{"attestation_id": attestation_id, "user_id": one} for one in users]
    )
    append(actor, "attestation.made", object_id=attestation_id, version=1, counted=len(users))
    _tell(actor, month_of(now))
    return 1


def _close(actor: Actor, now: datetime) -> int:
    due = db.session.scalars(
        sa.select(Attestation)
        .where(
            Attestation.organisation_id == actor.organisation_id,
            Attestation.closed_at.is_(None),
            Attestation.due_at <= now,
        )
        .with_for_update()
    ).all()
    for attestation in due:
        suspended = _unconfirmed(actor, attestation.id)
        close_accounts(actor, suspended, DisabledWhy.NOT_ATTESTED)
        db.session.execute(
            sa.update(AttestationLine)
            .where(
                AttestationLine.attestation_id == attestation.id,
                AttestationLine.user_id.in_(user.id for user in suspended),
            )
            .values(suspended_at=now)
        )
        attestation.closed_at = now
        db.session.flush()
        append(
            actor,
            "attestation.closed",
            object_id=attestation.id,
            version=attestation.revision,
            counted=len(suspended),
            facts={"users": len(suspended)},
        )
        if suspended:
            _tell(actor, attestation.month)
    return len(due)


def _unconfirmed(actor: Actor, attestation_id: UUID) -> list[User]:
    """Who was not confirmed. Where that would leave no administrator at all, the administrators stay.

    They read no content, and without one nobody could open the other accounts again.
    """
    users = db.session.scalars(
        sa.select(User)
        .join(AttestationLine, AttestationLine.user_id == User.id)
        .where(
            AttestationLine.attestation_id == attestation_id,
            AttestationLine.confirmed_at.is_(None),
            User.disabled_at.is_(None),
        )
        .order_by(User.id)
        .with_for_update(of=User)
    ).all()
    ids = {user.id for user in users}
    administrators = set(db.session.scalars(administrators_of([actor.organisation_id])))
    spared = administrators if administrators <= ids else set()
    return [user for user in users if user.id not in spared]


def _tell(actor: Actor, month: str) -> None:
    administrators = db.session.scalars(administrators_of([actor.organisation_id])).all()
    notify(
        actor, administrators, NotificationKind.ATTESTATION_DUE, reference=f"access-{month}", address=ADDRESS
    )
