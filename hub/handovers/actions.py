"""Writes of hand-overs: offered by the lead team, withdrawn by it, refused or accepted by the team they are offered to."""

from __future__ import annotations

from typing import NoReturn
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from hub.access.actor import Actor
from hub.access.facts import facts_of
from hub.access.models import Record
from hub.access.permissions import Permission
from hub.access.queries import right_to
from hub.access.vocabulary import Marking
from hub.agreements.policy import Refusal, check_purpose, refusal_of
from hub.agreements.queries import find_terms
from hub.audit.recording import Basis, Recipient, append
from hub.core import clock
from hub.core.errors import Conflict, Denied, Invalid, NotVisible
from hub.core.ids import new_id
from hub.extensions import db
from hub.handovers.forms import AcceptForm, OfferForm
from hub.handovers.models import HandOver
from hub.handovers.policy import check_may_answer, check_may_offer, check_may_withdraw
from hub.handovers.queries import find_hand_over, find_receivers, load_for_change
from hub.handovers.vocabulary import HandOverState
from hub.notifications.actions import notify
from hub.notifications.vocabulary import NotificationKind
from hub.sharing.checking import Footing, check_footing, check_recipient
from hub.sharing.ending import Closed, write_closed
from hub.sharing.forms import ShareForm

ADDRESS = "/hand-overs"
ONE_OFFER = "uq_hand_over_offered"
REFUSED_BY_DATABASE = "42501"


def check_offer(actor: Actor, record_id: UUID, form: OfferForm) -> Footing:
    """All that `offer_hand_over` would check, without offering: what the hand-over would stand on. Raises as that does."""
    return _checked(actor, record_id, form)[1]


def offer_hand_over(actor: Actor, record_id: UUID, form: OfferForm, *, case_kind: str) -> HandOver:
    """Offers a case to another team. The caller has checked that the case has not ended, and says its kind in words.

    `NotVisible`, `Denied` (not the lead; or no agreement that carries it: the refusal is written and committed), `Invalid`,
    or `Conflict` where an offer waits already.
    """
    record, footing = _checked(actor, record_id, form)
    offer = HandOver(
        **facts_of(record),
        id=new_id(),
        record_id=record.id,
        record_reference=record.reference,
        case_kind=case_kind,
        from_organisation_id=record.owner_organisation_id,
        from_team_id=record.lead_team_id,
        to_organisation_id=form.to_organisation_id,
        to_team_id=form.to_team_id,
        agreement_id=footing.agreement_id,
        purpose=form.purpose.value if form.purpose and footing.agreement_id else None,
        gateway=footing.gateway or None,
        lawful_basis=footing.lawful_basis or None,
        stays=[one.value for one in form.stays],
        reason=form.reason,
        offered_by=actor.user_id,
        state=HandOverState.OFFERED.value,
    )
    _add(offer)
    append(
        actor,
        "handover.offered",
        object_id=offer.id,
        version=offer.revision,
        records=[record.id],
        recipients=[Recipient(offer.to_organisation_id, team_id=offer.to_team_id)],
        basis=Basis("lead", offer.agreement_id),
        texts={"reason": offer.reason},
        key_of=record.id,
    )
    receivers = find_receivers(actor, offer.to_organisation_id, offer.to_team_id, offer.marking)
    _tell(actor, receivers, NotificationKind.HANDOVER_OFFERED, offer)
    return offer


def withdraw_hand_over(actor: Actor, hand_over_id: UUID) -> HandOver:
    """Takes an offer back before it is answered. Raises `NotVisible`, `Denied` or `Conflict`."""
    actor.check_may(Permission.CASE_HAND_OVER)
    offer = load_for_change(actor, hand_over_id)
    check_may_withdraw(actor, offer)
    _answer(actor, offer, HandOverState.WITHDRAWN, "")
    append(actor, "handover.withdrawn", object_id=offer.id, version=offer.revision, records=[offer.record_id])
    receivers = find_receivers(actor, offer.to_organisation_id, offer.to_team_id, offer.marking)
    _tell(actor, receivers, NotificationKind.HANDOVER_ANSWERED, offer)
    return offer


