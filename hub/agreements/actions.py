"""Writes of agreements: drafted with parties and purposes, sent out, signed by each party, in force when all have.

What stops shares (suspending, ending, leaving) stands above, in `hub.sharing.ending`.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor, Source
from hub.access.models import Agreement, AgreementParty, AgreementPurpose
from hub.access.permissions import Permission
from hub.accounts.models import Organisation, User
from hub.agreements.forms import TermsForm, wrong_terms
from hub.agreements.history import add_step
from hub.agreements.notices import tell_parties
from hub.agreements.policy import Act, check_may
from hub.agreements.queries import load_for_change
from hub.agreements.vocabulary import Step
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Conflict, Invalid
from hub.core.ids import new_reference
from hub.core.text import clean
from hub.extensions import db
from hub.notifications.vocabulary import NotificationKind

LONGEST_SIGNATORY = 200


def draft_agreement(actor: Actor, form: TermsForm) -> Agreement:
    """A draft: only its owner sees it, and nothing stands on it until every party has signed. Raises `Invalid`."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    _check(actor, form)
    agreement = Agreement(
        reference=new_reference(actor.organisation_code, "ISA"),
        partnership_id=actor.partnership_id,
        owner_organisation_id=actor.organisation_id,
        **_terms_of(actor, form),
    )
    db.session.add(agreement)
    db.session.flush()
    _add_lines(agreement, form)
    add_step(actor, agreement.id, Step.CREATED)
    append(actor, "agreement.created", object_id=agreement.id, version=1)
    return agreement


def change_agreement(actor: Actor, agreement_id: UUID, form: TermsForm) -> Agreement:
    """Writes a draft anew. `Conflict` once it was sent out: the database holds its terms from then on, too."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    terms = load_for_change(actor, agreement_id)
    check_may(actor, Act.CHANGE, terms, clock.now())
    _check(actor, form)
    agreement = terms.agreement
    for name, value in _terms_of(actor, form).items():
        setattr(agreement, name, value)
    for lines in (AgreementPurpose, AgreementParty):
        # a second look in the same session finds the lines that are written below, not these
        for line in terms.purposes if lines is AgreementPurpose else terms.parties:
            db.session.expunge(line)
        db.session.execute(
            sa.delete(lines)
            .where(lines.agreement_id == agreement_id)
            .execution_options(synchronize_session=False)
        )
    db.session.flush()
    _add_lines(agreement, form)
    add_step(actor, agreement_id, Step.CHANGED)
    append(actor, "agreement.changed", object_id=agreement_id, version=agreement.revision)
    return agreement


def send_agreement(actor: Actor, agreement_id: UUID) -> Agreement:
    """Sends a draft out for signature: from here on its terms stand. Raises `NotVisible` or `Conflict`."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    terms = load_for_change(actor, agreement_id)
    agreement, now = terms.agreement, _moment(actor, terms.agreement)
    check_may(actor, Act.SEND, terms, now)
    if agreement.ends_at <= now:
        raise Conflict(
            "end_past", "The end of this agreement is past. Change the draft before sending it out."
        )
    agreement.sent_at = now
    add_step(actor, agreement_id, Step.SENT)
    append(actor, "agreement.sent", object_id=agreement.id, version=agreement.revision)
    tell_parties(actor, terms, NotificationKind.AGREEMENT_WAITING)
    return agreement


def sign_agreement(actor: Actor, agreement_id: UUID, *, signatory: str = "") -> Agreement:
    """Signs for the actor's organisation; the last signature puts the agreement in force.

    `signatory` is who signs the paper, name and role; blank leaves what the draft says.
    """
    actor.check_may(Permission.ACCOUNT_MANAGE)
    terms = load_for_change(actor, agreement_id)
    agreement, now = terms.agreement, _moment(actor, terms.agreement)
    check_may(actor, Act.SIGN, terms, now)
    who = _signatory(signatory)
    party = terms.party(actor.organisation_id)
    if party is not None:
        party.signed_at, party.signed_by = now, actor.user_id
        party.signatory = who or party.signatory
    if not terms.not_signed:
        # an agreement may have begun before the last signature reached the hub; the log tells when that was
        agreement.in_force_at = min(now, agreement.starts_at)
    add_step(actor, agreement_id, Step.SIGNED)
    append(actor, "agreement.signed", object_id=agreement.id, version=agreement.revision)
    told = None if agreement.in_force_at else [agreement.owner_organisation_id]
    tell_parties(actor, terms, NotificationKind.AGREEMENT_SIGNED, only=told)
    return agreement


def _moment(actor: Actor, agreement: Agreement) -> datetime:
    """Now; for what is loaded from elsewhere, the day on which it began."""
    now = clock.now()
    return min(now, agreement.starts_at) if actor.source is Source.LOAD else now


def _check(actor: Actor, form: TermsForm) -> None:
    errors = wrong_terms(form, actor.organisation_id)
    wanted = {one.organisation_id for one in form.parties}
    known = db.session.scalars(sa.select(Organisation.id).where(Organisation.id.in_(wanted))).all()
    if wanted - set(known):
        errors["party-0"] = "Choose organisations from the list"
    if form.owner_user_id is not None:
        owner = db.session.get(User, form.owner_user_id)
        if owner is None or owner.organisation_id != actor.organisation_id or owner.disabled_at is not None:
            errors["owner"] = "Choose somebody of your own organisation"
    if errors:
        raise Invalid("bad_agreement", errors=errors)


def _terms_of(actor: Actor, form: TermsForm) -> dict[str, object]:
    return {
        "title": form.title,
        "starts_at": form.starts_at,
        "review_at": form.review_at,
        "ends_at": form.ends_at,
        "sections": [one.value for one in form.sections],
        "data_classes": form.data_classes,
        "not_shared": form.not_shared,
        "receivers": form.receivers,
        "owner_user_id": form.owner_user_id or actor.user_id,
    }


def _add_lines(agreement: Agreement, form: TermsForm) -> None:
    for party in form.parties:
        db.session.add(
            AgreementParty(
                agreement_id=agreement.id,
                organisation_id=party.organisation_id,
                joined_at=form.starts_at,
                signatory=party.signatory,
            )
        )
    for one in form.purposes:
        db.session.add(
            AgreementPurpose(
                agreement_id=agreement.id,
                purpose=one.purpose.value,
                gateway=one.gateway,
                lawful_basis=one.lawful_basis,
                condition=one.condition,
            )
        )
    db.session.flush()


def _signatory(given: str) -> str:
    text = " ".join(clean(given).split())
    if len(text) > LONGEST_SIGNATORY:
        said = f"Who signs must be {LONGEST_SIGNATORY} characters or fewer"
        raise Invalid("bad_signatory", errors={"signatory": said})
    return text
