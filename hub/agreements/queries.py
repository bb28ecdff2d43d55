"""Reads of agreements: the register of one's own organisation, one agreement, and what stands between two organisations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Agreement, AgreementParty, AgreementPurpose
from hub.access.permissions import Permission
from hub.accounts.models import Organisation
from hub.accounts.queries import organisation_names, user_names
from hub.agreements.models import AgreementStep
from hub.agreements.policy import Standing, Terms, standing_column, standing_of
from hub.agreements.vocabulary import Step
from hub.audit import reading
from hub.audit.reading import Shown
from hub.core import clock
from hub.core.errors import NotVisible
from hub.core.paging import PAGE_SIZE, Cursor, Page
from hub.extensions import db


@dataclass(frozen=True)
class Partner:
    """An organisation with which something may be shared, or the agreements that come nearest to it."""

    id: UUID
    name: str
    code: str
    agreements: Sequence[Terms]


@dataclass(frozen=True)
class Entry:
    """A line of the register."""

    terms: Terms
    standing: Standing
    # names of those who signed, and of its owner
    users: dict[UUID, str]


def find_terms(actor: Actor, ids: Iterable[UUID]) -> dict[UUID, Terms]:
    """Agreements with parties and purposes, by id: those that the actor's organisation is named in."""
    # as they are now: where somebody held the lock, they have changed since the session met them
    agreements = db.session.scalars(
        sa.select(Agreement)
        .where(Agreement.id.in_(set(ids)), Agreement.id.in_(visible_agreements(actor)))
        .order_by(Agreement.id)
        .execution_options(populate_existing=True)
    ).all()
    keys = [one.id for one in agreements]
    parties = db.session.scalars(
        sa.select(AgreementParty)
        .where(AgreementParty.agreement_id.in_(keys))
        .order_by(AgreementParty.organisation_id)
        .execution_options(populate_existing=True)
    ).all()
    purposes = db.session.scalars(
        sa.select(AgreementPurpose)
        .where(AgreementPurpose.agreement_id.in_(keys))
        .order_by(AgreementPurpose.purpose)
    ).all()
    names = organisation_names(one.organisation_id for one in parties)
    suspended = _suspended_by([one.id for one in agreements if one.suspended_at is not None])
    return {
        one.id: Terms(
            one,
            [party for party in parties if party.agreement_id == one.id],
            [purpose for purpose in purposes if purpose.agreement_id == one.id],
            names,
            suspended.get(one.id),
        )
        for one in agreements
    }


