"""Whom a share concerns: the people who are told that one waits, was answered or was ended."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from hub.access.actions import REFERENCE_KIND
from hub.access.actor import Actor
from hub.access.models import AgreementParty, Grant
from hub.access.permissions import ROLES, Permission
from hub.access.vocabulary import RecordKind
from hub.accounts.models import RoleHolding, Team, TeamMembership, User
from hub.core import clock
from hub.extensions import db
from hub.notifications.actions import notify
from hub.notifications.vocabulary import NotificationKind

SHARED_ADDRESS = "/shared"


def recipients_of(actor: Actor, grant: Grant) -> list[UUID]:
    """Those whom a share reaches, but for the actor."""
    return users_reached(
        actor,
        grant.to_organisation_id,
        grant.to_team_id,
        grant.to_user_id,
        grant.partnership_id,
        agreement_id=grant.agreement_id,
        fact=grant.fact_only,
    )


def tell_recipients(actor: Actor, grant: Grant, kind: NotificationKind) -> None:
    """Leaves a notice for those whom a share reaches; it leads to *Shared with us*."""
    notify(actor, recipients_of(actor, grant), kind, reference=grant.record_reference, address=SHARED_ADDRESS)


def address_of(record_id: UUID, reference: str) -> str:
    """Where the lead finds the shares of a record: references tell its kind."""
    if f"-{REFERENCE_KIND[RecordKind.CASE]}-" in reference:
        return f"/cases/{record_id}/sharing"
    return f"/incidents/{record_id}/sharing"


def users_reached(
    actor: Actor,
    organisation_id: UUID,
    team_id: UUID | None,
    user_id: UUID | None,
    partnership_id: UUID,
    *,
    agreement_id: UUID | None = None,
    fact: bool = False,
) -> list[UUID]:
    """The named user; or those of the team, or of the organisation's teams in that partnership, who may answer.

    Of a co-located team also those whose own employer is party to the agreement; of an organisation that has no team in
    the partnership, those of all its teams. Of a single `fact` also those whose role reads nothing else.
    """
    if user_id is not None:
        return [user_id]
    if team_id is not None:
        employer = User.organisation_id == organisation_id
        if agreement_id is not None:
            employer = sa.or_(employer, User.organisation_id.in_(parties_to(agreement_id)))
        return _answering(actor, Team.id == team_id, employer, fact)
    employed = User.organisation_id == organisation_id
    near = _answering(actor, Team.partnership_id == partnership_id, employed, fact)
    return near or _answering(actor, sa.true(), employed, fact)


def parties_to(agreement_id: UUID) -> sa.Select[UUID]:
    """The organisations that are party to an agreement now."""
    now = clock.now()
    return sa.select(AgreementParty.organisation_id).where(
        AgreementParty.agreement_id == agreement_id,
        AgreementParty.joined_at <= now,
        sa.or_(AgreementParty.left_at.is_(None), AgreementParty.left_at > now),
    )


def _answering(
    actor: Actor, of_team: sa.ColumnElement[bool], employed: sa.ColumnElement[bool], fact: bool
) -> list[UUID]:
    now = clock.now()
    needed = {Permission.SHARE_ANSWER} if fact else {Permission.SHARE_ANSWER, Permission.CASE_READ}
    may_answer = [role.value for role, known in ROLES.items() if needed <= known.permissions]
    members = (
        sa.select(TeamMembership.user_id)
        .join(Team, Team.id == TeamMembership.team_id)
        .where(of_team, sa.or_(TeamMembership.left_at.is_(None), TeamMembership.left_at > now))
    )
    holders = sa.select(RoleHolding.user_id).where(
        RoleHolding.role.in_(may_answer), sa.or_(RoleHolding.ended_at.is_(None), RoleHolding.ended_at > now)
    )
    found = db.session.scalars(
        sa.select(User.id)
        .where(
            employed,
            User.disabled_at.is_(None),
            User.id.in_(members),
            User.id.in_(holders),
            User.id != actor.user_id,
        )
        .order_by(User.id)
    )
    return list(found)
