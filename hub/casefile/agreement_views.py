"""The page of one agreement: terms, signatures, papers, history; and what stops or resumes what stands on it."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import flash, render_template, request
from werkzeug.wrappers import Response

from hub.access.models import Agreement
from hub.access.permissions import Permission
from hub.access.vocabulary import PURPOSE_LABELS, SECTION_LABELS, Section
from hub.agreements.history import find_steps
from hub.agreements.notices import address_of
from hub.agreements.policy import STANDING_LABELS, Act, Standing, check_may, last_moment, may
from hub.agreements.queries import Entry, count_shares, open_agreement
from hub.agreements.vocabulary import CONDITIONS, GATEWAYS, LAWFUL_BASES, STEP_LABELS
from hub.agreements.wording import next_words
from hub.attachments.papers import find_papers
from hub.core import clock
from hub.core.errors import Invalid
from hub.extensions import db
from hub.sharing import ending
from hub.web.context import lead_back
from hub.web.identity import current_actor
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("agreement", __name__)

_DONE = {
    Act.SUSPEND: "Suspended. Every share that stood on it has ended.",
    Act.RESUME: "Resumed. What is still needed must be shared anew.",
    Act.END: "Ended. Every share that stood on it has ended.",
    Act.LEAVE: "Your organisation has left. Every share to and from it has ended.",
}


@pages.page(
    "/agreements/<uuid:agreement_id>",
    needs=Permission.AGREEMENT_READ,
    event="agreement.opened",
    data=Data.STAFF,
)
def show(agreement_id: UUID) -> str:
    actor, now = current_actor(), clock.now()
    entry = open_agreement(actor, agreement_id)
    given, received = count_shares(actor, agreement_id)
    return render_template(
        "agreements/one.html",
        entry=entry,
        agreement=entry.terms.agreement,
        last_day=last_moment(entry.terms.agreement),
        mine=actor.organisation_id,
        open_to_us={act.value for act in Act if may(actor, act, entry.terms, now)},
        may_add_papers=actor.may(Permission.ACCOUNT_MANAGE)
        and entry.terms.takes_part(actor.organisation_id, now),
        standing_label=STANDING_LABELS[entry.standing],
        next_words=next_words(entry, now),
        sections=[SECTION_LABELS[Section(one)] for one in entry.terms.agreement.sections],
        given=given,
        received=received,
        papers=find_papers(actor, agreement_id=agreement_id),
        steps=find_steps(actor, agreement_id),
        step_labels=STEP_LABELS,
        purpose_labels={purpose.value: label for purpose, label in PURPOSE_LABELS.items()},
        gateways=GATEWAYS,
        lawful_bases=LAWFUL_BASES,
        conditions=CONDITIONS,
    )


@pages.page(
    "/agreements/<uuid:agreement_id>/suspend",
    needs=Permission.ACCOUNT_MANAGE,
    event="agreement.suspended",
    data=Data.STAFF,
    methods=("GET", "POST"),
)
def suspend(agreement_id: UUID) -> Response | tuple[str, int]:
    return _stop(agreement_id, Act.SUSPEND, ending.suspend_agreement)


@pages.page(
    "/agreements/<uuid:agreement_id>/end",
    needs=Permission.ACCOUNT_MANAGE,
    event="agreement.ended",
    data=Data.STAFF,
    methods=("GET", "POST"),
)
def end(agreement_id: UUID) -> Response | tuple[str, int]:
    return _stop(agreement_id, Act.END, ending.end_agreement)


@pages.page(
    "/agreements/<uuid:agreement_id>/leave",
    needs=Permission.ACCOUNT_MANAGE,
    event="agreement.left",
    data=Data.STAFF,
    methods=("GET", "POST"),
)
def leave(agreement_id: UUID) -> Response | tuple[str, int]:
    return _stop(agreement_id, Act.LEAVE, ending.leave_agreement)


@pages.page(
    "/agreements/<uuid:agreement_id>/resume",
    needs=Permission.ACCOUNT_MANAGE,
    event="agreement.resumed",
    data=Data.STAFF,
    methods=("GET", "POST"),
)
def resume(agreement_id: UUID) -> Response | tuple[str, int]:
    actor = current_actor()

    def act() -> str:
        ending.resume_agreement(actor, agreement_id)
        flash(_DONE[Act.RESUME], "success")
        return address_of(agreement_id)

    if request.method == "POST":
        return once(actor, act)
    return _asked(open_agreement(actor, agreement_id), Act.RESUME, {}), 200


def _stop(agreement_id: UUID, kind: Act, stopping: Callable[..., Agreement]) -> Response | tuple[str, int]:
    """Asks first, with a reason, and tells how many shares of the own organisation end; then acts."""
    actor = current_actor()

    def act() -> str:
        stopping(actor, agreement_id, why=request.form.get("why", ""))
        flash(_DONE[kind], "success")
        return address_of(agreement_id)

    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            return once(actor, act)
        except Invalid as invalid:
            db.session.rollback()
            if "why" not in invalid.errors:
                raise
            errors = invalid.errors
    return _asked(open_agreement(actor, agreement_id), kind, errors), 422 if errors else 200


def _asked(entry: Entry, kind: Act, errors: dict[str, str]) -> str:
    actor = current_actor()
    lead_back(address_of(entry.terms.agreement.id), "Back to the agreement")
    check_may(actor, kind, entry.terms, clock.now())
    given, received = count_shares(actor, entry.terms.agreement.id)
    return render_template(
        "agreements/act.html",
        agreement=entry.terms.agreement,
        kind=kind.value,
        draft=entry.standing is Standing.DRAFT,
        others=entry.terms.others(actor.organisation_id),
        given=given,
        received=received,
        why=request.form.get("why", ""),
        limit=ending.LONGEST_REASON,
        errors=errors,
    )
