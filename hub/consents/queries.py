"""Reads of consents: those of one record, and those that a share may rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.vocabulary import Purpose
from hub.accounts.queries import organisation_names, user_names
from hub.audit.changing import take_up
from hub.consents.models import Consent
from hub.core.errors import NotVisible
from hub.extensions import db


@dataclass(frozen=True)
class ConsentRow:
    """A consent with the names that a page needs."""

    consent: Consent
    to_name: str
    recorded_by: str
    organisation: str
    withdrawn_by: str
    own: bool

    @property
    def holds(self) -> bool:
        return self.consent.withdrawn_at is None


def find_consents_of(actor: Actor, record_id: UUID) -> list[ConsentRow]:
    """The consents of one record that the actor may read, newest first. The page that shows them logs the look."""
    wanted = sa.select(Consent).where(Consent.record_id == record_id).order_by(Consent.id.desc())
    return _rows(actor, db.session.scalars(wanted).all())


def is_of(actor: Actor, record_id: UUID, consent_id: UUID) -> bool:
    """Whether this is a consent of that record that the actor may read."""
    wanted = sa.select(Consent.id).where(Consent.id == consent_id, Consent.record_id == record_id)
    return db.session.scalar(wanted) is not None


def find_consent(actor: Actor, record_id: UUID, consent_id: UUID) -> ConsentRow | None:
    """One consent of one record, or None where it is hidden, absent or another record's."""
    wanted = sa.select(Consent).where(Consent.id == consent_id, Consent.record_id == record_id)
    return next(iter(_rows(actor, db.session.scalars(wanted).all())), None)


def find_live_consents(
    actor: Actor, record_id: UUID, purpose: Purpose | str, to_organisation_id: UUID
) -> list[ConsentRow]:
    """The consents that a share of this record for this purpose with this organisation may rest on, newest first.

    Only those that the actor's own organisation recorded: whoever shares must hold the consent.
    """
    wanted = sa.select(Consent).where(
        Consent.record_id == record_id,
        Consent.purpose == str(purpose),
        Consent.to_organisation_id == to_organisation_id,
        Consent.contributor_organisation_id == actor.organisation_id,
        Consent.withdrawn_at.is_(None),
    )
    return _rows(actor, db.session.scalars(wanted.order_by(Consent.id.desc())).all())


def load_for_change(actor: Actor, consent_id: UUID) -> Consent:
    """A consent that the actor may read, locked until the transaction ends. Raises `NotVisible`."""
    record_id = db.session.scalar(sa.select(Consent.record_id).where(Consent.id == consent_id))
    if record_id is None:
        raise NotVisible
    take_up(actor, [record_id])
    consent = db.session.scalar(sa.select(Consent).where(Consent.id == consent_id))
    if consent is None:
        raise NotVisible
    if consent.contributor_organisation_id != actor.organisation_id:
        # another's can be read and not locked: what may not be done with it is said by the policy
        return consent
    locked = db.session.scalar(
        sa.select(Consent)
        .where(Consent.id == consent_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if locked is None:
        raise NotVisible
    return locked


def _rows(actor: Actor, found: Sequence[Consent]) -> list[ConsentRow]:
    organisations = organisation_names(
        key for one in found for key in (one.to_organisation_id, one.contributor_organisation_id)
    )
    users = user_names(key for one in found for key in (one.contributed_by, one.withdrawn_by) if key)
    return [
        ConsentRow(
            consent=one,
            to_name=organisations.get(one.to_organisation_id, ""),
            recorded_by=users.get(one.contributed_by, ""),
            organisation=organisations.get(one.contributor_organisation_id, ""),
            withdrawn_by=users.get(one.withdrawn_by, "") if one.withdrawn_by else "",
            own=one.contributor_organisation_id == actor.organisation_id,
        )
        for one in found
    ]
