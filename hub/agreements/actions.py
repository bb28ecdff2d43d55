"""Writes of agreements: drafted with parties and purposes, signed by each party, in force when all have, suspended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Agreement, AgreementParty, AgreementPurpose
from hub.access.permissions import Permission
from hub.access.vocabulary import Purpose, Section
from hub.agreements.vocabulary import DEPERSONALISED_ONLY, GATEWAYS, LAWFUL_BASES
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Conflict, Invalid, NotVisible
from hub.core.ids import new_reference
from hub.core.text import clean
from hub.extensions import db

LONGEST_REASON = 500


@dataclass(frozen=True)
class PermittedPurpose:
    """A purpose with the gateway and lawful basis that it stands on."""

    purpose: Purpose
    gateway: str
    lawful_basis: str
    condition: str | None = None


def draft_agreement(
    actor: Actor,
    title: str,
    *,
    parties: Sequence[UUID],
    purposes: Sequence[PermittedPurpose],
    starts_at: datetime,
    review_at: datetime,
    ends_at: datetime,
    data_classes: str = "",
    sections: Sequence[Section] = tuple(Section),
) -> Agreement:
    """A draft: nothing stands on it until it was sent out and every party has signed. Raises `Invalid`."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    _check(parties, purposes, starts_at, ends_at)
    agreement = Agreement(
        reference=new_reference(actor.organisation_code, "ISA"),
        title=title,
        partnership_id=actor.partnership_id,
        starts_at=starts_at,
        review_at=review_at,
        ends_at=ends_at,
        data_classes=data_classes,
        sections=[one.value for one in Section if one in sections],
        owner_organisation_id=actor.organisation_id,
        owner_user_id=actor.user_id,
    )
    db.session.add(agreement)
    db.session.flush()
    for organisation in parties:
        db.session.add(
            AgreementParty(agreement_id=agreement.id, organisation_id=organisation, joined_at=starts_at)
        )
    for one in purposes:
        db.session.add(
            AgreementPurpose(
                agreement_id=agreement.id,
                purpose=one.purpose.value,
                gateway=one.gateway,
                lawful_basis=one.lawful_basis,
                condition=one.condition,
            )
        )
    append(actor, "agreement.created", object_id=agreement.id, version=1)
    return agreement


def _check(
    parties: Sequence[UUID], purposes: Sequence[PermittedPurpose], starts_at: datetime, ends_at: datetime
) -> None:
    errors: dict[str, str] = {}
    if len(set(parties)) < 2:
        errors["parties"] = "Choose at least two organisations"
    if not purposes:
        errors["purposes"] = "Choose at least one purpose"
    for one in purposes:
        if one.gateway not in GATEWAYS or one.lawful_basis not in LAWFUL_BASES:
            errors["purposes"] = "Choose a legal gateway and a lawful basis from the lists"
        elif one.gateway in DEPERSONALISED_ONLY:
            errors["purposes"] = f"{GATEWAYS[one.gateway]} cannot carry personal data"
    if ends_at <= starts_at:
        errors["ends_at"] = "The end must be after the start"
    if errors:
        raise Invalid("bad_agreement", errors=errors)


def send_agreement(actor: Actor, agreement_id: UUID) -> Agreement:
    """Sends a draft out for signature: from here on its terms stand. Raises `NotVisible` or `Conflict`."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    agreement = db.session.get(Agreement, agreement_id)
    if agreement is None or agreement.owner_organisation_id != actor.organisation_id:
        raise NotVisible
    if agreement.sent_at is not None:
        raise Conflict("sent_already", "This agreement is out for signature already.")
    agreement.sent_at = clock.now()
    db.session.flush()
    append(actor, "agreement.sent", object_id=agreement.id, version=agreement.revision)
    return agreement


def sign_agreement(actor: Actor, agreement_id: UUID) -> Agreement:
    """Signs for the actor's organisation; the last signature puts the agreement in force."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    agreement = db.session.get(Agreement, agreement_id)
    party = db.session.get(AgreementParty, (agreement_id, actor.organisation_id))
    if agreement is None or party is None:
        raise NotVisible
    if agreement.sent_at is None:
        raise Conflict(
            "not_sent", "This agreement is still a draft. Its owner sends it out for signature first."
        )
    if party.signed_at is not None:
        raise Conflict("signed_already", "Your organisation has signed this agreement already.")
    party.signed_at, party.signed_by = clock.now(), actor.user_id
    db.session.flush()
    missing = db.session.scalar(
        sa.select(sa.func.count())
        .select_from(AgreementParty)
        .where(AgreementParty.agreement_id == agreement_id, AgreementParty.signed_at.is_(None))
    )
    if not missing:
        # an agreement may have begun before the last signature reached the hub; the log tells when that was
        agreement.in_force_at = min(clock.now(), agreement.starts_at)
        db.session.flush()
    append(actor, "agreement.signed", object_id=agreement.id, version=agreement.revision)
    return agreement


def suspend_agreement(actor: Actor, agreement_id: UUID, *, why: str) -> Agreement:
    """Suspends: every share that stands on it stops at the next request, because the clause looks at it each time."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    why = clean(why)
    if not 0 < len(why) <= LONGEST_REASON:
        raise Invalid(
            "no_reason",
            errors={"why": f"Say why, in {LONGEST_REASON} characters or fewer, without names of people"},
        )
    agreement = db.session.get(Agreement, agreement_id)
    party = db.session.get(AgreementParty, (agreement_id, actor.organisation_id))
    if agreement is None or party is None:
        raise NotVisible
    if agreement.suspended_at is not None:
        raise Conflict("suspended_already", "This agreement is suspended already.")
    agreement.suspended_at, agreement.suspended_why = clock.now(), why
    db.session.flush()
    append(actor, "agreement.suspended", object_id=agreement.id, version=agreement.revision)
    return agreement
