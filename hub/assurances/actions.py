"""Writes of assurances: answered by an organisation's administrator, reviewed by a partner's. Flush, never commit."""

from __future__ import annotations

from uuid import UUID

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.accounts.models import Organisation
from hub.accounts.queries import administrators_of
from hub.assurances.forms import AnswersForm, ReviewForm
from hub.assurances.models import Assurance
from hub.assurances.queries import find_partners_administrators, load_for_review
from hub.assurances.vocabulary import AssuranceState
from hub.audit.recording import append
from hub.core import clock
from hub.core.errors import Conflict, Denied
from hub.extensions import db
from hub.notifications.actions import notify
from hub.notifications.vocabulary import NotificationKind


def submit_assurance(actor: Actor, form: AnswersForm) -> Assurance:
    """The organisation's answers, for a partner to review. Newer ones stand in for those that nobody has reviewed yet."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    row = Assurance(
        organisation_id=actor.organisation_id,
        form_version=form.version,
        answers={code: dict(answer) for code, answer in form.answers.items()},
        state=AssuranceState.SUBMITTED.value,
        submitted_by=actor.user_id,
        submitted_at=clock.now(),
    )
    db.session.add(row)
    db.session.flush()
    append(actor, "assurance.submitted", object_id=row.id, version=row.revision)
    notify(
        actor,
        find_partners_administrators(actor),
        NotificationKind.ASSURANCE_WAITING,
        reference=reference_of(actor.organisation_code),
        address=f"/assurance/{row.id}",
    )
    return row


def review_assurance(actor: Actor, assurance_id: UUID, form: ReviewForm) -> Assurance:
    """A partner accepts the answers until a day, or returns them with a reason. Nobody reviews their own organisation's."""
    actor.check_may(Permission.ACCOUNT_MANAGE)
    row, latest = load_for_review(actor, assurance_id)
    if row.organisation_id == actor.organisation_id:
        raise Denied("own_assurance", "A partner reviews your organisation’s answers, not you.")
    if row.state != AssuranceState.SUBMITTED:
        raise Conflict("reviewed_already", "These answers have been reviewed already.")
    if not latest:
        raise Conflict("answered_anew", "This organisation has answered anew. Review those answers instead.")
    row.state, row.valid_until, row.review_note = form.outcome.value, form.until, form.note
    row.reviewed_by, row.reviewed_at = actor.user_id, clock.now()
    db.session.flush()
    append(
        actor,
        "assurance.reviewed",
        object_id=row.id,
        version=row.revision,
        facts={"outcome": form.outcome.value},
    )
    organisation = db.session.get_one(Organisation, row.organisation_id)
    notify(
        actor,
        db.session.scalars(administrators_of([row.organisation_id])).all(),
        NotificationKind.ASSURANCE_REVIEWED,
        reference=reference_of(organisation.code),
        address=f"/assurance/{row.id}",
    )
    return row


def reference_of(code: str) -> str:
    return f"{code}-assurance"
