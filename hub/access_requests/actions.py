"""Writes of requests: made by the asker, answered by those who lead what it is about, withdrawn by the asker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from hub.access.actor import Actor
from hub.access.permissions import ROLES, Permission
from hub.access.vocabulary import Purpose, Section
from hub.access_requests.deadlines import due_at
from hub.access_requests.forms import SHARES, AnswerForm, AskForm
from hub.access_requests.models import AccessRequest
from hub.access_requests.queries import find_sought_ids
from hub.access_requests.vocabulary import RequestState
from hub.accounts.models import Organisation, RoleHolding
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Conflict, Denied, Invalid, NotVisible
from hub.core.ids import new_id, new_reference
from hub.core.text import folded
from hub.extensions import db
from hub.notifications.actions import notify
from hub.notifications.vocabulary import NotificationKind
from hub.settings.values import values_of
from hub.sharing.actions import Beforehand, share_record
from hub.sharing.forms import ShareForm

REFERENCE_KIND, DRAWS = "RQ", 5
# one answer for a record that vanished, was never there, or is not to be known
NOTHING = "There is nothing that you can ask this organisation for by this name. Nothing was sent."


def make_request(actor: Actor, organisation_id: UUID, form: AskForm) -> AccessRequest:
    """Asks an organisation for what it holds. `Conflict` (nothing_to_ask_for) alike for all reasons why there is nothing."""
    actor.check_may(Permission.REQUEST_MAKE)
    known = sa.select(Organisation.id).where(Organisation.id == organisation_id)
    if organisation_id == actor.organisation_id or db.session.scalar(known) is None:
        _nothing(actor, organisation_id)
    request = _add(actor, organisation_id, form)
    teams = sa.func.attach_sought_records(request.id).column_valued("team")
    if not db.session.scalars(sa.select(teams)).all():
        _nothing(actor, organisation_id)
    append(
        actor,
        "request.made",
        object_id=request.id,
        version=request.revision,
        facts={"organisation": organisation_id},
        texts={"reason": form.reason},
    )
    notify(
        actor,
        find_answerers(actor, request.id),
        NotificationKind.REQUEST_MADE,
        reference=request.reference,
        address=f"/requests/{request.id}",
    )
    return request


def _nothing(actor: Actor, organisation_id: UUID) -> NoReturn:
    """What was under way goes; that somebody asked stays written down."""
    db.session.rollback()
    append(actor, "request.made", outcome="denied", facts={"organisation": organisation_id})
    db.session.commit()
    raise Conflict("nothing_to_ask_for", NOTHING)


def _add(actor: Actor, organisation_id: UUID, form: AskForm) -> AccessRequest:
    request = AccessRequest(
        id=new_id(),
        from_organisation_id=actor.organisation_id,
        from_team_id=actor.team_id,
        requested_by=actor.user_id,
        to_organisation_id=organisation_id,
        purpose=actor.purpose,
        urgency=form.urgency.value,
        # as names are searched for: the database finds by these words what it is about
        sought=folded(form.sought),
        wanted=form.wanted,
        reason=form.reason,
        due_at=due_at(form.urgency, clock.now(), values_of(actor.partnership_id)),
        state=RequestState.WAITING.value,
    )
    for last in (False,) * (DRAWS - 1) + (True,):
        request.reference = new_reference(actor.organisation_code, REFERENCE_KIND)
        try:
            with db.session.begin_nested():
                db.session.add(request)
                db.session.flush()
        except IntegrityError as error:
            drawn = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
            if last or drawn != "uq_access_request_reference":
                raise
        else:
            break
    return request


def find_answerers(actor: Actor, request_id: UUID) -> list[UUID]:
    """Who leads what a request is about and may answer it. The database tells only the asker, and the reminder."""
    person = sa.func.find_people_asked(request_id).column_valued("person")
    may = [role.value for role, known in ROLES.items() if Permission.REQUEST_ANSWER in known.permissions]
    held = sa.select(RoleHolding.user_id).where(
        RoleHolding.user_id.in_(sa.select(person)),
        RoleHolding.role.in_(may),
        sa.or_(RoleHolding.ended_at.is_(None), RoleHolding.ended_at > clock.now()),
    )
    return list(db.session.scalars(held.distinct()))


def answer_request(actor: Actor, request_id: UUID, form: AnswerForm) -> AccessRequest:
    """Supplies in full or in part by a share of each record, refuses, or says that it is not held.

    `NotVisible`, `Denied` (the asker; no agreement that carries it), `Conflict` (answered already), `Invalid`.
    """
    actor.check_may(Permission.REQUEST_ANSWER)
    request = _load_for_change(actor, request_id)
    sought = find_sought_ids(actor, request_id)
    if not sought:
        raise Denied("not_lead", "Only those who lead what was asked for can answer this request.")
    _check_waiting(request)
    if form.state in SHARES:
        _share(actor, request, form, sought)
    _close(actor, request, form.state, form.answer)
    append(
        actor,
        "request.answered",
        object_id=request.id,
        version=request.revision,
        records=sought,
        facts={"state": form.state.value},
        texts={"answer": form.answer} if form.answer else {},
    )
    notify(
        actor,
        [request.requested_by],
        NotificationKind.REQUEST_ANSWERED,
        reference=request.reference,
        address=f"/requests/{request.id}",
    )
    return request


def _share(actor: Actor, request: AccessRequest, form: AnswerForm, sought: list[UUID]) -> None:
    """One share for each record chosen, to the team that asked, for the purpose that it asked for: accepted by the asking."""
    chosen: Mapping[UUID, tuple[Section, ...]] = form.sections or {}
    if not chosen or not set(chosen) <= set(sought):
        raise Invalid("bad_answer", errors={"state": "Choose what you supply of the records below"})
    asked = Beforehand(by=request.requested_by, at=clock.now(), access_request_id=request.id)
    for record_id in sorted(chosen):
        wanted = ShareForm(
            to_organisation_id=request.from_organisation_id,
            to_team_id=request.from_team_id,
            purpose=Purpose(request.purpose),
            sections=chosen[record_id],
            reason=form.reason,
            ends_at=form.ends_at,
            max_marking=form.max_marking,
        )
        try:
            share_record(actor, record_id, wanted, beforehand=asked)
        except Conflict as conflict:
            raise Invalid("bad_answer", errors={f"sections-{record_id}": conflict.message}) from conflict


def withdraw_request(actor: Actor, request_id: UUID) -> AccessRequest:
    """The team that asked needs it no longer. `NotVisible`, `Denied` (not the asker) or `Conflict` (answered)."""
    actor.check_may(Permission.REQUEST_MAKE)
    request = _load_for_change(actor, request_id)
    if (request.from_organisation_id, request.from_team_id) != (actor.organisation_id, actor.team_id):
        raise Denied("not_asker", "Only the team that made this request can withdraw it.")
    _check_waiting(request)
    _close(actor, request, RequestState.WITHDRAWN, "")
    append(actor, "request.withdrawn", object_id=request.id, version=request.revision)
    return request


def _load_for_change(actor: Actor, request_id: UUID) -> AccessRequest:
    request = db.session.scalar(
        sa.select(AccessRequest)
        .where(AccessRequest.id == request_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if request is None:
        raise NotVisible
    return request


def _check_waiting(request: AccessRequest) -> None:
    if request.state != RequestState.WAITING:
        raise Conflict("answered_already", "This request has been answered or withdrawn already.")


def _close(actor: Actor, request: AccessRequest, state: RequestState, answer: str) -> None:
    request.state, request.answer = state.value, answer
    request.answered_at, request.answered_by = clock.now(), actor.user_id
    db.session.flush()