def refuse_hand_over(actor: Actor, hand_over_id: UUID, *, reason: str) -> HandOver:
    """Refuses an offer, with a reason that the lead reads. Raises `NotVisible`, `Denied` or `Conflict`."""
    actor.check_may(Permission.CASE_HAND_OVER)
    offer = load_for_change(actor, hand_over_id)
    check_may_answer(actor, offer)
    _answer(actor, offer, HandOverState.REFUSED, reason)
    append(
        actor,
        "handover.refused",
        object_id=offer.id,
        version=offer.revision,
        records=[offer.record_id],
        texts={"answer": reason},
        key_of=offer.record_id,
    )
    _tell(actor, [offer.offered_by], NotificationKind.HANDOVER_ANSWERED, offer)
    return offer


def accept_hand_over(actor: Actor, hand_over_id: UUID, form: AcceptForm) -> HandOver:
    """Takes a case over for the team in hand. All its shares end now; it has its new lead when the transaction commits.

    Until then it is the old owner's in the log too, so that both organisations find what is written here. Raises
    `NotVisible`, `Conflict`, or `Denied` (not the recipient; or the agreement carries it no more: that is written and
    committed).
    """
    actor.check_may(Permission.CASE_HAND_OVER)
    row = find_hand_over(actor, hand_over_id)
    if row is None:
        raise NotVisible
    check_may_answer(actor, row.offer)
    refusal = _lapsed(actor, row.offer)
    if refusal is not None:
        _refuse_acceptance(actor, row.offer, refusal)
    revision = _accept(hand_over_id, form)
    db.session.expire_all()
    offer = load_for_change(actor, hand_over_id)
    _write_acceptance(actor, offer, revision)
    _tell(actor, [offer.offered_by], NotificationKind.HANDOVER_ANSWERED, offer)
    return offer


def _checked(actor: Actor, record_id: UUID, form: OfferForm) -> tuple[Record, Footing]:
    actor.check_may(Permission.CASE_HAND_OVER)
    right = right_to(actor, record_id, session=db.session())
    record = db.session.scalar(sa.select(Record).where(Record.id == record_id))
    if right is None or record is None:
        raise NotVisible
    check_may_offer(actor, record, right)
    outside = form.to_organisation_id != actor.organisation_id
    share = ShareForm(
        to_organisation_id=form.to_organisation_id,
        to_team_id=form.to_team_id,
        sections=form.goes,
        reason=form.reason,
        purpose=form.purpose,
        agreement_id=form.agreement_id if outside else None,
        max_marking=Marking(record.marking),
    )
    check_recipient(actor, [record], share)
    if not outside and form.stays:
        said = "Inside your organisation everything goes: your organisation stays its controller"
        raise Invalid("bad_offer", errors={"stays": said})
    if not find_receivers(actor, form.to_organisation_id, form.to_team_id, record.marking):
        said = (
            "Nobody in that team may take this case over. Ask them to name a supervisor who is cleared for it"
        )
        raise Invalid("bad_offer", errors={"to": said})
    footing = check_footing(actor, share, clock.now())
    if isinstance(footing, Refusal):
        if footing.why == "section":
            raise Invalid("bad_offer", errors={"stays": f"{footing.sentence} Leave that behind"})
        _refuse_offer(actor, record_id, form, footing)
    return record, footing


def _add(offer: HandOver) -> None:
    """In a savepoint: where the database finds another offer, the rest of the transaction still stands."""
    try:
        with db.session.begin_nested():
            db.session.add(offer)
            db.session.flush()
    except IntegrityError as error:
        if getattr(getattr(error.orig, "diag", None), "constraint_name", None) != ONE_OFFER:
            raise
        said = f"{offer.record_reference} is offered to a team already. Withdraw that offer first."
        raise Conflict("offered_already", said) from error


