"""Reads of shares: who a record is shared with, what is shared with us, what waits for an answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Agreement, Grant, Record
from hub.access.permissions import Permission
from hub.access.vocabulary import GrantState
from hub.accounts.queries import organisation_names, team_names, user_names
from hub.agreements.policy import standing_of
from hub.audit import reading
from hub.audit.reading import Shown
from hub.core import clock
from hub.core.errors import NotVisible
from hub.core.paging import PAGE_SIZE, Cursor
from hub.extensions import db
from hub.sharing.policy import state_of
from hub.sharing.vocabulary import ShareState

# what one look at *Shared with us* shows of each kind, and how far a count goes
SHOWN, CAP = 50, 1_001


@dataclass(frozen=True)
class GrantRow:
    """A share with the names that a page needs."""

    grant: Grant
    state: ShareState
    owner_name: str
    to_name: str
    to_detail: str
    requested_by: str
    answered_by: str
    revoked_by: str
    agreement: str

    @property
    def last_day(self) -> datetime | None:
        """A moment in the last day of the share: one that ends at midnight ends the day before."""
        return self.grant.last_moment


@dataclass(frozen=True)
class SharedWithUs:
    """Live shares under the purpose in hand, those that wait for an answer, and those that are over."""

    live: Sequence[GrantRow]
    waiting: Sequence[GrantRow]
    ended: Sequence[GrantRow]
    # the lead organisations of all live shares, by id
    owners: Mapping[UUID, str]
    next_cursor: str | None


def find_grants_of(actor: Actor, record_id: UUID) -> list[GrantRow]:
    """All shares of one record that the actor may read, newest first: all for its lead, else those made to the actor's own."""
    grants = db.session.scalars(
        sa.select(Grant)
        .where(Grant.record_id == record_id)
        .order_by(Grant.created_at.desc(), Grant.id.desc())
    ).all()
    return _rows(actor, grants)


def find_grant(actor: Actor, grant_id: UUID) -> GrantRow | None:
    grant = db.session.scalar(sa.select(Grant).where(Grant.id == grant_id))
    return _rows(actor, [grant])[0] if grant is not None else None


def load_for_change(actor: Actor, grant_id: UUID) -> Grant:
    """A grant that the actor leads or received, locked until the end of the transaction. Raises `NotVisible`."""
    grant = db.session.scalar(sa.select(Grant).where(Grant.id == grant_id).with_for_update())
    if grant is None:
        raise NotVisible
    return grant


def list_shared(
    actor: Actor, *, owner_id: UUID | None = None, after: Cursor | None = None, also: Iterable[UUID] = ()
) -> SharedWithUs:
    """What is shared with the actor under the purpose in hand, newest first, a page of live ones at a time.

    Logged with the records whose share is live. `owner_id` keeps to one lead organisation; `also` are the records of what
    else the page shows (own contributions).
    """
    mine = (*_to_me(actor), _under_purpose(actor))
    open_to_me = Grant.record_id.in_(sa.select(Record.id))
    holds = (Grant.state == GrantState.ACCEPTED.value, *_not_over(clock.now()), open_to_me)
    live_ids = _live_page(
        sa.select(Grant.id, Grant.record_id, Grant.starts_at).where(*mine, *holds), owner_id, after
    )
    owners = db.session.scalars(sa.select(Grant.owner_organisation_id).where(*mine, *holds).distinct()).all()
    waiting = db.session.scalars(sa.select(Grant.id).where(*mine, *_pending_now()).limit(SHOWN)).all()
    over = sa.select(Grant.id).where(*mine, ~sa.and_(*holds), ~sa.and_(*_pending_now()))
    ended = db.session.scalars(over.order_by(Grant.id.desc()).limit(SHOWN)).all()
    page, more = live_ids[:PAGE_SIZE], len(live_ids) > PAGE_SIZE
    reading.listed(actor, "share.listed", Shown(records=[*(row.record_id for row in page), *also]))
    order = [*(row.id for row in page), *waiting, *ended]
    grants = {one.id: one for one in db.session.scalars(sa.select(Grant).where(Grant.id.in_(order)))}
    rows = {row.grant.id: row for row in _rows(actor, [grants[key] for key in order if key in grants])}
    return SharedWithUs(
        live=[rows[row.id] for row in page if row.id in rows],
        waiting=[rows[key] for key in waiting if key in rows],
        ended=[rows[key] for key in ended if key in rows],
        owners=organisation_names(owners),
        next_cursor=str(Cursor(page[-1].starts_at, page[-1].id)) if more else None,
    )


