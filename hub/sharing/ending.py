"""What ends with what it stood on: the shares of an agreement or a consent, which the database closes in the same transaction.

The database does the closing, whichever path the change took. Here it is written down, share by share, and told to those
whom it concerns.
"""

from __future__ import annotations

import enum
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Agreement, Record
from hub.access.permissions import Permission
from hub.agreements import queries as agreements
from hub.agreements.history import add_step
from hub.agreements.notices import address_of as agreement_address
from hub.agreements.notices import tell_parties
from hub.agreements.policy import Act, Terms, check_may
from hub.agreements.vocabulary import Step
from hub.audit.recording import Written, append, append_each
from hub.consents.models import Consent
from hub.consents.policy import check_may_withdraw
from hub.consents.queries import load_for_change
from hub.consents.vocabulary import ConsentHow
from hub.core import clock
from hub.core.errors import Invalid
from hub.core.text import clean
from hub.extensions import db
from hub.notifications.actions import notify
from hub.notifications.vocabulary import NotificationKind
from hub.sharing.notices import SHARED_ADDRESS, address_of, users_reached

LONGEST_REASON = 500
# the database's own, by which it tells that something is over and closes what stood on it
NOW = sa.func.now()

_CLOSED = (
    sa.column("grant_id", sa.Uuid),
    sa.column("record_id", sa.Uuid),
    sa.column("revision", sa.Integer),
    sa.column("record_reference", sa.Text),
    sa.column("requested_by", sa.Uuid),
    sa.column("partnership_id", sa.Uuid),
    sa.column("agreement_id", sa.Uuid),
    sa.column("owner_organisation_id", sa.Uuid),
    sa.column("to_organisation_id", sa.Uuid),
    sa.column("to_team_id", sa.Uuid),
    sa.column("to_user_id", sa.Uuid),
)


class Closed(enum.StrEnum):
    """Why a share ended with something else: the fact `why` of its event."""

    AGREEMENT_SUSPENDED = "agreement_suspended"
    AGREEMENT_ENDED = "agreement_ended"
    PARTY_LEFT = "party_left"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    HANDED_OVER = "handed_over"


def write_closed(actor: Actor, ended_id: UUID, why: Closed, *, reference: str, address: str) -> int:
    """Writes an event for each share that this transaction closed with `ended_id`, and tells whom it concerns; how many.

    Whoever asked for one share and whoever received it are told of that share; those whom several concern are told once,
    by the `reference` and `address` of what ended. To be called after the flush of the change. Flushes, does not commit.
    """
    shares = db.session.execute(
        sa.select(*_CLOSED).select_from(sa.func.shares_closed_now(ended_id).table_valued(*_CLOSED))
    ).all()
    append_each(
        actor,
        "share.closed",
        [Written(one.grant_id, one.revision, (one.record_id,), {"why": why.value}) for one in shares],
    )
    # of a case that was handed over the old lead no longer has the page of its shares
    _tell(actor, shares, reference, address, moved=why is Closed.HANDED_OVER)
    return len(shares)


def withdraw_consent(actor: Actor, consent_id: UUID, how: ConsentHow) -> Consent:
    """Writes down that a consent was withdrawn: the shares that stand on it end in this transaction, at the next request.

    Raises `NotVisible`, `Denied` for another controller's, or `Conflict` where it was withdrawn already.
    """
    actor.check_may(Permission.CONSENT_RECORD)
    consent = load_for_change(actor, consent_id)
    check_may_withdraw(actor.organisation_id, consent)
    consent.withdrawn_at, consent.withdrawn_by = clock.now(), actor.user_id
    consent.withdrawn_how = how.value
    db.session.flush()
    # gone from sight where the record was handed over since: then nothing stands on it either
    reference = db.session.scalar(sa.select(Record.reference).where(Record.id == consent.record_id))
    address = f"/cases/{consent.record_id}/consents"
    number = write_closed(
        actor, consent.id, Closed.CONSENT_WITHDRAWN, reference=reference or "-", address=address
    )
    append(
        actor,
        "consent.withdrawn",
        object_id=consent.id,
        version=consent.revision,
        records=[consent.record_id],
        people=[consent.person_id],
        facts={"shares": number},
    )
    if reference is not None:
        kind = NotificationKind.CONSENT_WITHDRAWN
        notify(actor, [consent.contributed_by], kind, reference=reference, address=address)
    return consent


def suspend_agreement(actor: Actor, agreement_id: UUID, *, why: str) -> Agreement:
    """Suspends: all that stands on it ends in this transaction, at the next request. Any party may."""
    terms, why = _begin(actor, agreement_id, Act.SUSPEND, why)
    agreement = terms.agreement
    agreement.suspended_at, agreement.suspended_why = NOW, why
    _write(actor, terms, Step.SUSPENDED, "agreement.suspended", why=why, closed=Closed.AGREEMENT_SUSPENDED)
    tell_parties(actor, terms, NotificationKind.AGREEMENT_SUSPENDED)
    return agreement


