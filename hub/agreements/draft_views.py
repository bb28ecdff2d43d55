"""The form of an agreement's terms: a new draft, a draft made from an agreement that ends, and changing a draft."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import flash, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from hub.access.models import Agreement
from hub.access.permissions import Permission
from hub.access.vocabulary import PURPOSE_LABELS, SECTION_LABELS, Section
from hub.accounts.queries import colleagues
from hub.agreements.actions import change_agreement, draft_agreement
from hub.agreements.forms import MAX_PARTIES, MAX_PURPOSES, MAX_WORDS, TermsForm, parse_terms, rows_of
from hub.agreements.notices import address_of
from hub.agreements.policy import Act, Terms, check_may, last_moment
from hub.agreements.queries import find_organisations, find_terms, open_agreement
from hub.agreements.vocabulary import CONDITIONS, GATEWAY_LIMITS, GATEWAYS, LAWFUL_BASES, NOT_CHOOSABLE
from hub.core import clock
from hub.core.errors import Invalid
from hub.extensions import db
from hub.web import drafts
from hub.web.identity import current_actor
from hub.web.once import once
from hub.web.routes import Data, Pages

pages = Pages("agreement_terms", __name__)

Values = MultiDict[str, str]


@pages.page(
    "/agreements/new",
    needs=Permission.ACCOUNT_MANAGE,
    event="agreement.created",
    data=Data.STAFF,
    methods=("GET", "POST"),
)
def new() -> Response | tuple[str, int]:
    actor = current_actor()
    draft = drafts.form_name("agreement_terms.new")

    def write(form: TermsForm) -> Agreement:
        return draft_agreement(actor, form)

    if request.method == "POST":
        return _save(write, draft, url_for("agreement_terms.new"), None)
    kept = drafts.find(actor, draft)
    values = Values(kept) if kept else _like(request.args.get("like", ""))
    return _form(values, {}, draft, url_for("agreement_terms.new"), None), 200


@pages.page(
    "/agreements/<uuid:agreement_id>/edit",
    needs=Permission.ACCOUNT_MANAGE,
    event="agreement.changed",
    data=Data.STAFF,
    methods=("GET", "POST"),
)
def edit(agreement_id: UUID) -> Response | tuple[str, int]:
    actor, action = current_actor(), url_for("agreement_terms.edit", agreement_id=agreement_id)
    draft = drafts.form_name("agreement_terms.edit", agreement_id)
    entry = open_agreement(actor, agreement_id)
    check_may(actor, Act.CHANGE, entry.terms, clock.now())

    def write(form: TermsForm) -> Agreement:
        return change_agreement(actor, agreement_id, form)

    if request.method == "POST":
        return _save(write, draft, action, entry.terms.agreement)
    kept = drafts.find(actor, draft)
    values = Values(kept) if kept else _values_of(entry.terms, actor.organisation_id)
    return _form(values, {}, draft, action, entry.terms.agreement), 200


def _save(
    write: Callable[[TermsForm], Agreement], draft: str, action: str, agreement: Agreement | None
) -> Response | tuple[str, int]:
    """Saves, or shows the form again: with its errors, or with a line more of parties or purposes."""
    actor, values = current_actor(), Values(request.form)
    for lines, limit in (("parties", MAX_PARTIES), ("purposes", MAX_PURPOSES)):
        if request.form.get("go") == lines:
            values[lines] = str(min(rows_of(values, lines, limit) + 1, limit))
            return _form(values, {}, draft, action, agreement), 200

    def act() -> str:
        form = parse_terms(request.form, own=actor.organisation_id, known=find_organisations(actor))
        written = write(form)
        flash("The draft is saved. Only your organisation sees it until it is sent out.", "success")
        return address_of(written.id)

    try:
        return once(actor, act, draft=draft)
    except Invalid as invalid:
        if not invalid.errors:
            raise
        db.session.rollback()
        return _form(values, invalid.errors, draft, action, agreement), 422


def _form(
    values: Values, errors: Mapping[str, str], draft: str, action: str, agreement: Agreement | None
) -> str:
    actor = current_actor()
    owners = colleagues(actor.organisation_id, actor.partnership_id)
    return render_template(
        "agreements/edit.html",
        action=action,
        agreement=agreement,
        draft_key=draft,
        values=values,
        chosen=values.getlist("sections"),
        errors=dict(errors),
        organisation=actor.organisation_name,
        organisations=[(str(key), name) for key, name in find_organisations(actor).items()],
        owners=[(str(one.id), f"{one.name}, {one.job_title}") for one in owners],
        owner=values.get("owner", str(actor.user_id)),
        parties=rows_of(values, "parties", MAX_PARTIES, 3),
        purposes=rows_of(values, "purposes", MAX_PURPOSES, 1),
        max_parties=MAX_PARTIES,
        max_purposes=MAX_PURPOSES,
        max_words=MAX_WORDS,
        purpose_labels=[(purpose.value, label) for purpose, label in PURPOSE_LABELS.items()],
        gateways=GATEWAYS,
        limits=GATEWAY_LIMITS,
        not_choosable=NOT_CHOOSABLE,
        lawful_bases=list(LAWFUL_BASES.items()),
        conditions=list(CONDITIONS.items()),
        sections=[(one.value, SECTION_LABELS[one]) for one in Section],
    )


def _like(given: str) -> Values:
    """A new form, filled with the terms of an agreement that the reader sees; its days are new."""
    actor = current_actor()
    try:
        key = UUID(given)
    except ValueError:
        return Values([("sections", Section.SUMMARY.value)])
    terms = find_terms(actor, [key]).get(key)
    if terms is None:
        return Values([("sections", Section.SUMMARY.value)])
    values = _values_of(terms, actor.organisation_id)
    for name in ("starts", "review", "ends"):
        for part in ("day", "month", "year"):
            values.pop(f"{name}-{part}", None)
    values["owner"] = str(actor.user_id)
    return values


def _values_of(terms: Terms, own: UUID) -> Values:
    """The terms as the form would post them."""
    agreement = terms.agreement
    values: dict[str, Any] = {
        "title": agreement.title,
        "owner": str(agreement.owner_user_id),
        "data_classes": agreement.data_classes,
        "not_shared": agreement.not_shared,
        "receivers": agreement.receivers,
        "sections": list(agreement.sections),
        **_parts("starts", agreement.starts_at),
        **_parts("review", agreement.review_at),
        **_parts("ends", last_moment(agreement)),
    }
    others = [one for one in terms.parties if one.organisation_id != own]
    for party in terms.parties:
        if party.organisation_id == own:
            values["signatory-own"] = party.signatory
    for number, party in enumerate(others):
        values[f"party-{number}"], values[f"signatory-{number}"] = str(party.organisation_id), party.signatory
    for number, one in enumerate(terms.purposes):
        values[f"purpose-{number}"], values[f"gateway-{number}"] = one.purpose, one.gateway
        values[f"basis-{number}"], values[f"condition-{number}"] = one.lawful_basis, one.condition or ""
    values["parties"], values["purposes"] = str(len(others)), str(len(terms.purposes))
    return Values(values)


def _parts(name: str, moment: datetime) -> dict[str, str]:
    day = moment.astimezone(clock.LONDON).date()
    return {f"{name}-day": str(day.day), f"{name}-month": str(day.month), f"{name}-year": str(day.year)}
