"""Reads of shares: who a record is shared with, what is shared with us, what waits for an answer."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Agreement, AgreementParty, Grant, Involvement, Record
from hub.access.permissions import Permission
from hub.access.vocabulary import PURPOSE_LABELS, SECTION_LABELS, GrantState, Marking, Purpose
from hub.accounts.queries import organisation_names, team_names, user_names
from hub.agreements.policy import standing_of
from hub.agreements.vocabulary import GATEWAYS, LAWFUL_BASES
from hub.audit import reading
from hub.audit.reading import Shown
from hub.core import clock
from hub.core.errors import NotVisible
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.extensions import db
from hub.sharing.models import SharedFact
from hub.sharing.policy import state_of
from hub.sharing.vocabulary import STATE_LABELS, ShareState

# how far a count goes
CAP = 1_001


class SharedView(enum.StrEnum):
    """The parts of *Shared with us* that are shares."""

    LIVE = "live"
    WAITING = "waiting"
    ENDED = "ended"


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

    @property
    def purpose(self) -> str:
        """In words; empty within the owner organisation, where a share holds under every purpose."""
        return PURPOSE_LABELS[Purpose(self.grant.purpose)] if self.grant.purpose else ""

    @property
    def gateway(self) -> str:
        return GATEWAYS.get(self.grant.gateway or "", "")

    @property
    def basis(self) -> str:
        return LAWFUL_BASES.get(self.grant.lawful_basis or "", "")

    @property
    def sections(self) -> list[str]:
        return [label for one, label in SECTION_LABELS.items() if one.value in self.grant.sections]

    @property
    def marking(self) -> str:
        return Marking(self.grant.max_marking).label

    @property
    def agreement_href(self) -> str:
        return f"/agreements/{self.grant.agreement_id}" if self.grant.agreement_id else ""

    @property
    def state_words(self) -> str:
        """How it stands; of one that ended with something else, with what."""
        ended_with = self.grant.closed_with if self.state is ShareState.REVOKED else None
        if ended_with is None:
            return STATE_LABELS[self.state]
        if ended_with == self.grant.agreement_id:
            return "Ended with its agreement"
        return (
            "Ended: consent withdrawn" if ended_with == self.grant.consent_id else "Ended with the hand-over"
        )


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


def find_rows(actor: Actor, grants: Sequence[Grant]) -> list[GrantRow]:
    """Shares that were read already, with their names."""
    return _rows(actor, grants) if grants else []


def load_for_change(actor: Actor, grant_id: UUID) -> Grant:
    """A grant that the actor leads or received, locked until the end of the transaction. Raises `NotVisible`."""
    grant = db.session.scalar(sa.select(Grant).where(Grant.id == grant_id).with_for_update())
    if grant is None:
        raise NotVisible
    return grant


def find_people_in(actor: Actor, record_id: UUID, sections: Sequence[str]) -> list[UUID]:
    """Ids of the people whom these sections of a record name, as far as the actor may read that they do."""
    found = db.session.scalars(
        sa.select(Involvement.person_id)
        .where(
            Involvement.record_id == record_id,
            Involvement.section.in_(sections),
            Involvement.person_id.is_not(None),
        )
        .distinct()
    )
    return [key for key in found if key is not None]


def list_shared(
    actor: Actor,
    view: SharedView = SharedView.LIVE,
    *,
    owner_id: UUID | None = None,
    after: Cursor | None = None,
) -> Page[GrantRow]:
    """A page of the shares with the actor under the purpose in hand: live ones and ended ones newest first, those that
    wait for an answer oldest first.

    Logged with the records that the page shows anything of: those whose share is live. `owner_id` keeps to one lead
    organisation.
    """
    actor.check_may(Permission.SHARE_READ)
    at = Grant.starts_at if view is SharedView.LIVE else Grant.created_at
    statement = sa.select(Grant.id, Grant.record_id, at.label("at")).where(*_in_view(actor, view))
    if owner_id is not None:
        statement = statement.where(Grant.owner_organisation_id == owner_id)
    keys = sa.tuple_(at, Grant.id)
    if view is SharedView.WAITING:
        statement = statement.where(keys > (after.at, after.id)) if after else statement
        statement = statement.order_by(at, Grant.id)
    else:
        statement = statement.where(keys < (after.at, after.id)) if after else statement
        statement = statement.order_by(at.desc(), Grant.id.desc())
    found = db.session.execute(statement.limit(PAGE_SIZE + 1)).all()
    page = found[:PAGE_SIZE]
    shown = [row.record_id for row in page] if view is SharedView.LIVE else []
    reading.listed(actor, "share.listed", Shown(records=shown))
    last = page[-1] if len(found) > PAGE_SIZE else None
    rows = _rows_of(actor, [row.id for row in page])
    return Page(rows, str(Cursor(last.at, last.id)) if last else None)


def find_owners(actor: Actor, view: SharedView) -> dict[UUID, str]:
    """The lead organisations of all shares of a view, by id."""
    found = sa.select(Grant.owner_organisation_id).where(*_in_view(actor, view)).distinct()
    return organisation_names(db.session.scalars(found).all())


def find_waiting(actor: Actor, *, at_most: int) -> list[GrantRow]:
    """The shares that wait longest for an answer. The page that shows them logs the look."""
    first = sa.select(Grant.id).where(*_in_view(actor, SharedView.WAITING))
    ids = db.session.scalars(first.order_by(Grant.created_at, Grant.id).limit(at_most)).all()
    return _rows_of(actor, ids)


def find_waiting_one(actor: Actor, grant_id: UUID) -> GrantRow | None:
    """A share that waits for the actor's answer now."""
    waits = sa.select(Grant.id).where(*_in_view(actor, SharedView.WAITING), Grant.id == grant_id)
    return next(iter(_rows_of(actor, db.session.scalars(waits).all())), None)