def _answer(actor: Actor, offer: HandOver, state: HandOverState, answer: str) -> None:
    offer.state, offer.answer = state.value, answer
    offer.answered_at, offer.answered_by = clock.now(), actor.user_id
    db.session.flush()


def _lapsed(actor: Actor, offer: HandOver) -> Refusal | None:
    """Why the agreement that the offer stands on carries it no more; None where it does, or none is needed."""
    if offer.agreement_id is None:
        return None
    terms = find_terms(actor, [offer.agreement_id]).get(offer.agreement_id)
    if terms is None:
        return Refusal("none", "The agreement that it stands on names your organisation no more.")
    parties = (offer.from_organisation_id, offer.to_organisation_id)
    found = refusal_of(terms, parties, clock.now()) or check_purpose(terms, str(offer.purpose), "")
    return found if isinstance(found, Refusal) else None


def _accept(hand_over_id: UUID, form: AcceptForm) -> int:
    """The case's new revision, from the database's function. `Conflict` where it finds otherwise than was found here."""
    accepted = sa.func.accept_hand_over(
        hand_over_id, form.gateway or None, form.lawful_basis or None, form.note
    )
    try:
        with db.session.begin_nested():
            return int(db.session.scalar(sa.select(accepted)) or 0)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != REFUSED_BY_DATABASE:
            raise
        said = "This case can no longer be taken over as it was offered: it has ended, or the offer has. Ask for a new offer."
        raise Conflict("not_open", said) from error


def _write_acceptance(actor: Actor, offer: HandOver, revision: int) -> None:
    address = f"{ADDRESS}/{offer.id}"
    number = write_closed(
        actor, offer.id, Closed.HANDED_OVER, reference=offer.record_reference, address=address
    )
    append(
        actor,
        "handover.accepted",
        object_id=offer.id,
        version=offer.revision,
        records=[offer.record_id],
        basis=Basis("hand_over", offer.agreement_id),
        facts={"shares": number},
        texts={"answer": offer.answer} if offer.answer else {},
        key_of=offer.record_id,
    )
    append(
        actor,
        "case.changed",
        object_id=offer.record_id,
        version=revision,
        records=[offer.record_id],
        basis=Basis("hand_over", offer.agreement_id),
        changes={
            "owner_organisation_id": (offer.from_organisation_id, offer.to_organisation_id),
            "lead_team_id": (offer.from_team_id, offer.to_team_id),
        },
        key_of=offer.record_id,
    )


def _refuse_offer(actor: Actor, record_id: UUID, form: OfferForm, refusal: Refusal) -> NoReturn:
    """A refusal is recorded as carefully as a disclosure: whatever was under way goes, the event stays."""
    db.session.rollback()
    append(
        actor,
        "share.denied",
        outcome="denied",
        object_id=record_id,
        records=[record_id],
        basis=Basis("none", refusal.agreement_id),
        facts={"why": refusal.why, "organisation": form.to_organisation_id},
    )
    db.session.commit()
    said = f"This cannot be handed over. {refusal.sentence} Nothing was handed over."
    raise Denied(f"no_agreement_{refusal.why}", said)


def _refuse_acceptance(actor: Actor, offer: HandOver, refusal: Refusal) -> NoReturn:
    key, record_id, agreement_id = offer.id, offer.record_id, refusal.agreement_id
    db.session.rollback()
    append(
        actor,
        "handover.accepted",
        outcome="denied",
        object_id=key,
        records=[record_id],
        basis=Basis("none", agreement_id),
    )
    db.session.commit()
    said = (
        f"This case cannot be taken over now. {refusal.sentence} Nothing was changed; the offer still waits."
    )
    raise Denied(f"no_agreement_{refusal.why}", said)


def _tell(actor: Actor, users: list[UUID], kind: NotificationKind, offer: HandOver) -> None:
    notify(actor, users, kind, reference=offer.record_reference, address=f"{ADDRESS}/{offer.id}")
