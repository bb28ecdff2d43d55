"""Writes of shares: asked for by the lead, answered by the recipient, ended by the lead. Effective at the next request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from hub.access.actor import Actor, Source
from hub.access.facts import facts_of
from hub.access.models import Agreement, Grant, Record
from hub.access.permissions import Permission
from hub.access.queries import right_to
from hub.access.vocabulary import GrantState
from hub.agreements.policy import Refusal
from hub.audit.changing import take_up
from hub.audit.recording import Basis, Recipient, append
from hub.core import clock
from hub.core.errors import Conflict, Denied, Invalid, NotVisible
from hub.core.ids import new_id
from hub.core.text import MAX_TEXT, clean
from hub.extensions import db
from hub.notifications.actions import notify
from hub.notifications.vocabulary import NotificationKind
from hub.sharing.checking import Footing, check_consent, check_footing, check_period, check_recipient
from hub.sharing.forms import ShareForm
from hub.sharing.notices import address_of, tell_recipients
from hub.sharing.policy import check_may_answer, check_may_revoke
from hub.sharing.queries import find_people_in, load_for_change
from hub.sharing.vocabulary import FactCode

ONE_LIVE = "ex_record_grant_one_live"


@dataclass(frozen=True)
class Beforehand:
    """The recipient agreed before anything was shared: who, when, and by which panel or request. The database checks it."""

    by: UUID
    at: datetime
    panel_id: UUID | None = None
    access_request_id: UUID | None = None


def share_record(
    actor: Actor,
    record_id: UUID,
    form: ShareForm,
    *,
    starts_at: datetime | None = None,
    also: Sequence[UUID] = (),
    beforehand: Beforehand | None = None,
    fact: FactCode | None = None,
) -> Grant:
    """Asks to share a record, and each of the records in `also` (incidents of the case) by a grant of its own.

    With `beforehand` it is accepted at once. With `fact` the grant opens no section; `sharing.facts` tells the fact.

    `NotVisible`, `Denied` (no right, or no agreement that carries it: the refusal is written and committed), `Invalid`
    (recipient, end, marking) or `Conflict` (the recipient has a live share for this purpose already).
    """
    starts = _start(actor, starts_at, clock.now())
    records, footing = _checked(actor, (record_id, *also), form, starts)
    _hold_agreement(footing)
    grants = [_grant(actor, record, form, footing, starts, beforehand, fact) for record in records]
    return grants[0]


def _hold_agreement(footing: Footing) -> None:
    """Until the share is committed its agreement can't be suspended or ended. `Conflict` where that has just happened."""
    if footing.agreement_id is None:
        return
    live = (Agreement.suspended_at.is_(None), Agreement.ended_at.is_(None))
    held = sa.select(Agreement.id).where(Agreement.id == footing.agreement_id, *live)
    if db.session.scalar(held.with_for_update(read=True)) is None:
        raise Conflict("agreement_changed", "The agreement has just been stopped. Nothing was shared.")


def check_share(actor: Actor, record_id: UUID, form: ShareForm, *, also: Sequence[UUID] = ()) -> Footing:
    """All that `share_record` would check, without sharing: what the share would stand on. Raises as that does."""
    return _checked(actor, (record_id, *also), form, clock.now())[1]


def _checked(
    actor: Actor, record_ids: Sequence[UUID], form: ShareForm, starts: datetime
) -> tuple[list[Record], Footing]:
    actor.check_may(Permission.CASE_SHARE)
    now = clock.now()
    records = [_load_to_share(actor, one) for one in dict.fromkeys(record_ids)]
    check_recipient(actor, records, form)
    footing = check_footing(actor, form, now)
    if isinstance(footing, Refusal):
        refuse_share(actor, record_ids[0], form.to_organisation_id, footing)
    check_consent(actor, records, form, footing)
    check_period(form, footing, starts, now if actor.source is not Source.LOAD else starts)
    return records, footing


def answer_share(
    actor: Actor, grant_id: UUID, *, accept: bool, reason: str = "", at: datetime | None = None
) -> Grant:
    """Accepts, or refuses with a reason, for the recipient. Raises `NotVisible`, `Denied`, `Conflict` or `Invalid`."""
    actor.check_may(Permission.SHARE_ANSWER)
    grant = load_for_change(actor, grant_id)
    now = _start(actor, at, clock.now())
    check_may_answer(actor, grant, now)
    why = clean(reason)
    if not accept:
        check_reason(why, "Say why your organisation does not take this share")
    grant.state = (GrantState.ACCEPTED if accept else GrantState.REJECTED).value
    grant.answered_by, grant.answered_at = actor.user_id, now
    db.session.flush()
    append(
        actor,
        "share.accepted" if accept else "share.rejected",
        object_id=grant.id,
        version=grant.revision,
        records=[grant.record_id],
        basis=Basis("share", grant.agreement_id, grant.id),
        texts={} if accept else {"reason": why},
    )
    kind = NotificationKind.SHARE_ACCEPTED if accept else NotificationKind.SHARE_REJECTED
    notify(
        actor,
        [grant.requested_by],
        kind,
        reference=grant.record_reference,
        address=address_of(grant.record_id, grant.record_reference),
    )
    return grant


def revoke_share(actor: Actor, grant_id: UUID, *, reason: str) -> Grant:
    """Ends a share, or withdraws one that waits. Nothing is deleted; the recipient keeps a line that says it was."""
    actor.check_may(Permission.CASE_SHARE)
    grant = load_for_change(actor, grant_id)
    now = clock.now()
    right = right_to(actor, grant.record_id, session=db.session())
    check_may_revoke(right is not None and right.leads, grant, now)
    why = clean(reason)
    check_reason(why, "Say why this share ends")
    # by the clock that the rule compares with: a service whose clock is ahead would leave it open a while
    grant.revoked_at = db.session.scalar(sa.select(sa.func.now()))
    grant.revoked_by, grant.revoked_why = actor.user_id, why
    db.session.flush()
    append(
        actor,
        "share.revoked",
        object_id=grant.id,
        version=grant.revision,
        records=[grant.record_id],
        basis=Basis("share", grant.agreement_id, grant.id),
        texts={"reason": why},
        key_of=grant.record_id,
    )
    tell_recipients(actor, grant, NotificationKind.SHARE_REVOKED)
    return grant