def _in_view(actor: Actor, view: SharedView) -> list[sa.ColumnElement[bool]]:
    """Shares with the actor under the purpose in hand: each is in one view."""
    mine = [*_to_me(actor), _under_purpose(actor)]
    if view is SharedView.WAITING:
        return [*mine, *_pending_now()]
    # the wall of facts says which of them may be read now
    told = sa.and_(Grant.fact_only.is_(True), Grant.id.in_(sa.select(SharedFact.grant_id)))
    open_to_me = sa.or_(sa.and_(Grant.fact_only.is_(False), Grant.record_id.in_(sa.select(Record.id))), told)
    holds = (Grant.state == GrantState.ACCEPTED.value, *_not_over(clock.now()), open_to_me)
    if view is SharedView.LIVE:
        return [*mine, *holds]
    return [*mine, ~sa.and_(*holds), ~sa.and_(*_pending_now())]


def _rows_of(actor: Actor, ids: Sequence[UUID]) -> list[GrantRow]:
    """Rows by ids, in their order."""
    grants = {one.id: one for one in db.session.scalars(sa.select(Grant).where(Grant.id.in_(ids)))}
    return _rows(actor, [grants[key] for key in ids if key in grants])


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
    # a share with a co-located team is for all who wear its hat and whose own employer is party to the agreement
    colocated = sa.and_(
        Grant.to_team_id == actor.team_id,
        Grant.agreement_id.in_(
            sa.select(AgreementParty.agreement_id).where(
                AgreementParty.organisation_id == actor.organisation_id,
                AgreementParty.joined_at <= clock.now(),
                sa.or_(AgreementParty.left_at.is_(None), AgreementParty.left_at > clock.now()),
            )
        ),
    )
    return (
        *_of_my_kind(actor),
        sa.or_(Grant.to_organisation_id == actor.organisation_id, colocated),
        sa.or_(Grant.to_team_id.is_(None), Grant.to_team_id == actor.team_id),
        sa.or_(Grant.to_user_id.is_(None), Grant.to_user_id == actor.user_id),
        # within one's own organisation a share is to a team or a user; the lead's own copy isn't "shared with us"
        sa.or_(Grant.owner_organisation_id != actor.organisation_id, Grant.lead_team_id != actor.team_id),
    )


def _of_my_kind(actor: Actor) -> tuple[sa.ColumnElement[bool], ...]:
    """Whose role reads no cases is shown the single facts alone."""
    return () if actor.may(Permission.CASE_READ) else (Grant.fact_only.is_(True),)


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