def resume_agreement(actor: Actor, agreement_id: UUID) -> Agreement:
    """Lifts the suspension, for whoever suspended it. Nothing is opened again: what is still needed is shared anew."""
    terms, _ = _begin(actor, agreement_id, Act.RESUME)
    agreement = terms.agreement
    agreement.suspended_at = agreement.suspended_why = None
    # what was asked for before the suspension and reached the table after it: closed here, not opened
    _write(actor, terms, Step.RESUMED, "agreement.resumed", closed=Closed.AGREEMENT_SUSPENDED)
    tell_parties(actor, terms, NotificationKind.AGREEMENT_RESUMED)
    return agreement


def end_agreement(actor: Actor, agreement_id: UUID, *, why: str) -> Agreement:
    """Ends it before its time, for all parties; a draft is given up. Its owner alone may."""
    terms, why = _begin(actor, agreement_id, Act.END, why)
    _end(actor, terms, why, Closed.AGREEMENT_ENDED)
    return terms.agreement


def leave_agreement(actor: Actor, agreement_id: UUID, *, why: str) -> Agreement:
    """The actor's organisation leaves: the shares to it and from it end. With fewer than two parties left, all ends."""
    terms, why = _begin(actor, agreement_id, Act.LEAVE, why)
    party = terms.party(actor.organisation_id)
    if party is not None:
        party.left_at = NOW
    _write(actor, terms, Step.LEFT, "agreement.left", why=why, closed=Closed.PARTY_LEFT)
    staying = [one for one in terms.parties if terms.takes_part(one.organisation_id, clock.now())]
    if len(staying) < 2:
        _end(actor, terms, "Fewer than two parties are left", None)
    else:
        tell_parties(actor, terms, NotificationKind.AGREEMENT_LEFT)
    return terms.agreement


def _begin(actor: Actor, agreement_id: UUID, act: Act, why: str | None = None) -> tuple[Terms, str]:
    """The agreement, locked, and the reason, where the act is open to the actor now."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    terms = agreements.load_for_change(actor, agreement_id)
    check_may(actor, act, terms, clock.now())
    reason = clean(why or "")
    if why is not None and not 0 < len(reason) <= LONGEST_REASON:
        raise Invalid(
            "no_reason",
            errors={"why": f"Say why, in {LONGEST_REASON} characters or fewer, without names of people"},
        )
    return terms, reason


def _end(actor: Actor, terms: Terms, why: str, closed: Closed | None) -> None:
    agreement = terms.agreement
    agreement.ended_at, agreement.ended_why = NOW, why
    _write(actor, terms, Step.ENDED, "agreement.ended", why=why, closed=closed)
    if agreement.sent_at is not None:
        tell_parties(actor, terms, NotificationKind.AGREEMENT_ENDED)


def _write(actor: Actor, terms: Terms, step: Step, act: str, *, closed: Closed | None, why: str = "") -> None:
    """The step, its event, and the shares that the database closed with it (but for those told of already)."""
    agreement = terms.agreement
    add_step(actor, agreement.id, step, why=why)
    append(actor, act, object_id=agreement.id, version=agreement.revision)
    if closed is not None:
        write_closed(
            actor,
            agreement.id,
            closed,
            reference=agreement.reference,
            address=agreement_address(agreement.id),
        )


def _tell(actor: Actor, shares: Sequence[sa.Row[Any]], reference: str, address: str, *, moved: bool) -> None:
    reached: dict[tuple[UUID | None, ...], list[UUID]] = {}
    concerned: Counter[UUID] = Counter()
    single: dict[UUID, tuple[str, str]] = {}
    for share in shares:
        audience = (share.to_organisation_id, share.to_team_id, share.to_user_id, share.partnership_id)
        if audience not in reached:
            reached[audience] = users_reached(actor, *audience, agreement_id=share.agreement_id)
        places = dict.fromkeys(reached[audience], SHARED_ADDRESS)
        place_of_lead = address if moved else address_of(share.record_id, share.record_reference)
        places[share.requested_by] = place_of_lead
        concerned.update(places.keys())
        single.update((user, (share.record_reference, place)) for user, place in places.items())
    notices: defaultdict[tuple[str, str], list[UUID]] = defaultdict(list)
    for user, number in concerned.items():
        notices[single[user] if number == 1 else (reference, address)].append(user)
    for (about, place), users in notices.items():
        notify(actor, users, NotificationKind.SHARE_CLOSED, reference=about, address=place)
