"""Writes of consents: recorded by whoever may add to the record. (Withdrawal ends shares: `hub.sharing.ending`.)"""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from hub.access.actions import item_of
from hub.access.actor import Actor
from hub.access.models import Involvement, Record
from hub.access.permissions import Permission
from hub.access.queries import check_may_add
from hub.access.vocabulary import Marking, Section
from hub.accounts.models import Organisation
from hub.audit.recording import append
from hub.consents.forms import ConsentForm
from hub.consents.models import Consent
from hub.core.errors import Invalid, NotVisible
from hub.extensions import db


def record_consent(actor: Actor, record_id: UUID, form: ConsentForm) -> Consent:
    """Records that somebody of this record agreed to one purpose and one recipient.

    It stands in the section in which they stand: that somebody is a victim is not told by their consent. Raises
    `NotVisible`, `Denied`, or `Invalid` for a person who is not of this record or a recipient that can't be.
    """
    actor.check_may(Permission.CONSENT_RECORD)
    record = db.session.scalar(sa.select(Record).where(Record.id == record_id))
    if record is None:
        raise NotVisible
    sections = _sections_of(record_id, form.person_id)
    section = Section.VICTIM if Section.VICTIM.value in sections else Section.PEOPLE
    check_may_add(actor, record_id, section, session=db.session())
    errors = {}
    if not sections:
        errors["person"] = "Choose somebody of this record"
    recipient = sa.select(Organisation.id).where(Organisation.id == form.to_organisation_id)
    if form.to_organisation_id == actor.organisation_id or db.session.scalar(recipient) is None:
        errors["to_organisation"] = "Choose another organisation"
    if errors:
        raise Invalid("bad_consent", errors=errors)
    consent = Consent(
        **item_of(actor, record, section, marking=Marking(record.marking)),
        person_id=form.person_id,
        purpose=form.purpose.value,
        to_organisation_id=form.to_organisation_id,
        given_on=form.given_on,
        given_by=form.given_by.value,
        given_how=form.given_how.value,
        told=form.told,
        capacity=form.capacity,
        person_view=form.person_view,
    )
    db.session.add(consent)
    db.session.flush()
    append(
        actor,
        "consent.recorded",
        object_id=consent.id,
        version=consent.revision,
        records=[record.id],
        people=[consent.person_id],
        facts={"purpose": consent.purpose, "organisation": consent.to_organisation_id},
    )
    return consent


def _sections_of(record_id: UUID, person_id: UUID) -> set[str]:
    """The sections in which the actor may read that this person is involved in this record."""
    found = sa.select(Involvement.section).where(
        Involvement.record_id == record_id, Involvement.person_id == person_id
    )
    return set(db.session.scalars(found.distinct()))
