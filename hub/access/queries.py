"""By which right a reader sees a record: the lead team, a share, an emergency, an own contribution."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.access.actor import Actor
from hub.access.guard import bound_terms
from hub.access.models import Emergency, Grant, Record
from hub.access.policy import change_record
from hub.access.sets import my_live_grants
from hub.access.vocabulary import Section
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
    """The grants of one record by which the actor may read it now under the purpose in hand, newest first."""
    return list(session.scalars(_live_grants(), {"record": record_id}))


@functools.cache
def _live_grants() -> sa.Select[Grant]:
    """Built once, as the guard's options are: its values are read when it runs."""
    return (
        sa.select(Grant)
        .where(
            Grant.record_id == sa.bindparam("record", type_=sa.Uuid()),
            Grant.fact_only.is_(False),
            Grant.id.in_(my_live_grants(bound_terms())),
        )
        .order_by(Grant.starts_at.desc())
    )


def right_to(actor: Actor, record_id: UUID, *, session: Session) -> Right | None:
    """By which right the actor sees the record now; None where the clause does not show it at all."""
    found = session.execute(_leading(), {"record": record_id}).one_or_none()
    if found is None:
        return None
    if found.leading:
        return Right("lead" if found.lead_team_id == actor.team_id else "organisation")
    grants = live_grants(actor, record_id, session=session)
    if grants:
        return Right("share", grants[0])
    opened = session.scalar(
        sa.select(Emergency.id)
        .where(Emergency.record_id == record_id, Emergency.id.in_(_open_emergencies(actor)))
        .limit(1)
    )
    return Right("emergency") if opened else Right("none")


@functools.cache
def _leading() -> sa.Select[UUID, bool]:
    leading = change_record(Record, Record.id, bound_terms())
    return sa.select(Record.lead_team_id, leading.label("leading")).where(
        Record.id == sa.bindparam("record", type_=sa.Uuid())
    )


def _open_emergencies(actor: Actor) -> sa.Select[UUID]:
    now = clock.now()
    return sa.select(Emergency.id).where(
        Emergency.user_id == actor.user_id,
        Emergency.expires_at > now,
        sa.or_(Emergency.closed_at.is_(None), Emergency.closed_at > now),
    )


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
