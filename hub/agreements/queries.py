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
from hub.agreements.policy import Standing, Terms, standing_column, standing_of
from hub.audit import reading
from hub.audit.reading import Shown
from hub.core import clock
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
    signers: dict[UUID, str]


def find_terms(actor: Actor, ids: Iterable[UUID]) -> dict[UUID, Terms]:
    """Agreements with parties and purposes, by id: those that the actor's organisation is named in."""
    agreements = db.session.scalars(
        sa.select(Agreement)
        .where(Agreement.id.in_(set(ids)), Agreement.id.in_(_mine(actor)))
        .order_by(Agreement.id)
    ).all()
    keys = [one.id for one in agreements]
    parties = db.session.scalars(
        sa.select(AgreementParty)
        .where(AgreementParty.agreement_id.in_(keys))
        .order_by(AgreementParty.organisation_id)
    ).all()
    purposes = db.session.scalars(
        sa.select(AgreementPurpose)
        .where(AgreementPurpose.agreement_id.in_(keys))
        .order_by(AgreementPurpose.purpose)
    ).all()
    names = organisation_names(one.organisation_id for one in parties)
    return {
        one.id: Terms(
            one,
            [party for party in parties if party.agreement_id == one.id],
            [purpose for purpose in purposes if purpose.agreement_id == one.id],
            names,
        )
        for one in agreements
    }


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
    ids = db.session.scalars(sa.select(Agreement.id).where(Agreement.id.in_(_mine(actor)))).all()
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
                sa.select(AgreementParty.organisation_id).where(AgreementParty.agreement_id.in_(_mine(actor)))
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
    actor.check_may(Permission.AGREEMENT_READ)
    now = clock.now()
    statement = sa.select(Agreement.id).where(Agreement.id.in_(_mine(actor)))
    if standing is not None:
        statement = statement.where(standing_column(now) == standing.value)
    if partner_id is not None:
        theirs = sa.select(AgreementParty.agreement_id).where(AgreementParty.organisation_id == partner_id)
        statement = statement.where(Agreement.id.in_(theirs))
    if cursor is not None:
        statement = statement.where(sa.tuple_(Agreement.ends_at, Agreement.id) > (cursor.at, cursor.id))
    statement = statement.order_by(Agreement.ends_at, Agreement.id).limit(PAGE_SIZE + 1)
    ids = db.session.scalars(statement).all()
    reading.listed(actor, "agreement.listed", Shown())
    entries = sorted(
        _entries(actor, ids[:PAGE_SIZE], now),
        key=lambda one: (one.terms.agreement.ends_at, one.terms.agreement.id),
    )
    last = entries[-1].terms.agreement if entries and len(ids) > PAGE_SIZE else None
    return Page(entries, str(Cursor(last.ends_at, last.id)) if last else None)


def _mine(actor: Actor) -> sa.Select[UUID]:
    return sa.select(AgreementParty.agreement_id).where(
        AgreementParty.organisation_id == actor.organisation_id
    )


def open_agreement(actor: Actor, agreement_id: UUID) -> Entry:
    """One agreement that the actor's organisation is named in. Raises `NotVisible`."""
    found = db.session.scalar(
        sa.select(AgreementParty.agreement_id).where(
            AgreementParty.agreement_id == agreement_id,
            AgreementParty.organisation_id == actor.organisation_id,
        )
    )
    reading.opened(actor, "agreement.opened", agreement_id, Shown() if found else None)
    return _entries(actor, [agreement_id], clock.now())[0]


def _entries(actor: Actor, ids: Iterable[UUID], now: datetime) -> list[Entry]:
    found = find_terms(actor, ids).values()
    signers = user_names(party.signed_by for terms in found for party in terms.parties if party.signed_by)
    return [Entry(terms, standing_of(terms.agreement, now), signers) for terms in found]
