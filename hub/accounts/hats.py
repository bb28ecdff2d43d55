"""Which hat a session begins in: the one that its user wore last, as long as it is still theirs to wear."""

from __future__ import annotations

import sqlalchemy as sa

from hub.access.actor import Source
from hub.access.models import Agreement, AgreementParty, AgreementPurpose
from hub.accounts.models import Team, TeamMembership, User, UserSession
from hub.core import clock
from hub.extensions import db


def worn_last(user: User) -> tuple[Team, str] | None:
    """Team and purpose of the session that the user used last; None where there is none, or they have left that team.

    A purpose other than the team's own is kept as long as an agreement in force permits it: else the team's own is taken.
    """
    now = clock.now()
    row = db.session.execute(
        sa.select(Team, UserSession.purpose, TeamMembership.user_id)
        .select_from(UserSession)
        .join(Team, Team.id == UserSession.team_id)
        .outerjoin(
            TeamMembership,
            sa.and_(
                TeamMembership.team_id == UserSession.team_id,
                TeamMembership.user_id == UserSession.user_id,
                sa.or_(TeamMembership.left_at.is_(None), TeamMembership.left_at > now),
            ),
        )
        .where(UserSession.user_id == user.id, UserSession.kind == Source.WEB.value)
        .order_by(UserSession.last_seen_at.desc(), UserSession.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None or row.user_id is None:
        return None
    team: Team = row[0]
    kept = row.purpose == team.default_purpose or row.purpose in permitted_purposes(user)
    return team, row.purpose if kept else team.default_purpose


def permitted_purposes(user: User) -> frozenset[str]:
    """The purposes that an agreement in force of the user's organisation permits."""
    now = clock.now()
    return frozenset(
        db.session.scalars(
            sa.select(AgreementPurpose.purpose)
            .join(Agreement, Agreement.id == AgreementPurpose.agreement_id)
            .join(AgreementParty, AgreementParty.agreement_id == Agreement.id)
            .where(
                AgreementParty.organisation_id == user.organisation_id,
                Agreement.in_force_at <= now,
                Agreement.ends_at > now,
                sa.or_(Agreement.suspended_at.is_(None), Agreement.suspended_at > now),
            )
            .distinct()
        )
    )