def _live_page(
    statement: sa.Select[Any, Any, Any], owner_id: UUID | None, after: Cursor | None
) -> Sequence[Any]:
    if owner_id is not None:
        statement = statement.where(Grant.owner_organisation_id == owner_id)
    if after is not None:
        statement = statement.where(sa.tuple_(Grant.starts_at, Grant.id) < sa.tuple_(after.at, after.id))
    ordered = statement.order_by(Grant.starts_at.desc(), Grant.id.desc()).limit(PAGE_SIZE + 1)
    return db.session.execute(ordered).all()


def waiting_count(actor: Actor) -> int:
    """How many shares wait for the actor's answer under the purpose in hand, up to a cap."""
    if not actor.may(Permission.SHARE_ANSWER):
        return 0
    waiting = sa.select(Grant.id).where(*_to_me(actor), _under_purpose(actor), *_pending_now()).limit(CAP)
    return db.session.scalar(sa.select(sa.func.count()).select_from(waiting.subquery())) or 0


def waiting_under_other_purposes(actor: Actor) -> dict[str, int]:
    """Purpose → how many shares, live or to answer, the actor would see under it and doesn't under the one in hand."""
    now = clock.now()
    rows = db.session.execute(
        sa.select(Grant.purpose, sa.func.count())
        .join(Agreement, Agreement.id == Grant.agreement_id)
        .where(
            *_to_me(actor),
            Grant.purpose != actor.purpose,
            Grant.state != GrantState.REJECTED.value,
            *_not_over(now),
            Agreement.in_force_at <= now,
            Agreement.starts_at <= now,
            Agreement.ends_at > now,
            sa.or_(Agreement.suspended_at.is_(None), Agreement.suspended_at > now),
        )
        .group_by(Grant.purpose)
        .order_by(Grant.purpose)
    )
    return {str(purpose): int(number) for purpose, number in rows}


def _to_me(actor: Actor) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        Grant.to_organisation_id == actor.organisation_id,
        sa.or_(Grant.to_team_id.is_(None), Grant.to_team_id == actor.team_id),
        sa.or_(Grant.to_user_id.is_(None), Grant.to_user_id == actor.user_id),
        # within one's own organisation a share is to a team or a user; the lead's own copy isn't "shared with us"
        sa.or_(Grant.owner_organisation_id != actor.organisation_id, Grant.lead_team_id != actor.team_id),
    )


def _under_purpose(actor: Actor) -> sa.ColumnElement[bool]:
    return sa.or_(Grant.agreement_id.is_(None), Grant.purpose == actor.purpose)


def _not_over(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        sa.or_(Grant.ends_at.is_(None), Grant.ends_at > now),
        sa.or_(Grant.revoked_at.is_(None), Grant.revoked_at > now),
    )


def _pending_now() -> tuple[sa.ColumnElement[bool], ...]:
    return (Grant.state == GrantState.PENDING.value, *_not_over(clock.now()))


def _rows(actor: Actor, grants: Sequence[Grant]) -> list[GrantRow]:
    now = clock.now()
    agreements = {
        one.id: one
        for one in db.session.scalars(
            sa.select(Agreement).where(
                Agreement.id.in_({one.agreement_id for one in grants if one.agreement_id})
            )
        )
    }
    organisations = organisation_names(
        key for one in grants for key in (one.to_organisation_id, one.owner_organisation_id)
    )
    teams = team_names(one.to_team_id for one in grants if one.to_team_id)
    users = user_names(_users_of(grants))
    rows = []
    for one in grants:
        agreement = agreements.get(one.agreement_id) if one.agreement_id else None
        live = agreement is None or standing_of(agreement, now).live
        rows.append(
            GrantRow(
                grant=one,
                state=state_of(one, now, agreement_live=live),
                owner_name=organisations[one.owner_organisation_id],
                to_name=organisations[one.to_organisation_id],
                to_detail=teams.get(one.to_team_id, "")
                if one.to_team_id
                else users.get(one.to_user_id or one.id, ""),
                requested_by=users.get(one.requested_by, ""),
                answered_by=users.get(one.answered_by, "") if one.answered_by else "",
                revoked_by=users.get(one.revoked_by, "") if one.revoked_by else "",
                agreement=f"{agreement.title} ({agreement.reference})" if agreement else "",
            )
        )
    return rows


def _users_of(grants: Iterable[Grant]) -> set[UUID]:
    named = ((one.to_user_id, one.requested_by, one.answered_by, one.revoked_by) for one in grants)
    return {key for keys in named for key in keys if key}
