"""What the clock does to accounts: it closes those whose last day has passed, and warns of what runs out. Both may run twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from threading import Event
from uuid import UUID

import sqlalchemy as sa
import structlog

from hub.access.actor import Actor
from hub.accounts import service
from hub.accounts.closing import close_accounts, not_closed
from hub.accounts.models import Partnership, Team, TeamMembership, User
from hub.accounts.queries import administrators_of
from hub.accounts.vocabulary import DisabledWhy
from hub.core import clock
from hub.core.errors import Unavailable
from hub.extensions import db
from hub.joining.policy import ConditionState, conditions_of, needs_attention, rules_of
from hub.notifications.actions import notify
from hub.notifications.models import Notification
from hub.notifications.vocabulary import NotificationKind

OWN_ADDRESS = "/account/conditions"
# kind of notice → which of the conditions it is about
WARNINGS = {
    NotificationKind.TRAINING_ENDING: "training",
    NotificationKind.VETTING_ENDING: "vetting",
    NotificationKind.ACCESS_ENDING: "access",
}
RUNNING_OUT = frozenset({ConditionState.RUNS_OUT, ConditionState.RAN_OUT})

log = structlog.get_logger("hub.joining")


def close_ended(stop: Event) -> int:
    """Closes the accounts whose last day has passed; how many. Their sessions are refused since then, with or without this."""
    owners = db.session.scalars(
        sa.select(User.organisation_id).where(*_ended()).order_by(User.organisation_id).distinct()
    ).all()
    db.session.commit()
    closed = 0
    for organisation_id in owners:
        if stop.is_set():
            break
        try:
            with service.acting_for(organisation_id) as actor:
                closed += _close(actor)
                db.session.commit()
        except Unavailable as error:  # one organisation's trouble keeps no other account open
            log.error("not_closed", organisation=str(organisation_id), kind=error.code)
            db.session.rollback()
    return closed


def _ended() -> tuple[sa.ColumnElement[bool], ...]:
    return (User.disabled_at.is_(None), User.access_ends_on < clock.today())


def _close(actor: Actor) -> int:
    users = db.session.scalars(
        sa.select(User)
        .where(User.organisation_id == actor.organisation_id, *_ended())
        .order_by(User.id)
        .with_for_update()
    ).all()
    close_accounts(actor, users, DisabledWhy.ENDED)
    return len(users)


@dataclass(frozen=True)
class RunningOut:
    """One thing that runs out: whose, what, and its last day, by which it is known whether it was told of."""

    user_id: UUID
    kind: NotificationKind
    until: date

    @property
    def reference(self) -> str:
        return f"{self.kind.value.partition('.')[0]}-{self.until.isoformat()}"


def warn_of_conditions(stop: Event) -> int:
    """Tells each user, and the administrators of the organisation, once of what runs out soon; how many things."""
    found: dict[UUID, set[UUID]] = defaultdict(set)
    for partnership_id in db.session.scalars(sa.select(Partnership.id).order_by(Partnership.id)).all():
        waiting = (
            sa.select(User.organisation_id, User.id)
            .where(
                User.id.in_(_people_in(partnership_id)),
                needs_attention(clock.today(), rules_of(partnership_id)),
            )
            .distinct()
        )
        for organisation_id, user_id in db.session.execute(waiting):
            found[organisation_id].add(user_id)
    db.session.commit()
    warned = 0
    for organisation_id in sorted(found):
        if stop.is_set():
            break
        try:
            warned += _warn(organisation_id, found[organisation_id])
        except Unavailable as error:  # one organisation's trouble keeps nobody else from being told
            log.error("not_warned", organisation=str(organisation_id), kind=error.code)
            db.session.rollback()
    return warned


def _people_in(partnership_id: UUID) -> sa.Select[UUID]:
    """Open accounts with a place in a team there; the hub's own have none."""
    return (
        sa.select(User.id)
        .join(TeamMembership, TeamMembership.user_id == User.id)
        .join(Team, Team.id == TeamMembership.team_id)
        .where(
            Team.partnership_id == partnership_id,
            sa.or_(TeamMembership.left_at.is_(None), TeamMembership.left_at > clock.now()),
            not_closed(),
        )
    )


def _warn(organisation_id: UUID, user_ids: set[UUID]) -> int:
    if not _untold(user_ids):
        return 0
    with service.acting_for(organisation_id) as actor:
        # two workers may come here at once: the second waits, and finds that it was done
        db.session.execute(
            sa.select(User.id).where(User.id.in_(user_ids)).order_by(User.id).with_for_update()
        ).all()
        waiting = _untold(user_ids)
        administrators = set(db.session.scalars(administrators_of([organisation_id])))
        for one in waiting:
            _tell(actor, one, administrators - {one.user_id})
        db.session.commit()
    return len(waiting)


def _tell(actor: Actor, one: RunningOut, administrators: set[UUID]) -> None:
    notify(actor, [one.user_id], one.kind, reference=one.reference, address=OWN_ADDRESS)
    address = f"/admin/users/{one.user_id}"
    notify(actor, administrators, one.kind, reference=one.reference, address=address)


def _untold(user_ids: set[UUID]) -> list[RunningOut]:
    """What runs out soon or did, and its user has had no notice of."""
    wanted = list(_warnings(user_ids))
    had = db.session.execute(
        sa.select(Notification.user_id, Notification.kind, Notification.reference).where(
            Notification.user_id.in_({one.user_id for one in wanted}),
            Notification.kind.in_([kind.value for kind in WARNINGS]),
            Notification.address == OWN_ADDRESS,
        )
    )
    told = {tuple(row) for row in had}
    return [one for one in wanted if (one.user_id, one.kind.value, one.reference) not in told]


def _warnings(user_ids: set[UUID]) -> Iterator[RunningOut]:
    """Where somebody works in several partnerships, what the one that asks for most says."""
    areas = _partnerships_of(user_ids)
    rules = {area: rules_of(area) for area in {one for own in areas.values() for one in own}}
    users = db.session.scalars(
        sa.select(User).where(User.id.in_(user_ids), not_closed()).order_by(User.id)
    ).all()
    for user in users:
        standings = [conditions_of(user, clock.today(), rules[area]) for area in areas.get(user.id, ())]
        for kind, name in WARNINGS.items():
            stand = [getattr(one, name) for one in standings]
            ends = [one.until for one in stand if one.state in RUNNING_OUT]
            if ends:
                yield RunningOut(user.id, kind, min(ends))


def _partnerships_of(user_ids: set[UUID]) -> dict[UUID, Sequence[UUID]]:
    found: dict[UUID, list[UUID]] = defaultdict(list)
    rows = db.session.execute(
        sa.select(TeamMembership.user_id, Team.partnership_id)
        .join(Team, Team.id == TeamMembership.team_id)
        .where(
            TeamMembership.user_id.in_(user_ids),
            sa.or_(TeamMembership.left_at.is_(None), TeamMembership.left_at > clock.now()),
        )
        .distinct()
    )
    for user_id, partnership_id in rows:
        found[user_id].append(partnership_id)
    return dict(found)
