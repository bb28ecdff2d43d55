"""By which right a reader sees a record: the lead team, a share, an emergency, an own contribution."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.access.actor import Actor
from hub.access.models import Emergency, Grant, Record, RecordTeam
from hub.access.vocabulary import GrantState, Section
from hub.core import clock
from hub.core.errors import Denied, NotVisible


@dataclass(frozen=True)
class Right:
    """`via` is lead, organisation, share, emergency or none; `grant` is the share it stands on."""

    via: str
    grant: Grant | None = None

    @property
    def leads(self) -> bool:
        return self.via in ("lead", "organisation")


def live_grants(actor: Actor, record_id: UUID, *, session: Session) -> list[Grant]:
    """The accepted grants of one record made to the actor that hold now under the purpose in hand, newest first."""
    now = clock.now()
    grants = session.scalars(
        sa.select(Grant)
        .where(
            Grant.record_id == record_id,
            Grant.to_organisation_id == actor.organisation_id,
            sa.or_(Grant.to_team_id.is_(None), Grant.to_team_id == actor.team_id),
            sa.or_(Grant.to_user_id.is_(None), Grant.to_user_id == actor.user_id),
            sa.or_(Grant.purpose.is_(None), Grant.purpose == actor.purpose, Grant.agreement_id.is_(None)),
            Grant.state == GrantState.ACCEPTED.value,
            Grant.starts_at <= now,
            sa.or_(Grant.ends_at.is_(None), Grant.ends_at > now),
            sa.or_(Grant.revoked_at.is_(None), Grant.revoked_at > now),
        )
        .order_by(Grant.starts_at.desc())
    )
    return list(grants)


def _cleared(actor: Actor, record: Record, *, session: Session) -> bool:
    """Whether leading would be enough: a restricted or higher marked record may be open by an emergency alone."""
    if record.marking > actor.clearance:
        return False
    if not record.restricted:
        return True
    named = sa.select(RecordTeam.record_id).where(
        RecordTeam.record_id == record.id, RecordTeam.user_id == actor.user_id
    )
    return session.scalar(named) is not None


def right_to(actor: Actor, record_id: UUID, *, session: Session) -> Right | None:
    """By which right the actor sees the record now; None where the clause does not show it at all."""
    record = session.scalar(sa.select(Record).where(Record.id == record_id))
    if record is None:
        return None
    if record.partnership_id == actor.partnership_id and _cleared(actor, record, session=session):
        if record.lead_team_id == actor.team_id:
            return Right("lead")
        if record.open_to_owner and record.owner_organisation_id == actor.organisation_id:
            return Right("organisation")
    grants = live_grants(actor, record_id, session=session)
    if grants:
        return Right("share", grants[0])
    opened = session.scalar(
        sa.select(Emergency.id)
        .where(Emergency.record_id == record_id, Emergency.user_id == actor.user_id)
        .limit(1)
    )
    return Right("emergency") if opened else Right("none")


def grantable_sections(right: Right, grants: list[Grant]) -> frozenset[str] | None:
    """The sections that a reader by share may read; None for all."""
    if right.leads or right.via == "emergency":
        return None
    return frozenset(section for grant in grants for section in grant.sections)


def may_add(right: Right, grants: list[Grant], section: Section) -> bool:
    """One leads the record, or holds a share that lets one contribute to that section."""
    return right.leads or any(grant.may_contribute and section.value in grant.sections for grant in grants)


def check_may_add(actor: Actor, record_id: UUID, section: Section, *, session: Session) -> Right:
    """Raises `NotVisible` for a hidden record, `Denied` where the actor may only read it. The database's wall agrees."""
    right = right_to(actor, record_id, session=session)
    if right is None:
        raise NotVisible
    grants = [] if right.leads else live_grants(actor, record_id, session=session)
    if not may_add(right, grants, section):
        raise Denied("no_contribution", "You can read this record but not add to it. Nothing was saved.")
    return right
