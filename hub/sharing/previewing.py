"""A share as its recipient would meet it, looked at by the one rule: shared for a moment, looked at, and undone.

The hypothetical share is a real row that is accepted in its recipient's context, and rolled back before anything else is
read. What was found are ids; the page reads them again as the sharer, so that nobody sees through a preview what they may
not see themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import ORMExecuteState, with_loader_criteria

from hub.access.actor import Actor, Context
from hub.access.guard import enter, hand_over
from hub.access.models import Exclusion, Grant, Record
from hub.access.permissions import Permission, permissions_of
from hub.access.queries import right_to
from hub.access.vocabulary import Audience, GrantState
from hub.audit.reading import UncommittedWork
from hub.core import clock
from hub.core.errors import NotVisible
from hub.extensions import HubSession, db, live_session
from hub.sharing.actions import already_shared, check_share, new_grant
from hub.sharing.checking import Footing
from hub.sharing.forms import ShareForm
from hub.sharing.policy import check_may_change
from hub.sharing.queries import load_for_change
from hub.sharing.readers import Reader

T = TypeVar("T")
# what may be looked at as the recipient: must return plain ids, for everything else is undone
Look = Callable[[Actor], T]
NARROWED = "narrowed_to"


def preview_share(
    actor: Actor,
    record_id: UUID,
    form: ShareForm,
    reader: Reader,
    look: Look[T],
    *,
    also: Sequence[UUID] = (),
) -> T:
    """What `look` finds as the reader, were this shared and accepted. Refused as `share_record` would refuse it."""
    footing = check_share(actor, record_id, form, also=also)
    with _undone(actor):
        moment = _moment()
        grants = _suppose(actor, [record_id, *also], form, footing, moment)
        return _look_as(actor, reader, form.purpose, grants, look, moment)


def preview_grant(actor: Actor, grant_id: UUID, reader: Reader, look: Look[T]) -> T:
    """What `look` finds as the reader under a share that holds, or that waits and would be accepted."""
    with _undone(actor):
        grant = load_for_change(actor, grant_id)
        right = right_to(actor, grant.record_id, session=db.session())
        check_may_change(right is not None and right.leads, grant, clock.now(), agreement_live=True)
        waiting = [grant.id] if grant.state == GrantState.PENDING.value else []
        return _look_as(actor, reader, grant.purpose, waiting, look, _moment())


@contextmanager
def _undone(actor: Actor) -> Iterator[None]:
    """Nothing that happens inside stays; after it the session is the actor's again."""
    actor.check_may(Permission.CASE_SHARE)
    if live_session().holds_work:
        raise UncommittedWork("a preview may not run with uncommitted work in the session")
    try:
        yield
    finally:
        db.session.rollback()
        enter(db.session(), actor)


def _moment() -> datetime:
    """The database's own time in this transaction: what starts at it has started."""
    return db.session.scalars(sa.select(sa.func.now())).one()


def _suppose(
    actor: Actor, record_ids: Sequence[UUID], form: ShareForm, footing: Footing, moment: datetime
) -> list[UUID]:
    records = db.session.scalars(sa.select(Record).where(Record.id.in_(record_ids))).all()
    if len(records) != len(set(record_ids)):
        raise NotVisible
    grants = [new_grant(actor, record, form, footing, moment) for record in records]
    reference = records[0].reference
    db.session.add_all(grants)
    try:
        db.session.flush()
    except IntegrityError as error:
        raise already_shared(reference, error) from error
    return [one.id for one in grants]


def _look_as(
    actor: Actor,
    reader: Reader,
    purpose: str | None,
    accepting: Sequence[UUID],
    look: Look[T],
    moment: datetime,
) -> T:
    them = stand_in(actor, reader, purpose)
    if reader.user_id != actor.user_id:
        _leave_out_interests(actor, reader, moment)
    hand_over(db.session(), them)
    if accepting:
        accepted = {"state": GrantState.ACCEPTED.value, "answered_by": them.user_id, "answered_at": moment}
        db.session.execute(sa.update(Grant).where(Grant.id.in_(accepting)).values(accepted))
    return look(them)


def _leave_out_interests(actor: Actor, reader: Reader, moment: datetime) -> None:
    """A declared interest is confidential: a preview must not betray that a colleague has one.

    Supposed lifted, as only a supervisor of theirs could, and undone with all else.
    """
    supervisor = Context(
        user_id=actor.user_id,
        organisation_id=reader.organisation_id,
        audiences=(Audience.SUPERVISOR_ONLY.value,),
    )
    hand_over(db.session(), supervisor)
    declared = sa.and_(Exclusion.user_id == reader.user_id, Exclusion.ended_at.is_(None))
    lifted = {"ended_at": moment, "ended_by": actor.user_id, "ended_why": "Supposed for a preview"}
    db.session.execute(sa.update(Exclusion).where(declared).values(lifted))


def stand_in(actor: Actor, reader: Reader, purpose: str | None) -> Actor:
    """The reader as reads know one. It writes no events: it has no session of its own."""
    return replace(
        actor,
        user_id=reader.user_id,
        name=reader.name,
        organisation_id=reader.organisation_id,
        organisation_name=reader.organisation_name,
        organisation_code="",
        organisation_kind=reader.organisation_kind,
        partnership_id=reader.partnership_id,
        partnership_name="",
        team_id=reader.team_id,
        team_name=reader.team_name,
        purpose=purpose or reader.default_purpose,
        clearance=reader.clearance,
        roles=reader.roles,
        permissions=permissions_of(reader.roles),
        audiences=reader.audiences,
        token="",
    )


@contextmanager
def narrowed_to(ids: Mapping[type[Any], Collection[UUID]]) -> Iterator[None]:
    """Inside, the classes named are read by the sharing rule and, beyond it, only as far as their ids are listed."""
    info = db.session().info
    info[NARROWED] = tuple(
        with_loader_criteria(
            model, model.id.in_(list(listed)), include_aliases=True, propagate_to_loaders=False
        )
        for model, listed in ids.items()
    )
    try:
        yield
    finally:
        info.pop(NARROWED, None)


@event.listens_for(HubSession, "do_orm_execute")
def _narrow(state: ORMExecuteState) -> None:
    options = state.session.info.get(NARROWED)
    if options and state.is_select and not state.is_column_load:
        state.statement = state.statement.options(*options)
