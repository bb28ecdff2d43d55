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
from hub.access.models import Record
from hub.access.permissions import Permission
from hub.audit.recording import Written, append, append_each
from hub.consents.models import Consent
from hub.consents.policy import check_may_withdraw
from hub.consents.queries import load_for_change
from hub.consents.vocabulary import ConsentHow
from hub.core import clock
from hub.extensions import db
from hub.notifications.actions import notify
from hub.notifications.vocabulary import NotificationKind
from hub.sharing.notices import SHARED_ADDRESS, address_of, users_reached

_CLOSED = (
    sa.column("grant_id", sa.Uuid),
    sa.column("record_id", sa.Uuid),
    sa.column("revision", sa.Integer),
    sa.column("record_reference", sa.Text),
    sa.column("requested_by", sa.Uuid),
    sa.column("partnership_id", sa.Uuid),
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
    _tell(actor, shares, reference, address)
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


def _tell(actor: Actor, shares: Sequence[sa.Row[Any]], reference: str, address: str) -> None:
    reached: dict[tuple[UUID | None, ...], list[UUID]] = {}
    concerned: Counter[UUID] = Counter()
    single: dict[UUID, tuple[str, str]] = {}
    for share in shares:
        audience = (share.to_organisation_id, share.to_team_id, share.to_user_id, share.partnership_id)
        if audience not in reached:
            reached[audience] = users_reached(actor, *audience)
        places = dict.fromkeys(reached[audience], SHARED_ADDRESS)
        places[share.requested_by] = address_of(share.record_id, share.record_reference)
        concerned.update(places.keys())
        single.update((user, (share.record_reference, place)) for user, place in places.items())
    notices: defaultdict[tuple[str, str], list[UUID]] = defaultdict(list)
    for user, number in concerned.items():
        notices[single[user] if number == 1 else (reference, address)].append(user)
    for (about, place), users in notices.items():
        notify(actor, users, NotificationKind.SHARE_CLOSED, reference=about, address=place)
