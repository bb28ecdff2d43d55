"""The register of agreements: with whom we may share, for what, until when; sent out and signed by administrators."""

from __future__ import annotations

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.access.permissions import Permission
from hub.access.vocabulary import PURPOSE_LABELS
from hub.agreements.actions import LONGEST_SIGNATORY, send_agreement, sign_agreement
from hub.agreements.notices import address_of
from hub.agreements.policy import STANDING_LABELS, Act, Standing, check_may, days_left, last_moment
from hub.agreements.queries import Entry, find_fellow_parties, list_agreements, list_register, open_agreement
from hub.agreements.wording import HEADINGS, csv_row, ends_words, purposes_in_words, signing_words
from hub.core import clock
from hub.core.errors import Invalid
from hub.core.paging import Cursor
from hub.extensions import db
from hub.web.identity import current_actor, current_visit
from hub.web.narrowing import Filter, Narrowed
from hub.web.once import once
from hub.web.routes import Data, Pages
from hub.web.spreadsheets import as_csv

pages = Pages("agreements", __name__)


def _narrowed(address: str) -> Narrowed:
    partners = {str(key): name for key, name in find_fellow_parties(current_actor()).items()}
    return Narrowed(
        address, {"standing": Filter("State", STANDING_LABELS), "with": Filter("Partner", partners)}
    )


@pages.page("/agreements", needs=Permission.AGREEMENT_READ, event="agreement.listed", data=Data.STAFF)
def register() -> str:
    actor = current_actor()
    narrowed = _narrowed("/agreements")
    standing, partner = narrowed["standing"], narrowed["with"]
    page = list_agreements(
        actor,
        Standing(standing) if standing else None,
        partner_id=UUID(partner) if partner else None,
        cursor=Cursor.parse(narrowed.after),
    )
    now = clock.now()
    return render_template(
        "agreements/list.html",
        page=page,
        narrowed=narrowed,
        csv_href=narrowed.href().replace("/agreements", "/agreements/register.csv", 1),
        mine=actor.organisation_id,
        manages=actor.may(Permission.ACCOUNT_MANAGE),
        standing_labels=STANDING_LABELS,
        purpose_labels={purpose.value: label for purpose, label in PURPOSE_LABELS.items()},
        last_days={row.terms.agreement.id: last_moment(row.terms.agreement) for row in page.rows},
        ends={row.terms.agreement.id: ends_words(row, now) for row in page.rows},
    )


@pages.page(
    "/agreements/register.csv", needs=Permission.AGREEMENT_READ, event="agreement.listed", data=Data.STAFF
)
def register_csv() -> Response:
    narrowed = _narrowed("/agreements/register.csv")
    standing, partner = narrowed["standing"], narrowed["with"]
    entries = list_register(
        current_actor(),
        Standing(standing) if standing else None,
        partner_id=UUID(partner) if partner else None,
    )
    return as_csv("agreements.csv", HEADINGS, [csv_row(entry) for entry in entries])


@pages.page(
    "/agreements/<uuid:agreement_id>/send",
    needs=Permission.ACCOUNT_MANAGE,
    event="agreement.sent",
    data=Data.STAFF,
    methods=("GET", "POST"),
)
def send(agreement_id: UUID) -> Response | str:
    """Asks first, in plain words, then sends it out."""
    actor = current_actor()

    def act() -> str:
        send_agreement(actor, agreement_id)
        flash("Sent out for signature. The administrators of every party have been told.", "success")
        return address_of(agreement_id)

    if request.method == "POST":
        return once(actor, act)
    entry = open_agreement(actor, agreement_id)
    check_may(actor, Act.SEND, entry.terms, clock.now())
    return _asked("agreements/send.html", entry)


@pages.page(
    "/agreements/<uuid:agreement_id>/sign",
    needs=Permission.ACCOUNT_MANAGE,
    event="agreement.signed",
    data=Data.STAFF,
    methods=("GET", "POST"),
)
def sign(agreement_id: UUID) -> Response | str | tuple[str, int]:
    """Signing is the administrator's own act: the password is asked for again before it."""
    actor, visit = current_actor(), current_visit()
    if visit is not None and not visit.is_fresh:
        back = url_for("agreements.sign", agreement_id=agreement_id)
        return redirect(url_for("accounts.confirm", next=back), 303)

    def act() -> str:
        sign_agreement(actor, agreement_id, signatory=request.form.get("signatory", ""))
        flash(f"Signed for {actor.organisation_name}.", "success")
        return address_of(agreement_id)

    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            return once(actor, act)
        except Invalid as invalid:
            db.session.rollback()
            if "signatory" not in invalid.errors:
                raise
            errors = invalid.errors
    entry = open_agreement(actor, agreement_id)
    check_may(actor, Act.SIGN, entry.terms, clock.now())
    return _asked("agreements/sign.html", entry, errors), 422 if errors else 200


def _asked(template: str, entry: Entry, errors: dict[str, str] | None = None) -> str:
    actor, agreement = current_actor(), entry.terms.agreement
    mine = entry.terms.party(actor.organisation_id)
    return render_template(
        template,
        agreement=agreement,
        others=entry.terms.others(actor.organisation_id),
        organisation=actor.organisation_name,
        said=signing_words(entry, actor.organisation_id),
        purposes=purposes_in_words(entry.terms),
        last_day=last_moment(agreement),
        left=days_left(agreement, clock.now()),
        signatory=request.form.get("signatory", mine.signatory if mine else ""),
        limit=LONGEST_SIGNATORY,
        errors=errors or {},
    )