def _load_to_share(actor: Actor, record_id: UUID) -> Record:
    right = right_to(actor, record_id, session=db.session())
    if right is None:
        raise NotVisible
    if right.leads:
        take_up(actor, [record_id])
        # locked, so that its facts are those of the grant, and two shares of it come one after the other
        record = db.session.scalar(sa.select(Record).where(Record.id == record_id).with_for_update())
        if record is not None:
            return record
    raise Denied("not_lead", "Only the team that leads this record can share it. Ask them to.")


def _start(actor: Actor, starts_at: datetime | None, now: datetime) -> datetime:
    if starts_at is None:
        return now
    if starts_at < now and actor.source is not Source.LOAD:
        raise Invalid("bad_share", errors={"starts": "A share cannot start in the past"})
    return starts_at


def refuse_share(actor: Actor, record_id: UUID, organisation_id: UUID, refusal: Refusal) -> NoReturn:
    """A refusal is recorded as carefully as a disclosure: whatever was under way goes, the event stays."""
    db.session.rollback()
    append(
        actor,
        "share.denied",
        outcome="denied",
        object_id=record_id,
        records=[record_id],
        basis=Basis("none", refusal.agreement_id),
        facts={"why": refusal.why, "organisation": organisation_id},
    )
    db.session.commit()
    raise Denied(
        f"no_agreement_{refusal.why}", f"This cannot be shared. {refusal.sentence} Nothing was shared."
    )


def _grant(
    actor: Actor,
    record: Record,
    form: ShareForm,
    footing: Footing,
    starts: datetime,
    beforehand: Beforehand | None,
    fact: FactCode | None,
) -> Grant:
    grant = new_grant(actor, record, form, footing, starts)
    if fact is not None:
        grant.fact_only, grant.sections = True, []
    if beforehand is not None:
        grant.state = GrantState.ACCEPTED.value
        grant.answered_by, grant.answered_at = beforehand.by, beforehand.at
        grant.panel_id, grant.access_request_id = beforehand.panel_id, beforehand.access_request_id
    _add(grant)
    _write_shared(actor, grant, fact)
    return grant


def new_grant(actor: Actor, record: Record, form: ShareForm, footing: Footing, starts: datetime) -> Grant:
    """The row of a share that waits for its answer, not added yet."""
    return Grant(
        **facts_of(record),
        id=new_id(),
        record_id=record.id,
        record_reference=record.reference,
        to_organisation_id=form.to_organisation_id,
        to_team_id=form.to_team_id,
        to_user_id=form.to_user_id,
        agreement_id=footing.agreement_id,
        agreement_ends_at=footing.agreement_ends_at,
        agreement_sections=list(footing.agreement_sections) or None,
        purpose=form.purpose.value if form.purpose else None,
        gateway=footing.gateway or None,
        lawful_basis=footing.lawful_basis or None,
        consent_id=footing.consent_id,
        fact_only=False,
        sections=[one.value for one in form.sections],
        max_marking=int(form.max_marking),
        may_contribute=form.may_contribute,
        reason=form.reason,
        state=GrantState.PENDING.value,
        requested_by=actor.user_id,
        starts_at=starts,
        ends_at=form.ends_at,
    )


def _write_shared(actor: Actor, grant: Grant, fact: FactCode | None) -> None:
    append(
        actor,
        "case.shared" if fact is None else "fact.shared",
        object_id=grant.id,
        version=grant.revision,
        records=[grant.record_id],
        people=find_people_in(actor, grant.record_id, grant.sections),
        recipients=[Recipient(grant.to_organisation_id, team_id=grant.to_team_id, user_id=grant.to_user_id)],
        basis=Basis("share", grant.agreement_id, grant.id),
        facts={"sections": "+".join(grant.sections)} if fact is None else {"code": fact.value},
        texts={"reason": grant.reason},
        key_of=grant.record_id,
    )
    if fact is not None:
        tell_recipients(actor, grant, NotificationKind.FACT_SHARED)
    elif grant.state == GrantState.PENDING.value:
        tell_recipients(actor, grant, NotificationKind.CASE_SHARED)
    elif grant.panel_id is not None:
        tell_recipients(actor, grant, NotificationKind.PANEL_SHARED)


def _add(grant: Grant) -> None:
    """In a savepoint: where the database finds another live share, the rest of the transaction still stands."""
    try:
        with db.session.begin_nested():
            db.session.add(grant)
            db.session.flush()
    except IntegrityError as error:
        raise already_shared(grant.record_reference, error) from error


def already_shared(reference: str, error: IntegrityError) -> Conflict:
    """What the database's refusal of a second live share means; any other error is raised as it is."""
    if getattr(getattr(error.orig, "diag", None), "constraint_name", None) != ONE_LIVE:
        raise error
    return Conflict(
        "shared_already",
        f"{reference} is shared with them for this purpose already, or waits for their answer. "
        "Change or end that share first.",
    )


def check_reason(text: str, sentence: str) -> None:
    if not text:
        raise Invalid("no_reason", sentence, errors={"reason": sentence})
    if len(text) > MAX_TEXT:
        raise Invalid("no_reason", errors={"reason": f"The reason must be {MAX_TEXT:,} characters or fewer"})