def _suspended_by(ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Agreement → the organisation that suspended it last."""
    keys = list(ids)
    if not keys:
        return {}
    found = db.session.execute(
        sa.select(AgreementStep.agreement_id, AgreementStep.organisation_id)
        .where(AgreementStep.agreement_id.in_(keys), AgreementStep.step == Step.SUSPENDED.value)
        .order_by(AgreementStep.id)
    )
    return {row.agreement_id: row.organisation_id for row in found}


def load_for_change(actor: Actor, agreement_id: UUID) -> Terms:
    """An agreement that the actor's organisation sees, locked: what else is done about it, and shares that are about to
    stand on it, wait until the transaction ends. Raises `NotVisible`.
    """
    found = db.session.scalar(
        sa.select(Agreement.id)
        .where(Agreement.id == agreement_id, Agreement.id.in_(visible_agreements(actor)))
        .with_for_update()
    )
    if found is None:
        raise NotVisible
    return find_terms(actor, [agreement_id])[agreement_id]


def find_between(actor: Actor, organisation_id: UUID) -> list[Terms]:
    """Every agreement, live or not, that names both the actor's organisation and the other."""
    mine, theirs = sa.orm.aliased(AgreementParty), sa.orm.aliased(AgreementParty)
    ids = db.session.scalars(
        sa.select(mine.agreement_id)
        .join(theirs, theirs.agreement_id == mine.agreement_id)
        .where(mine.organisation_id == actor.organisation_id, theirs.organisation_id == organisation_id)
    ).all()
    return list(find_terms(actor, ids).values())


def find_partners(actor: Actor) -> list[Partner]:
    """Every other organisation by name, each with the agreements it has with the actor's own (for the share wizard)."""
    organisations = db.session.execute(
        sa.select(Organisation.id, Organisation.name, Organisation.code)
        .where(Organisation.id != actor.organisation_id)
        .order_by(Organisation.name)
    ).all()
    ids = db.session.scalars(sa.select(Agreement.id).where(Agreement.id.in_(visible_agreements(actor)))).all()
    terms = find_terms(actor, ids).values()
    return [
        Partner(key, name, code, [one for one in terms if one.party(key)])
        for key, name, code in organisations
    ]


def find_fellow_parties(actor: Actor) -> dict[UUID, str]:
    """Every other organisation that is named in an agreement with the actor's own, by name."""
    found = db.session.execute(
        sa.select(Organisation.id, Organisation.name)
        .where(
            Organisation.id != actor.organisation_id,
            Organisation.id.in_(
                sa.select(AgreementParty.organisation_id).where(
                    AgreementParty.agreement_id.in_(visible_agreements(actor))
                )
            ),
        )
        .order_by(Organisation.name, Organisation.id)
    )
    return {row.id: row.name for row in found}


def list_agreements(
    actor: Actor,
    standing: Standing | None = None,
    *,
    partner_id: UUID | None = None,
    cursor: Cursor | None = None,
) -> Page[Entry]:
    """A page of the register: agreements that the actor's organisation is named in, the soonest to end first."""
    found = list_register(actor, standing, partner_id=partner_id, cursor=cursor, at_most=PAGE_SIZE + 1)
    rows = found[:PAGE_SIZE]
    last = rows[-1].terms.agreement if len(found) > PAGE_SIZE else None
    return Page(rows, str(Cursor(last.ends_at, last.id)) if last else None)


def list_register(
    actor: Actor,
    standing: Standing | None = None,
    *,
    partner_id: UUID | None = None,
    cursor: Cursor | None = None,
    at_most: int | None = None,
) -> list[Entry]:
    """The register as far as it is asked for, or the whole of it."""
    actor.check_may(Permission.AGREEMENT_READ)
    now = clock.now()
    statement = sa.select(Agreement.id).where(Agreement.id.in_(visible_agreements(actor)))
    if standing is not None:
        statement = statement.where(standing_column(now) == standing.value)
    if partner_id is not None:
        theirs = sa.select(AgreementParty.agreement_id).where(AgreementParty.organisation_id == partner_id)
        statement = statement.where(Agreement.id.in_(theirs))
    if cursor is not None:
        statement = statement.where(sa.tuple_(Agreement.ends_at, Agreement.id) > (cursor.at, cursor.id))
    ids = db.session.scalars(statement.order_by(Agreement.ends_at, Agreement.id).limit(at_most)).all()
    reading.listed(actor, "agreement.listed", Shown())
    found = {entry.terms.agreement.id: entry for entry in _entries(actor, ids, now)}
    return [found[key] for key in ids if key in found]


def visible_agreements(actor: Actor) -> sa.Select[UUID]:
    """Those that name the actor's organisation as a party. A draft is its owner's alone until it is sent out."""
    return (
        sa.select(AgreementParty.agreement_id)
        .join(Agreement, Agreement.id == AgreementParty.agreement_id)
        .where(
            AgreementParty.organisation_id == actor.organisation_id,
            sa.or_(Agreement.sent_at.is_not(None), Agreement.owner_organisation_id == actor.organisation_id),
        )
    )


def open_agreement(actor: Actor, agreement_id: UUID) -> Entry:
    """One agreement that the actor's organisation is named in. Raises `NotVisible`."""
    mine = sa.select(Agreement.id).where(
        Agreement.id == agreement_id, Agreement.id.in_(visible_agreements(actor))
    )
    found = db.session.scalar(mine)
    reading.opened(actor, "agreement.opened", agreement_id, Shown() if found else None)
    return _entries(actor, [agreement_id], clock.now())[0]


def count_shares(actor: Actor, agreement_id: UUID) -> tuple[int, int]:
    """How many shares stand on the agreement or wait on it now: by the actor's organisation, and with it. No more is told."""
    counted = sa.func.count_shares_on(agreement_id).table_valued(
        sa.column("given", sa.Integer), sa.column("received", sa.Integer)
    )
    row = db.session.execute(sa.select(counted.c.given, counted.c.received)).one()
    return row.given, row.received


def find_organisations(actor: Actor) -> dict[UUID, str]:
    """Every other organisation by name: with whom an agreement may be drafted."""
    found = db.session.execute(
        sa.select(Organisation.id, Organisation.name)
        .where(Organisation.id != actor.organisation_id)
        .order_by(Organisation.name, Organisation.id)
    )
    return {row.id: row.name for row in found}


def _entries(actor: Actor, ids: Iterable[UUID], now: datetime) -> list[Entry]:
    found = find_terms(actor, ids).values()
    people = {party.signed_by for terms in found for party in terms.parties if party.signed_by}
    people |= {terms.agreement.owner_user_id for terms in found}
    users = user_names(people)
    return [Entry(terms, standing_of(terms.agreement, now), users) for terms in found]
