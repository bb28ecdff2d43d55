"""Reads of agreements: the register of one's own organisation, one agreement, and what stands between two organisations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Agreement, AgreementParty, AgreementPurpose
from hub.accounts.models import Organisation
from hub.accounts.queries import organisation_names, user_names
from hub.agreements.policy import Standing, Terms, standing_of
from hub.audit import reading
from hub.audit.reading import Shown
from hub.core import clock
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
    mine = sa.select(AgreementParty.agreement_id).where(
        AgreementParty.organisation_id == actor.organisation_id
    )
    agreements = db.session.scalars(
        sa.select(Agreement).where(Agreement.id.in_(set(ids)), Agreement.id.in_(mine)).order_by(Agreement.id)
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
    mine = sa.select(AgreementParty.agreement_id).where(
        AgreementParty.organisation_id == actor.organisation_id
    )
    ids = db.session.scalars(sa.select(Agreement.id).where(Agreement.id.in_(mine))).all()
    terms = find_terms(actor, ids).values()
    return [
        Partner(key, name, code, [one for one in terms if one.party(key)])
        for key, name, code in organisations
    ]


def list_agreements(
    actor: Actor, standing: Standing | None = None, *, partner: UUID | None = None
) -> list[Entry]:
    """The register: agreements that the actor's organisation is named in, the soonest to end first."""
    statement = sa.select(Agreement.id).where(
        Agreement.id.in_(
            sa.select(AgreementParty.agreement_id).where(
                AgreementParty.organisation_id == actor.organisation_id
            )
        )
    )
    if partner is not None:
        statement = statement.where(
            Agreement.id.in_(
                sa.select(AgreementParty.agreement_id).where(AgreementParty.organisation_id == partner)
            )
        )
    ids = db.session.scalars(statement).all()
    reading.listed(actor, "agreement.listed", Shown())
    now = clock.now()
    entries = [entry for entry in _entries(actor, ids, now) if standing is None or entry.standing is standing]
    return sorted(
        entries, key=lambda one: (not one.standing.live, one.terms.agreement.ends_at, one.terms.agreement.id)
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
