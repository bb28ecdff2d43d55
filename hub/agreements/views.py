"""The register of agreements: with whom we may share, for what, until when; signed and suspended by administrators."""

from __future__ import annotations

from uuid import UUID

from flask import flash, render_template, request
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.access.vocabulary import PURPOSE_LABELS, Purpose
from hub.agreements.actions import sign_agreement, suspend_agreement
from hub.agreements.policy import STANDING_LABELS, Standing
from hub.agreements.queries import Entry, find_fellow_parties, list_agreements, open_agreement
from hub.agreements.vocabulary import CONDITIONS, GATEWAYS, LAWFUL_BASES
from hub.core.errors import Invalid
from hub.core.paging import Cursor
from hub.extensions import db
from hub.web.identity import current_actor
from hub.web.narrowing import Filter, Narrowed
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("agreements", __name__)


@pages.page("/agreements", needs=Permission.AGREEMENT_READ, event="agreement.listed", data=Data.STAFF)
def register() -> str:
    actor = current_actor()
    partners = {str(key): name for key, name in find_fellow_parties(actor).items()}
    narrowed = Narrowed(
        "/agreements", {"standing": Filter("State", STANDING_LABELS), "with": Filter("Partner", partners)}
    )
    standing, partner = narrowed["standing"], narrowed["with"]
    page = list_agreements(
        actor,
        Standing(standing) if standing else None,
        partner_id=UUID(partner) if partner else None,
        cursor=Cursor.parse(narrowed.after),
    )
    return render_template(
        "agreements/list.html",
        page=page,
        narrowed=narrowed,
        mine=actor.organisation_id,
        standing_labels=STANDING_LABELS,
        purpose_labels=_purposes(),
    )


@pages.page(
    "/agreements/<uuid:agreement_id>",
    needs=Permission.AGREEMENT_READ,
    event="agreement.opened",
    data=Data.STAFF,
)
def one(agreement_id: UUID) -> str:
    return _page(open_agreement(current_actor(), agreement_id), {})


@pages.page(
    "/agreements/<uuid:agreement_id>/sign",
    needs=Permission.ACCOUNT_MANAGE,
    event="agreement.signed",
    data=Data.NONE,
    methods=("POST",),
)
def sign(agreement_id: UUID) -> Response:
    actor = current_actor()

    def act() -> str:
        sign_agreement(actor, agreement_id)
        flash(f"Signed for {actor.organisation_name}.", "success")
        return f"/agreements/{agreement_id}"

    return once(actor, act)


@pages.page(
    "/agreements/<uuid:agreement_id>/suspend",
    needs=Permission.ACCOUNT_MANAGE,
    event="agreement.suspended",
    data=Data.STAFF,
    methods=("POST",),
)
def suspend(agreement_id: UUID) -> Response | tuple[str, int]:
    actor = current_actor()

    def act() -> str:
        suspend_agreement(actor, agreement_id, why=request.form.get("why", ""))
        flash("Suspended. Every share that stands on it has stopped.", "success")
        return f"/agreements/{agreement_id}"

    try:
        return once(actor, act)
    except Invalid as invalid:
        db.session.rollback()
        if "why" not in invalid.errors:
            raise
        return _page(open_agreement(actor, agreement_id), invalid.errors), 422


def _page(entry: Entry, errors: dict[str, str]) -> str:
    actor = current_actor()
    party = entry.terms.party(actor.organisation_id)
    manages = actor.may(Permission.ACCOUNT_MANAGE)
    return render_template(
        "agreements/one.html",
        entry=entry,
        agreement=entry.terms.agreement,
        mine=actor.organisation_id,
        may_sign=manages
        and party is not None
        and party.signed_at is None
        and entry.standing is not Standing.EXPIRED,
        may_suspend=manages
        and entry.terms.agreement.suspended_at is None
        and entry.standing is not Standing.EXPIRED,
        standing_label=STANDING_LABELS[entry.standing],
        purpose_labels=_purposes(),
        gateways=GATEWAYS,
        lawful_bases=LAWFUL_BASES,
        conditions=CONDITIONS,
        errors=errors,
        why=request.form.get("why", ""),
    )


def _purposes() -> dict[str, str]:
    return {purpose.value: PURPOSE_LABELS[purpose] for purpose in Purpose}
