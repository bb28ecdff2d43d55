"""Tells the supervisors of a team that open cases are left without an officer who can work on them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from threading import Event
from uuid import UUID

import sqlalchemy as sa
import structlog

from hub.access.actor import Actor
from hub.access.permissions import ROLES, Permission
from hub.accounts import service
from hub.accounts.models import RoleHolding, Team, TeamMembership, User
from hub.core import clock
from hub.core.errors import Unavailable
from hub.extensions import db
from hub.notifications.actions import notify
from hub.notifications.models import Notification
from hub.notifications.vocabulary import NotificationKind

# the team stands in it, so that each is told of by itself
ADDRESS = "/cases?scope=stranded&of={team}"

log = structlog.get_logger("hub.stranded")
_found = sa.func.find_stranded_leads().table_valued(
    "organisation_id", "team_id", "officer_id", sa.column("since", sa.DateTime(timezone=True)), "cases"
)


def tell_of_stranded_cases(stop: Event) -> int:
    """One notice to each supervisor of a team for each time somebody leaves cases behind; how many notices."""
    rows = db.session.execute(
        sa.select(_found.c.organisation_id, _found.c.team_id, sa.func.max(_found.c.since))
        .group_by(_found.c.organisation_id, _found.c.team_id)
        .order_by(_found.c.organisation_id, _found.c.team_id)
    ).all()
    db.session.commit()
    told = 0
    for organisation_id, teams in groupby(rows, itemgetter(0)):
        if stop.is_set():
            break
        try:
            told += _tell(organisation_id, [(team, since) for _, team, since in teams])
        except Unavailable as error:  # one organisation's trouble keeps nobody else from being told
            log.error("stranded_cases_not_told", organisation=str(organisation_id), kind=error.code)
            db.session.rollback()
    return told


def _tell(organisation_id: UUID, teams: Sequence[tuple[UUID, datetime]]) -> int:
    waiting = [(team, people) for team, since in teams if (people := _not_told(team, since))]
    if not waiting:
        return 0
    told = 0
    with service.acting_for(organisation_id) as actor:
        for team, people in waiting:
            told += _notify(actor, team, people)
            db.session.commit()
    return told


def _notify(actor: Actor, team_id: UUID, people: Sequence[UUID]) -> int:
    return notify(
        actor,
        people,
        NotificationKind.CASES_WITHOUT_OFFICER,
        reference="your-team",
        address=ADDRESS.format(team=team_id),
    )


def _not_told(team_id: UUID, since: datetime) -> Sequence[UUID]:
    """The team's supervisors of its own organisation who have had no notice since then."""
    closers = [role.value for role, one in ROLES.items() if Permission.CASE_CLOSE in one.permissions]
    now = clock.now()
    had = sa.select(Notification.id).where(
        Notification.user_id == User.id,
        Notification.kind == NotificationKind.CASES_WITHOUT_OFFICER.value,
        Notification.address == ADDRESS.format(team=team_id),
        Notification.created_at >= since,
    )
    return db.session.scalars(
        sa.select(User.id)
        .join(TeamMembership, TeamMembership.user_id == User.id)
        .join(Team, Team.id == TeamMembership.team_id)
        .join(
            RoleHolding,
            sa.and_(RoleHolding.user_id == User.id, RoleHolding.partnership_id == Team.partnership_id),
        )
        .where(
            Team.id == team_id,
            User.organisation_id == Team.organisation_id,
            User.disabled_at.is_(None),
            sa.or_(TeamMembership.left_at.is_(None), TeamMembership.left_at > now),
            RoleHolding.role.in_(closers),
            sa.or_(RoleHolding.ended_at.is_(None), RoleHolding.ended_at > now),
            ~had.exists(),
        )
        .distinct()
    ).all()
